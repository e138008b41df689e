import type { MessageStoragePolicy } from '@carillon/wire'
import type { Subscription } from './subscription.ts'

/** A channel that exists, in memory from its creation (or the start) to its end. */
export class Channel {
  /** Standard base64 of `idBytes`, as providers write it. */
  readonly id: string
  readonly idBytes: Uint8Array
  /** Bundle id of the app that it belongs to. */
  readonly app: string
  readonly policy: MessageStoragePolicy
  readonly subscribers = new Set<Subscription>()
  /** Place of the newest message that was published, in microseconds; 0 before the first one. */
  publishedUs = 0
  /** Place of the message on disk; 0 where none is stored. */
  storedUs = 0
  /** When that one is dropped, UNIX seconds. */
  storedUntil = 0
  /** False once it was deleted, or its app's capability was switched off. */
  isRegistered = true
  /** Broadcasts that were taken and are not handed to all subscribers yet. */
  publishing = 0
  /** Settled when every broadcast before is on its way: none overtakes another that waits for the disk. */
  onItsWay: Promise<unknown> = Promise.resolve()

  constructor(id: string, idBytes: Uint8Array, app: string, policy: MessageStoragePolicy) {
    this.id = id
    this.idBytes = idBytes
    this.app = app
    this.policy = policy
  }

  /** The place of a message that is published now: after all before it, whatever the clock does. */
  nextPlace(nowMs: number): number {
    this.publishedUs = Math.max(nowMs * 1000, this.publishedUs + 1)
    return this.publishedUs
  }

  /** Whether a message is stored that is newer than this place and still alive. */
  hasStoredAfter(seenUs: number, nowMs: number): boolean {
    return this.storedUs > seenUs && this.storedUntil * 1000 > nowMs
  }
}

import type { Broadcast } from '../channels/broadcast.ts'
import type { StoredMessage } from '../store/stored-message.ts'

/** Why a notification waits in the store instead of being sent. */
export type StoredWhy =
  /** Its device has no connection. */
  | 'offline'
  /** Its device saves power: it is held for a better moment. */
  | 'power'
  /** The device has paused its topic, or has not named it yet. */
  | 'paused'
  /** More is on its way to the device than may be unacknowledged. */
  | 'window'

/** Why a notification was accepted and went nowhere. */
export type DiscardedWhy = 'expired' | 'unregistered' | 'disabled'

/** What names a notification once its message is out of memory. */
export type TracedMessage = Pick<
  StoredMessage,
  'apnsId' | 'app' | 'topic' | 'token' | 'pushType' | 'priority' | 'device'
>

/** A request that the gateway did not accept; '' for what it did not say. */
export interface RejectedPush {
  /** UUID of the answer. */
  readonly apnsId: string
  /** Hex, as sent. */
  readonly token: string
  readonly topic: string
  readonly pushType: string
  readonly priority: number
  readonly reason: string
  /** Of a broadcast, whose `apnsId` is its request id: the channel, as sent. */
  readonly channelId?: string
}

/** What names a broadcast. */
export type TracedBroadcast = Pick<Broadcast, 'requestId' | 'app' | 'channelId' | 'priority'>

/** What can happen to a broadcast that was accepted; `stored` for devices that come later. */
export type BroadcastStage = 'received' | 'stored' | 'sent'

/**
 * What happens to notifications on their way, told by the folder in which it happens and at the moment it
 * happens. Calls are on the hot path: they must not allocate much, block or throw.
 */
export interface Trace {
  rejected(push: RejectedPush, nowMs: number): void
  /** Accepted from the provider. @param uniqueId UUID of the sandbox's answer, '' in production */
  received(message: StoredMessage, uniqueId: string): void
  stored(message: TracedMessage, why: StoredWhy, nowMs: number): void
  /** @param by the newer one that took its place, by the inbox rule or by its collapse id */
  replaced(message: TracedMessage, by: Uint8Array, nowMs: number): void
  /** It expired while it was stored. */
  expired(message: TracedMessage, nowMs: number): void
  discarded(message: TracedMessage, why: DiscardedWhy, isFromStorage: boolean, nowMs: number): void
  /** Handed to the connection of its device. */
  sent(message: TracedMessage, isFromStorage: boolean, nowMs: number): void
  /**
   * The device has it, or has given it up. @param status of its acknowledgement, 0: taken. One that says that nobody
   * takes the token is told as discarded instead: a notification has one end.
   */
  acknowledged(message: TracedMessage, status: number, isFromStorage: boolean, nowMs: number): void
  /** The device tells what became of it: on its screen, opened by its user. */
  reported(message: TracedMessage, stage: 'shown' | 'opened', nowMs: number): void
  /** A token became inactive. */
  tokenInactive(token: Uint8Array, app: string, topic: string, atMs: number): void
  /** @param devices `sent`: how many connected devices it was handed to; else 0 */
  broadcast(broadcast: TracedBroadcast, stage: BroadcastStage, devices: number, nowMs: number): void
}

/** Keeps nothing. */
export const untraced: Trace = {
  rejected() {},
  received() {},
  stored() {},
  replaced() {},
  expired() {},
  discarded() {},
  sent() {},
  acknowledged() {},
  reported() {},
  tokenInactive() {},
  broadcast() {},
}

import { limits } from '../limits.ts'
import type { MessageStore, StoreTicket } from '../store/message-store.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import type { AcceptOutcome } from './delivery.ts'

/** Who waits for the outcome of an acceptance. */
export type Settle = (outcome: AcceptOutcome) => void

/** What is known of a message's place on the disk. `waiting`: not written yet, soon to be. */
const Place = { none: 0, waiting: 1, gathered: 2, onDisk: 3 } as const
type Place = (typeof Place)[keyof typeof Place]

/**
 * One notification on its way to a connected device. It is accepted when it is on disk or acknowledged,
 * whichever comes first; an acknowledgement that comes before its commit starts takes the write back.
 */
export class Outgoing {
  readonly message: StoredMessage
  /** How many the inbox rule lets wait, for one that was stored while the device was away; else 0. */
  inboxMax = 0
  /**
   * The store has removed it since it was sent, for it expired or for the one with this apns-id: an acknowledgement is
   * still its end, else this is.
   */
  removed: 'expired' | Uint8Array | undefined
  /** The wait for its acknowledgement was in vain. */
  outlastedGrace = false
  readonly isOnce: boolean
  readonly isFromStorage: boolean
  #place: Place = Place.none
  #ticket: StoreTicket = 0
  #store: MessageStore | undefined
  #settle: Settle | undefined

  private constructor(message: StoredMessage, isOnce: boolean, isFromStorage: boolean) {
    this.message = message
    this.isOnce = isOnce
    this.isFromStorage = isFromStorage
  }

  /** A message that is never stored. */
  static once(message: StoredMessage): Outgoing {
    return new Outgoing(message, true, false)
  }

  /** A message that was read from the store. */
  static fromStore(message: StoredMessage, inboxMax: number): Outgoing {
    const outgoing = new Outgoing(message, false, true)
    outgoing.inboxMax = inboxMax
    outgoing.#place = Place.onDisk
    return outgoing
  }

  /** A new message; `writeNow` must follow unless it is acknowledged first. */
  static unwritten(message: StoredMessage, store: MessageStore, settle: Settle): Outgoing {
    const outgoing = new Outgoing(message, false, false)
    outgoing.#store = store
    outgoing.#settle = settle
    outgoing.#place = Place.waiting
    return outgoing
  }

  /** A new message, gathered for the next commit. Undefined where the store takes no more. */
  static gathered(message: StoredMessage, store: MessageStore, settle: Settle): Outgoing | undefined {
    const outgoing = Outgoing.unwritten(message, store, settle)
    return outgoing.#gather(store) ? outgoing : undefined
  }

  /** Neither written nor acknowledged. */
  get isWaiting(): boolean {
    return this.#place === Place.waiting
  }

  /** Gathers a message that still waits for its write. False where the store takes no more: it waits on. */
  writeNow(): boolean {
    if (this.#place !== Place.waiting) return true
    this.outlastedGrace = true
    return this.#gather(this.#store!)
  }

  /** The store takes no more, and it cannot wait for its acknowledgement any longer: the provider has to come again. */
  giveUp(): void {
    if (this.#place !== Place.waiting) return
    this.#place = Place.none
    this.#finish('busy')
  }

  /** One that is never stored waits behind others for a moment only, any other until it expires. */
  isTooLate(nowMs: number): boolean {
    const { expiration, receivedAtMs } = this.message
    return (this.isOnce ? receivedAtMs + limits.onceBehindFlushMsMax : expiration * 1000) <= nowMs
  }

  get bytes(): number {
    return this.message.payload.length
  }

  /** The device has it: nothing of it needs to be kept. */
  acknowledged(store: MessageStore): void {
    const isUntouched =
      this.#place <= Place.waiting ||
      (this.#place === Place.gathered && store.cancel(this.#ticket, this.message))
    if (isUntouched) this.#place = Place.none
    // A commit that runs now is overtaken by nothing: the deletion comes behind it.
    else store.remove(this.message.seq)
    this.#finish('accepted')
  }

  #gather(store: MessageStore): boolean {
    this.#ticket = store.addSent(this.message, (outcome) => this.#written(outcome))
    if (this.#ticket === 0) return false
    this.#place = Place.gathered
    return true
  }

  #written(outcome: 'stored' | 'failed'): void {
    this.#place = outcome === 'stored' ? Place.onDisk : Place.none
    this.#finish(outcome === 'stored' ? 'accepted' : 'failed')
  }

  #finish(outcome: AcceptOutcome): void {
    const settle = this.#settle
    this.#settle = undefined
    settle?.(outcome)
  }
}

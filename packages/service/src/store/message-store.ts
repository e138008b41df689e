import type { TracedMessage } from '../trace/trace.ts'
import type { StoredMessage } from './stored-message.ts'

/** Names one message that was added; 0 says that it was refused. */
export type StoreTicket = number

/** `stored`: on disk. `failed`: the database broke, nothing was kept. */
export type AddDone = (outcome: 'stored' | 'failed') => void

/** A message read back, with the rule that it is kept under. */
export interface InboxMessage extends StoredMessage {
  /** 0: it was sent to a connected device and stays until its acknowledgement. Else how many may wait. */
  readonly inboxMax: number
}

/** One page of what is stored for a device, in order of acceptance. */
export interface StoredPage {
  readonly messages: readonly InboxMessage[]
  /** There are more behind the last one of this page. */
  readonly hasMore: boolean
  /** Where the next page begins. */
  readonly throughSeq: number
}

/** What is known of a message that the store removed by its own rules. */
export interface RemovedMessage extends TracedMessage {
  readonly seq: number
}

/** Hears of messages that went without an acknowledgement; of each once, when its removal is on disk. */
export interface StoreListener {
  /** @param by apns-id of the newer one that took its place */
  replaced(message: RemovedMessage, by: Uint8Array): void
  expired(message: RemovedMessage): void
}

/**
 * Accepted notifications until they are acknowledged or expired. Nothing of it is held in memory but what is
 * on its way to or from the disk.
 */
export interface MessageStore {
  /** The next place in the order of acceptance. */
  nextSeq(): number
  /** The last place given. */
  readonly lastSeq: number
  /** Told of what the store removes by its own rules. */
  listener: StoreListener | undefined

  /**
   * Writes a message that was (or is about to be) sent to its connected device, and removes older ones with the
   * same collapse id.
   *
   * @param done called later, once; never after `cancel` returned true
   * @returns 0 where too much waits for the disk already: nothing is kept and `done` is never called
   */
  addSent(message: StoredMessage, done: AddDone): StoreTicket

  /**
   * Writes a message for a device that is away and, in the same atomic unit, removes what the inbox rule
   * replaces: older ones with the same collapse id, and the oldest beyond `inboxMax` (expired ones do not
   * count). Messages added by `addSent` are only replaced by their collapse id.
   */
  addToInbox(message: StoredMessage, inboxMax: number, done: AddDone): StoreTicket

  /** Takes back a message that no commit has taken yet: true, and it is never written. */
  cancel(ticket: StoreTicket, message: StoredMessage): boolean

  /** From now on the inbox rule leaves these alone: they were put on the wire. */
  protect(messages: readonly StoredMessage[]): void

  /** Deletes a message, together with other writes that come along soon. */
  remove(seq: number): void

  /** Deletes a message that was found to have expired, and tells the listener where nothing else removed it before. */
  removeExpired(message: StoredMessage): void

  /**
   * What is stored for a device from `afterSeq` (exclusive) to `throughSeq` (inclusive): sees everything that was
   * added for it before the call, and nothing that was removed before.
   */
  read(device: number, afterSeq: number, throughSeq: number): Promise<StoredPage>

  /** Once a second or so: deletes what gathered, looks for expired ones, a bounded number at a time. */
  tick(nowMs: number): void

  /** Deletes what gathered. The database stays open: it belongs to the caller. */
  close(): Promise<void>
}

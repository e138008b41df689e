import type { BinaryStatusName } from '@carillon/wire'
import type { TransportReason } from '../result.ts'

/** A notification for one device token. The topic is that of the certificate. */
export interface BinaryPush {
  /** Hex of either case, as the app got it when it registered. */
  readonly deviceToken: string
  /** An object is encoded as JSON; a string (JSON) or bytes (JSON in UTF-8) are sent as they are. At most 2048 bytes. */
  readonly payload: object | string | Uint8Array
  /**
   * When the service stops trying: UNIX time in seconds, or a Date. 0: one attempt, nothing is stored. Left out: 30
   * days. Command 0 cannot say it.
   */
  readonly expiration?: number | Date | undefined
  /** 10 or 5; 10 where it is left out. Only command 2 can say it. */
  readonly priority?: 10 | 5 | undefined
}

/** What became of a notification. */
export type BinaryPushResult = BinaryPushAccepted | BinaryPushRejected | BinaryPushUnanswered

/** Nothing that the service can still say on this connection is about this notification: it has taken it. */
export interface BinaryPushAccepted {
  readonly ok: true
  readonly outcome: 'accepted'
}

/** The service named this notification in its error packet, or it could not have been sent. */
export interface BinaryPushRejected {
  readonly ok: false
  readonly outcome: 'rejected'
  /** The code of the error packet. */
  readonly status: number
  readonly reason: BinaryStatusName | 'unknown'
  /** What to do about it, in a sentence. */
  readonly hint: string
}

/** `unsent`: certainly not accepted. `ambiguous`: sent, and the service did not say what became of it. */
export interface BinaryPushUnanswered {
  readonly ok: false
  readonly outcome: 'unsent' | 'ambiguous'
  readonly status: 0
  readonly reason: TransportReason
  readonly hint: string
}

/** A notification in the client, until it has its result. */
export interface PendingBinaryPush {
  readonly token: Uint8Array
  readonly payload: Uint8Array
  readonly expiration: number | undefined
  readonly priority: number | undefined
  readonly queuedAt: number
  /** Counts the notifications of this client. */
  readonly number: number
  /** It was sent on a connection that was lost, so the service may have it. */
  mayBeAccepted: boolean
  readonly resolve: (result: BinaryPushResult) => void
}

export const binaryAccepted: BinaryPushAccepted = { ok: true, outcome: 'accepted' }

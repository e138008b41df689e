import type { ReasonText } from '@carillon/wire'
import type { Notification, Push } from './push.ts'

/** What became of a push. `switch` on `outcome`, or ask `ok`, then `status`: 0 means that no answer is there. */
export type PushResult = PushAccepted | PushRejected | PushUnanswered

/** The service took the push over (200). Whether it reaches the device is for the service and the device. */
export interface PushAccepted {
  readonly ok: true
  readonly outcome: 'accepted'
  /** The id under which the service knows the push. */
  readonly apnsId: string
  /** The key into the delivery log; the sandbox alone sends it. */
  readonly apnsUniqueId?: string
}

/** What all pushes that failed have. */
interface Failed {
  readonly ok: false
  readonly apnsId: string
  /** The same push may succeed later, unchanged. */
  readonly retryable: boolean
  /** Milliseconds that the next attempt should wait, with `retryable`: as the service said, or by the reason. */
  readonly retryAfter?: number
  /** Whether anything of it was handed to a connection. */
  readonly sent: boolean
  /** Requests that were made for it, by this client. */
  readonly attempts: number
  /** What to do about it, in a sentence. */
  readonly hint: string
}

/** The service said no, or would have: values that it is known to refuse are not sent at all (`sent: false`). */
export interface PushRejected extends Failed {
  readonly outcome: 'rejected'
  /** The HTTP status of the reason: 400 to 599. */
  readonly status: number
  /** A reason of Apple's table in the spelling of `@carillon/wire`, or what the service wrote. */
  readonly reason: ReasonText | (string & {})
  /** With 410: since when the token is inactive, in milliseconds since 1970. */
  readonly timestamp?: number
  /** The token will never work again: forget it. False where the app registered after `timestamp`. */
  readonly tokenIsDead: boolean
  /** True where an earlier attempt lost its answer and may have been accepted. */
  readonly ambiguous: boolean
}

/** No answer of the service: why, and whether the push may have been accepted all the same. */
export interface PushUnanswered extends Failed {
  /** `unsent`: certainly not accepted. `ambiguous`: sent, the answer is missing, so the device may get it. */
  readonly outcome: 'unsent' | 'ambiguous'
  readonly status: 0
  readonly reason: TransportReason
  readonly tokenIsDead: false
  /** The same as `outcome`, as a yes or no. Send it again with the same `apnsId`, so that the two are known as one. */
  readonly ambiguous: boolean
}

/** Outcomes without an answer of the service. */
export const transportReasons = {
  /** Sent, then the connection was lost before the answer. */
  ConnectionLost: 'ConnectionLost',
  /** Sent, then the service (or an intermediary) reset the stream. */
  StreamReset: 'StreamReset',
  /** No answer within `answerMsMax` (ambiguous), or no free stream within `queuedMsMax` (not sent). */
  DeadlineExceeded: 'DeadlineExceeded',
  /** No connection could be made. */
  ConnectFailed: 'ConnectFailed',
  /** The service refused it unprocessed `resendsMax` times. */
  Refused: 'Refused',
  /** More than `queuedMax` pushes are waiting. */
  QueueFull: 'QueueFull',
  /** The client was closed before the push was sent, or before its answer came (ambiguous). */
  ClientClosed: 'ClientClosed',
  /** The caller's signal took it back. */
  Aborted: 'Aborted',
} as const

/** A key of {@link transportReasons}. */
export type TransportReason = keyof typeof transportReasons

/** One result of `sendMany`. */
export interface SentPush<N extends Notification = Push> {
  /** Position in what was given to `sendMany`, from 0. */
  readonly index: number
  readonly deviceToken: string
  /** The push or notification that was sent to it. */
  readonly push: N
  readonly result: PushResult
}

import type { Priority, PushType, ReasonText } from '@carillon/wire'

/** One push notification for one device token. */
export interface Push {
  /** Hex of either case, as the app got it when it registered. */
  readonly deviceToken: string
  /**
   * Sent as it is: the bundle id, with the suffix of the push type where it has one (`topicFor` of
   * `@carillon/wire` makes it: `com.example.app.voip`). May be left out with a certificate for one topic.
   */
  readonly topic?: string | undefined
  /** Sent only if given. Apple requires it on watchOS 6 and recommends it everywhere. */
  readonly pushType?: PushType | undefined
  /** Sent only if given; without it the service takes 10. A `background` push takes 5 or 1. */
  readonly priority?: Priority | undefined
  /**
   * When the service stops trying: UNIX time in seconds, or a Date. 0: one attempt, nothing is stored. Left out:
   * the service stores the push for as long as it stores any (Apple: up to 30 days).
   */
  readonly expiration?: number | Date | undefined
  /** Replaces the shown notification with the same id. At most 64 bytes of UTF-8. */
  readonly collapseId?: string | undefined
  /** A UUID. The client makes one where it is left out, so that a push sent again is recognisable. */
  readonly apnsId?: string | undefined
  /**
   * An object is encoded as JSON for each `send`. A string (JSON) or bytes (JSON in UTF-8) are sent as they are; the
   * same string sent again and again is encoded once. Do not change bytes before the result is there.
   */
  readonly payload: object | string | Uint8Array
  /** Takes the push back: before it is sent for certain, afterwards with an unknown outcome. Ends as `Aborted`. */
  readonly signal?: AbortSignal | undefined
}

/** What became of a push. `switch` on `ok`, then on `status`: 0 means that no answer of the service is there. */
export type PushResult = PushAccepted | PushRejected | PushUnanswered

/** The service took the push over (200). Whether it reaches the device is for the service and the device. */
export interface PushAccepted {
  readonly ok: true
  /** The id under which the service knows the push. */
  readonly apnsId: string
  /** The key into the delivery log; the sandbox alone sends it. */
  readonly apnsUniqueId?: string
}

/** The service said no, or would have: values that it is known to refuse are not sent at all (`sent: false`). */
export interface PushRejected {
  readonly ok: false
  /** The HTTP status of the reason: 400 to 599. */
  readonly status: number
  /** A reason of Apple's table in the spelling of `@carillon/wire`, or what the service wrote. */
  readonly reason: ReasonText | (string & {})
  readonly apnsId: string
  /** With 410: since when the token is inactive, in milliseconds since 1970. */
  readonly timestamp?: number
  /** The same push may succeed later, unchanged. */
  readonly retryable: boolean
  /** The token will never work again: forget it, unless the app handed it over after `timestamp`. */
  readonly tokenIsDead: boolean
  /** False where the client refused it before sending. */
  readonly sent: boolean
  readonly ambiguous: false
  /** What to do about it, in a sentence. */
  readonly hint: string
}

/** No answer of the service: why, and whether the push may have been accepted all the same. */
export interface PushUnanswered {
  readonly ok: false
  readonly status: 0
  readonly reason: TransportReason
  readonly apnsId: string
  /** Sending it again makes sense; with the same `apnsId`, so that the two are recognisable as one. */
  readonly retryable: boolean
  readonly tokenIsDead: false
  /** Whether anything of it was handed to a connection. */
  readonly sent: boolean
  /** True: it was sent and the answer is missing, so the device may get it. False: it was certainly not accepted. */
  readonly ambiguous: boolean
  readonly hint: string
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
export interface SentPush<P extends Push = Push> {
  /** Position of the push in what was given to `sendMany`, from 0. */
  readonly index: number
  readonly push: P
  readonly result: PushResult
}

/** Counts since the client was made, and what is going on now. */
export interface PushClientStats {
  /** Requests handed to a connection, re-sends included. */
  readonly sent: number
  readonly accepted: number
  /** Pushes that ended with a reason of the service. */
  readonly rejected: number
  /** Pushes that ended without an answer. */
  readonly unanswered: number
  readonly resent: number
  readonly inFlight: number
  readonly queued: number
  /** Connections that take new requests. */
  readonly connections: number
  readonly connectionsOpened: number
  readonly connectsFailed: number
}

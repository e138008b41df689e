import type { Priority, PushType } from '@carillon/wire'
import type { AmbiguityPolicy } from './retry-options.ts'

/** What to tell a device, whichever it is. The builders (`alert`, `background`, …) make one. */
export interface Notification {
  /**
   * Sent as it is: the bundle id, with the suffix of the push type where it has one (`com.example.app.voip`). May be
   * left out with a certificate for one topic.
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
  /**
   * An object is encoded as JSON for each `send`. A string (JSON) or bytes (JSON in UTF-8) are sent as they are; the
   * same string sent again and again is encoded once. Do not change bytes before the result is there.
   */
  readonly payload: object | string | Uint8Array
  /** What to do where the answer was lost; by the push type where it is left out. See `ambiguityPolicies`. */
  readonly whenAmbiguous?: AmbiguityPolicy | undefined
}

/** A notification for one device token. */
export interface Push extends Notification {
  /** Hex of either case, as the app got it when it registered. */
  readonly deviceToken: string
  /** A UUID. The client makes one where it is left out, so that a push sent again is recognisable. */
  readonly apnsId?: string | undefined
  /**
   * When the app last handed this token over: milliseconds since 1970, or a Date. A 410 with an older timestamp
   * then does not count against the token.
   */
  readonly registeredAt?: number | Date | undefined
  /** Takes the push back: before it is sent for certain, afterwards with an unknown outcome. Ends as `Aborted`. */
  readonly signal?: AbortSignal | undefined
}

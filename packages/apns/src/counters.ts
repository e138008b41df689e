import { knownReasonOf } from '@carillon/wire'
import type { PushResult } from './result.ts'

/** Upper bounds of the histogram's buckets: powers of two from 1 ms; above the last there is one bucket more. */
const bucketsMax = 17

/** How long answers took. */
export interface RoundTrips {
  readonly count: number
  readonly sumMs: number
  /** How many took up to `leMs`, those of the buckets before included; the last is for all. */
  readonly buckets: readonly { readonly leMs: number; readonly count: number }[]
}

/** Counts since the client was made, and what is going on now. */
export interface PushClientStats {
  /** Requests handed to a connection, re-sends included. */
  readonly sent: number
  readonly accepted: number
  /** Pushes that ended with a reason of the service. */
  readonly rejected: number
  /** The same by reason; those that are not in Apple's table are counted as `other`. */
  readonly rejectedBy: Readonly<Record<string, number>>
  /** Pushes that ended without an answer. */
  readonly unanswered: number
  readonly unansweredBy: Readonly<Record<string, number>>
  /** Pushes that ended as ambiguous; they are part of the two above. */
  readonly ambiguous: number
  /** Requests that repeated one that the service certainly did not process. */
  readonly resent: number
  /** Attempts after a pause. */
  readonly retried: number
  readonly inFlight: number
  /** Pushes that wait for a stream. */
  readonly queued: number
  /** Pushes that pause before their next attempt. */
  readonly pausing: number
  /** Connections that take new requests. */
  readonly connections: number
  readonly connectionsOpened: number
  readonly connectionsClosed: number
  /** Connections that ended before the service was ready: refused, no route, certificates, proxy. */
  readonly connectsFailed: number
  /** From the opening of a stream to its answer. */
  readonly roundTrips: RoundTrips
}

/** What one client counts. */
export class Counters {
  sent = 0
  accepted = 0
  rejected = 0
  unanswered = 0
  ambiguous = 0
  resent = 0
  retried = 0
  readonly #rejectedBy: Record<string, number> = {}
  readonly #unansweredBy: Record<string, number> = {}
  readonly #roundTrips = new Float64Array(bucketsMax + 1)
  #roundTripMs = 0

  answeredIn(ms: number): void {
    const whole = Math.max(0, Math.ceil(ms))
    // 0 and 1 in the first, 2 in the second, 3 and 4 in the third, …
    const bucket = whole <= 1 ? 0 : 32 - Math.clz32(whole - 1)
    this.#roundTrips[Math.min(bucket, bucketsMax)]! += 1
    this.#roundTripMs += ms
  }

  settled(result: PushResult): void {
    if (result.ok) {
      this.accepted += 1
      return
    }
    if (result.ambiguous) this.ambiguous += 1
    if (result.status === 0) {
      this.unanswered += 1
      this.#unansweredBy[result.reason] = (this.#unansweredBy[result.reason] ?? 0) + 1
    } else {
      this.rejected += 1
      const name = knownReasonOf(result.reason) === undefined ? 'other' : result.reason
      this.#rejectedBy[name] = (this.#rejectedBy[name] ?? 0) + 1
    }
  }

  /** The part of the client's counts that is kept here. */
  stats() {
    const { sent, accepted, rejected, unanswered, ambiguous, resent, retried, roundTrips } = this
    const [rejectedBy, unansweredBy] = [{ ...this.#rejectedBy }, { ...this.#unansweredBy }]
    return {
      ...{ sent, accepted, rejected, rejectedBy, unanswered, unansweredBy },
      ...{ ambiguous, resent, retried, roundTrips },
    }
  }

  get roundTrips(): RoundTrips {
    let count = 0
    const buckets = Array.from(this.#roundTrips, (inBucket, index) => {
      count += inBucket
      return { leMs: index === bucketsMax ? Number.POSITIVE_INFINITY : 2 ** index, count }
    })
    return { count, sumMs: this.#roundTripMs, buckets }
  }
}

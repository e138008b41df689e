/** SETTINGS of ours, and what the peer has acknowledged of them (RFC 9113 §6.5.3). */
export class SentSettings {
  /** The first SETTINGS frame, which says all but the number of streams, is acknowledged. */
  acknowledged = false
  readonly #waiting: { readonly sentAt: number; readonly maxConcurrentStreams: number }[] = []
  #ackedStreams: number

  constructor(maxConcurrentStreams: number) {
    this.#ackedStreams = maxConcurrentStreams
  }

  sent(at: number, maxConcurrentStreams: number): void {
    this.#waiting.push({ sentAt: at, maxConcurrentStreams })
  }

  /** An acknowledgement came; true for the first. One of nothing is of no use and of no harm. */
  acknowledge(): boolean {
    const acknowledged = this.#waiting.shift()
    if (acknowledged === undefined) return false
    this.#ackedStreams = acknowledged.maxConcurrentStreams
    const first = !this.acknowledged
    this.acknowledged = true
    return first
  }

  /** Streams that the peer may have open: a lower limit counts from its acknowledgement on. */
  get streamsAllowed(): number {
    let most = this.#ackedStreams
    for (const waiting of this.#waiting) most = Math.max(most, waiting.maxConcurrentStreams)
    return most
  }

  /** When the oldest unacknowledged SETTINGS left, undefined where all are acknowledged. */
  get waitingSince(): number | undefined {
    return this.#waiting[0]?.sentAt
  }
}

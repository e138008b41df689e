import { ConnectionError, ErrorCode } from './errors.ts'
import type { Limits } from './limits.ts'

/**
 * Counts what a peer may send only so often. The windows are whole seconds of the given clock; one above its
 * limit ends the connection with ENHANCE_YOUR_CALM (RFC 9113 §10.5).
 */
export class Rates {
  readonly #limits: Limits
  #since = Number.NEGATIVE_INFINITY
  #settings = 0
  #pings = 0
  #resets = 0
  #refusals = 0
  #ignored = 0
  #emptyData = 0
  #windowUpdates = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Starts a new second where one has passed. A clock that goes backwards starts one too. */
  roll(now: number): void {
    const passed = now - this.#since
    if (passed < 1000 && passed >= 0) return
    this.#since = now
    this.#settings = 0
    this.#pings = 0
    this.#resets = 0
    this.#refusals = 0
    this.#ignored = 0
    this.#emptyData = 0
    // What was sent shortly before is answered after: a part of the credit that DATA gave is kept.
    const creditMax = this.#limits.windowUpdatesPerSecondMax
    this.#windowUpdates = Math.max(-creditMax, Math.min(0, this.#windowUpdates))
  }

  settings(): void {
    this.#check(++this.#settings, this.#limits.settingsPerSecondMax, 'SETTINGS frames')
  }

  ping(): void {
    this.#check(++this.#pings, this.#limits.pingsPerSecondMax, 'PING frames')
  }

  /** A stream that ended before its answer by the peer's doing: cancelled, or broken so that we reset it. */
  reset(): void {
    this.#check(++this.#resets, this.#limits.resetsPerSecondMax, 'streams reset')
  }

  refusal(): void {
    this.#check(++this.#refusals, this.#limits.refusalsPerSecondMax, 'streams above the limit')
  }

  ignored(): void {
    this.#check(++this.#ignored, this.#limits.ignoredFramesPerSecondMax, 'PRIORITY or unknown frames')
  }

  emptyData(): void {
    this.#check(++this.#emptyData, this.#limits.emptyDataPerSecondMax, 'empty DATA frames')
  }

  windowUpdate(): void {
    this.#check(++this.#windowUpdates, this.#limits.windowUpdatesPerSecondMax, 'WINDOW_UPDATE frames')
  }

  /** Each DATA frame of ours may be answered by two WINDOW_UPDATE frames, one of the stream, one of all. */
  dataSent(): void {
    this.#windowUpdates -= 2
  }

  #check(count: number, most: number, what: string): void {
    if (count > most) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, `more than ${most} ${what} in a second`, 'limit')
    }
  }
}

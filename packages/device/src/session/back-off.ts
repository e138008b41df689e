import { limits } from '../limits.ts'

/**
 * When to dial again. Full jitter: the wait is drawn between 0 and a bound that doubles with each failure, so
 * that devices cut off together do not come back together. A connection that was healthy resets the bound.
 */
export class BackOff {
  #failures = 0
  readonly #random: (bytes: number) => Uint8Array

  constructor(random: (bytes: number) => Uint8Array) {
    this.#random = random
  }

  /** @param livedMs how long the lost connection was up; 0 where it never was */
  nextWaitMs(livedMs: number): number {
    if (livedMs >= limits.healthyMsMin) this.#failures = 0
    const bound = Math.min(limits.reconnectMsMax, limits.reconnectMsMin * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 30)
    const [high = 0, low = 0] = this.#random(2)
    return Math.floor((bound * (high * 256 + low)) / 65_536)
  }

  /** The network changed, or the user asks: dial at once, and start small again. */
  reset(): void {
    this.#failures = 0
  }
}

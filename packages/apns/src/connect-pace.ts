import { type Limits, reconnectMsFirst } from './limits.ts'
import { randomFraction } from './random-fraction.ts'

const minuteMs = 60_000

/** The bounds that hold here. */
type PaceLimits = Pick<Limits, 'connectsPerMinuteMax' | 'reconnectMsMax'>

/**
 * When the next connection may be opened. Failures back off exponentially with full jitter, so that many clients
 * do not return in step; and connects are counted per minute, since Apple takes rapid reconnecting for an attack
 * (Apple: "Establishing a connection to APNs").
 */
export class ConnectPace {
  readonly #limits: PaceLimits
  readonly #random: (bytes: number) => Uint8Array
  #failures = 0
  #notBefore = 0
  #minuteStart = 0
  #inMinute = 0

  constructor(limits: PaceLimits, random: (bytes: number) => Uint8Array) {
    this.#limits = limits
    this.#random = random
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures
  }

  mayConnect(now: number): boolean {
    if (now < this.#notBefore) return false
    if (now - this.#minuteStart >= minuteMs || now < this.#minuteStart) {
      this.#minuteStart = now
      this.#inMinute = 0
    }
    return this.#inMinute < this.#limits.connectsPerMinuteMax
  }

  connecting(): void {
    this.#inMinute += 1
  }

  /** A connect failed, or a connection ended before it was of any use. */
  failed(now: number): void {
    this.#failures += 1
    const most = Math.min(this.#limits.reconnectMsMax, reconnectMsFirst * 2 ** Math.min(this.#failures, 30))
    this.#notBefore = now + Math.floor(randomFraction(this.#random) * most)
  }

  /** A connection answered. */
  succeeded(): void {
    this.#failures = 0
    this.#notBefore = 0
  }
}

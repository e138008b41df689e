import { type Limits, reconnectMsFirst } from './limits.ts'

const minuteMs = 60_000

/**
 * When the next connection may be opened. Failures back off exponentially with full jitter, so that many clients
 * do not return in step; and connects are counted per minute, since Apple takes rapid reconnecting for an attack
 * (Apple: "Establishing a connection to APNs").
 */
export class ConnectPace {
  readonly #limits: Limits
  readonly #random: (bytes: number) => Uint8Array
  #failures = 0
  #notBefore = 0
  #minuteStart = 0
  #inMinute = 0

  constructor(limits: Limits, random: (bytes: number) => Uint8Array) {
    this.#limits = limits
    this.#random = random
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
    this.#notBefore = now + Math.floor(fraction(this.#random(4)) * most)
  }

  /** A connection answered. */
  succeeded(): void {
    this.#failures = 0
    this.#notBefore = 0
  }
}

/** A number from 0 up to 1 from four random bytes. */
const fraction = (bytes: Uint8Array): number =>
  (((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0) / 2 ** 32

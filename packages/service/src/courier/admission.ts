import { limits } from '../limits.ts'

/** How fast devices are let in. Plain data, for the configuration. */
export interface AdmissionOptions {
  /** TLS handshakes begun in a second by this process. Each costs about 1.3 ms of its processor. */
  readonly handshakesPerSecond?: number
  /** How long a connection may wait for its handshake; where the line is longer, the newcomer is closed. */
  readonly handshakeWaitMsMax?: number
  /** Connections whose device has not proven who it is, over all couriers of the process; see `limits`. */
  readonly unprovenConnectionsMax?: number
}

/** A connection that waits for its handshake. */
export interface Newcomer {
  /** Its turn has come. @returns false where it has gone meanwhile, which leaves its turn to the next one */
  admit(): boolean
}

/** Counted since the start. */
export interface AdmissionCounters {
  admitted: number
  /** Of those, the ones that had to wait. */
  waited: number
  /** Closed before their handshake, because the line was too long. */
  refused: number
}

/** Runs something once after so many milliseconds. */
export type Later = (run: () => void, ms: number) => void

/**
 * Lets connections into their handshake at a bounded rate, in the order in which they came: a token bucket with a
 * bounded line before it. Handshakes cost a hundred times what a delivery costs, so devices that all come back
 * at once would otherwise leave nothing for providers and for the devices that are connected. One for all
 * couriers of a process.
 */
export class Admission {
  readonly counters: AdmissionCounters = { admitted: 0, waited: 0, refused: 0 }
  readonly unprovenConnectionsMax: number
  /** Connections between their acceptance and their proof. */
  unproven = 0
  readonly #perSecond: number
  readonly #lineMax: number
  readonly #burst: number
  readonly #now: () => number
  readonly #later: Later
  #tokens: number
  #filledMs: number
  #line: (Newcomer | undefined)[] = []
  #first = 0
  #isPumping = false

  constructor(options: AdmissionOptions, now: () => number, later: Later) {
    this.#perSecond = options.handshakesPerSecond ?? limits.handshakesPerSecondDefault
    const waitMs = options.handshakeWaitMsMax ?? limits.handshakeWaitMsMax
    this.#lineMax = Math.ceil((this.#perSecond * waitMs) / 1000)
    this.#burst = Math.max(1, Math.ceil(this.#perSecond / burstDivisor))
    this.unprovenConnectionsMax = options.unprovenConnectionsMax ?? limits.unprovenConnectionsMax
    this.#tokens = this.#burst
    this.#now = now
    this.#later = later
    this.#filledMs = now()
  }

  /** Those that wait now. */
  get waiting(): number {
    return this.#line.length - this.#first
  }

  get handshakesPerSecond(): number {
    return this.#perSecond
  }

  /** A connection has come. @returns false where it must be closed: it was not let in and does not wait */
  arrive(newcomer: Newcomer): boolean {
    this.#fill()
    if (this.waiting === 0 && this.#tokens >= 1) {
      this.#admit(newcomer)
      return true
    }
    if (this.waiting >= this.#lineMax) {
      this.counters.refused++
      return false
    }
    this.counters.waited++
    this.#line.push(newcomer)
    this.#pumpLater()
    return true
  }

  #admit(newcomer: Newcomer): void {
    if (!newcomer.admit()) return
    this.#tokens--
    this.counters.admitted++
  }

  #pumpLater(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    this.#later(this.#pump, pumpMs)
  }

  readonly #pump = (): void => {
    this.#isPumping = false
    this.#fill()
    while (this.#tokens >= 1 && this.waiting > 0) {
      const newcomer = this.#line[this.#first]!
      this.#line[this.#first++] = undefined
      this.#admit(newcomer)
    }
    if (this.#first === this.#line.length || this.#first > 1024) {
      this.#line = this.#line.slice(this.#first)
      this.#first = 0
    }
    if (this.waiting > 0) this.#pumpLater()
  }

  #fill(): void {
    const nowMs = this.#now()
    const elapsedMs = Math.max(0, nowMs - this.#filledMs)
    this.#filledMs = nowMs
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#perSecond) / 1000)
  }
}

/**
 * The handshakes of a fiftieth of a second may begin together, which holds the event loop up for ten milliseconds by
 * default. A loop that is busier than that lets fewer in than the rate: what is connected is served first.
 */
const burstDivisor = 50

const pumpMs = 10

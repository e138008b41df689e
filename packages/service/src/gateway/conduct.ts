import type { ServerConnection } from '@carillon/http2'
import { errorBody, type Reason, reasons } from '@carillon/wire'
import type { Fidelity } from '../fidelity.ts'

/**
 * How a connection is treated for the errors of its client. Apple: "Handling notification responses from APNs": 4xx
 * answers slow a connection down, too many end it, sooner for BadDeviceToken; 410 does not count.
 */
export class Conduct {
  readonly #http2: ServerConnection
  readonly #fidelity: Fidelity
  #streams: number
  #isSlowed = false
  #badTokens = 0

  /** @param streams at a time while nothing is held against the client */
  constructor(http2: ServerConnection, fidelity: Fidelity, streams: number) {
    this.#http2 = http2
    this.#fidelity = fidelity
    this.#streams = streams
  }

  /** Whether anything of this is switched on. */
  static isWatched(fidelity: Fidelity): boolean {
    return fidelity.oneStreamAfterRejection || fidelity.goawayAfterBadTokens > 0
  }

  allowStreams(count: number): void {
    this.#streams = count
    this.#announce()
  }

  onAccepted(): void {
    this.#isSlowed = false
    this.#announce()
  }

  onRejected(reason: Reason): void {
    if (reason.countsAsError && this.#fidelity.oneStreamAfterRejection) {
      this.#isSlowed = true
      this.#announce()
    }
    if (reason !== reasons.BadDeviceToken) return
    this.#badTokens += 1
    if (this.#badTokens === this.#fidelity.goawayAfterBadTokens) {
      this.#http2.drain(errorBody(reason, undefined, this.#fidelity.reasonSpellings))
    }
  }

  /** One change at a time: a client must not be flooded with SETTINGS when good and bad pushes take turns. */
  #announce(): void {
    if (!this.#http2.settingsPending) this.#http2.setMaxConcurrentStreams(this.#isSlowed ? 1 : this.#streams)
  }
}

import { apnsIdOf } from '@carillon/wire'

const idBytes = 16
const idsPerDraw = 256

/** Makes `apns-id` values, lower case. Randomness is drawn for many at once, because each draw has its price. */
export class ApnsIds {
  readonly #random: (bytes: number) => Uint8Array
  #pool: Uint8Array = new Uint8Array(0)
  #at = 0

  constructor(random: (bytes: number) => Uint8Array) {
    this.#random = random
  }

  next(): string {
    if (this.#at >= this.#pool.length) {
      this.#pool = this.#random(idBytes * idsPerDraw)
      this.#at = 0
    }
    const start = this.#at
    this.#at += idBytes
    return apnsIdOf(this.#pool.subarray(start, this.#at))
  }
}

import { apnsIdOf } from '@carillon/wire'

const idBytes = 16
const idsPerDraw = 256

/** Makes apns-ids; randomness is drawn for many at a time, since one draw costs more than one id. */
export class ApnsIdSource {
  readonly #random: (bytes: number) => Uint8Array
  #drawn: Uint8Array = new Uint8Array(0)
  #position = 0

  constructor(random: (bytes: number) => Uint8Array) {
    this.#random = random
  }

  next(): string {
    if (this.#position === this.#drawn.length) {
      this.#drawn = this.#random(idBytes * idsPerDraw)
      this.#position = 0
    }
    const start = this.#position
    this.#position = start + idBytes
    return apnsIdOf(this.#drawn.subarray(start, start + idBytes))
  }
}

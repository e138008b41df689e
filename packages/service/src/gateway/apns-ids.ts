const idBytes = 16
const idLength = 36
const idsPerDraw = 256

/**
 * Makes `apnsId` values: version 4 UUIDs (RFC 9562 §5.4) in lower case. Every answer of the sandbox needs one or
 * two, so they are drawn and written out many at once, and each is cut from one long text.
 */
export class ApnsIds {
  readonly #random: (bytes: number) => Uint8Array
  readonly #text = Buffer.alloc(idLength * idsPerDraw, '-')
  #ids = ''
  #at = 0

  constructor(random: (bytes: number) => Uint8Array) {
    this.#random = random
  }

  next(): string {
    if (this.#at === this.#ids.length) this.#draw()
    const start = this.#at
    this.#at += idLength
    return this.#ids.slice(start, this.#at)
  }

  #draw(): void {
    const bytes = this.#random(idBytes * idsPerDraw)
    const text = this.#text
    for (let id = 0; id < idsPerDraw; id++) {
      const from = id * idBytes
      const to = id * idLength
      for (let index = 0; index < idBytes; index++) {
        const byte = bytes[from + index]!
        const at = to + digitPlaces[index]!
        text[at] = highDigits[byte]!
        text[at + 1] = lowDigits[byte]!
      }
      text[to + versionPlace] = lowDigits[4]!
      text[to + variantPlace] = lowDigits[8 | ((bytes[from + 8]! >> 4) & 3)]!
    }
    this.#ids = text.toString('latin1')
    this.#at = 0
  }
}

/** Where the two digits of each byte stand; the dashes between the groups are there from the beginning. */
const digitPlaces = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34)
const versionPlace = 14
const variantPlace = 19

const digits = '0123456789abcdef'
const highDigits = Uint8Array.from({ length: 256 }, (_, byte) => digits.charCodeAt(byte >> 4))
const lowDigits = Uint8Array.from({ length: 256 }, (_, byte) => digits.charCodeAt(byte & 15))

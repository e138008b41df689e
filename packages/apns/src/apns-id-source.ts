const idBytes = 16
const idCharacters = 36
const idsPerDraw = 256

/** Two lower-case digits for each byte, the first one in the low half. */
const digitPairs = Uint16Array.from({ length: 256 }, (_, byte) => {
  const [high, low] = Buffer.from(byte.toString(16).padStart(2, '0'), 'latin1')
  return high! | (low! << 8)
})

/**
 * Makes apns-ids: version 4 UUIDs in lower case (RFC 9562 §5.4). They are drawn and written out many at a time, since
 * one draw costs more than one id, and so does putting a string together from parts.
 */
export class ApnsIdSource {
  readonly #random: (bytes: number) => Uint8Array
  readonly #texts = Buffer.alloc(idCharacters * idsPerDraw)
  #position = idCharacters * idsPerDraw

  constructor(random: (bytes: number) => Uint8Array) {
    this.#random = random
  }

  next(): string {
    if (this.#position === this.#texts.length) this.#draw()
    const start = this.#position
    this.#position = start + idCharacters
    // A copy: an id that somebody keeps must not keep all others of its draw.
    return this.#texts.toString('latin1', start, this.#position)
  }

  #draw(): void {
    const drawn = this.#random(idBytes * idsPerDraw)
    for (let id = 0; id < idsPerDraw; id++) this.#write(drawn, id * idBytes, id * idCharacters)
    this.#position = 0
  }

  #write(drawn: Uint8Array, from: number, to: number): void {
    const texts = this.#texts
    let at = to
    for (let index = 0; index < idBytes; index++) {
      let byte = drawn[from + index]!
      if (index === 4 || index === 6 || index === 8 || index === 10) texts[at++] = hyphen
      if (index === 6) byte = 0x40 | (byte & 0x0f)
      else if (index === 8) byte = 0x80 | (byte & 0x3f)
      const pair = digitPairs[byte]!
      texts[at++] = pair & 0xff
      texts[at++] = pair >> 8
    }
  }
}

const hyphen = 0x2d

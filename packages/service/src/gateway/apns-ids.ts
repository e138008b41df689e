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
    let at = 0
    for (let index = 0; index < bytes.length; index++) {
      const place = index % idBytes
      if (place === 4 || place === 6 || place === 8 || place === 10) at += 1 // the dash is there already
      let byte = bytes[index]!
      if (place === 6) byte = (byte & 0x0f) | 0x40
      else if (place === 8) byte = (byte & 0x3f) | 0x80
      text[at++] = digits[byte >> 4]!
      text[at++] = digits[byte & 15]!
    }
    this.#ids = text.toString('latin1')
    this.#at = 0
  }
}

const digits = Buffer.from('0123456789abcdef')

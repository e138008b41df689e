import { type NameKind, nameKind } from '../header-rules.ts'
import { STATIC_NAMES } from './static-table.ts'

/** Values above this size are not remembered; names neither above 64 bytes. */
const VALUE_BYTES_MAX = 1024
const NAME_BYTES_MAX = 64
/** Names known by their bytes: a table of this many places, a newer name takes the place of an older. */
const PLACES = 64
/** After so many different values in a row, only every 16th is kept: keeping costs a copy. */
const MISSES_MAX = 4

const equal = (bytes: Uint8Array, start: number, length: number, other: Uint8Array): boolean => {
  // From the end: values of one header differ late (ids, tokens with a common beginning) more than early.
  for (let at = length - 1; at >= 0; at -= 1) if (bytes[start + at] !== other[at]) return false
  return true
}

/** A header name as received, its kind, and the last literal value that came with it. */
export class NameRecord {
  readonly text: string
  readonly kind: NameKind
  lastValue = ''
  lastWrong = false
  #bytes: Buffer | undefined
  #length = -1
  #coded = false
  #misses = 0

  constructor(text: string) {
    this.text = text
    this.kind = nameKind(text)
  }

  /** Whether these bytes are the remembered ones: then `lastValue` is their text. */
  matches(bytes: Uint8Array, start: number, end: number, coded: boolean): boolean {
    if (end - start !== this.#length || coded !== this.#coded) return false
    if (!equal(bytes, start, this.#length, this.#bytes!)) return false
    this.#misses = 0
    return true
  }

  remember(bytes: Buffer, start: number, end: number, coded: boolean, value: string, wrong: boolean): void {
    this.#misses += 1
    const length = end - start
    if (length > VALUE_BYTES_MAX || (this.#misses > MISSES_MAX && this.#misses % 16 !== 0)) return
    if (this.#bytes === undefined || this.#bytes.length < length)
      this.#bytes = Buffer.allocUnsafeSlow(length + 16)
    bytes.copy(this.#bytes, 0, start, end)
    this.#length = length
    this.#coded = coded
    this.lastValue = value
    this.lastWrong = wrong
  }
}

interface Place {
  readonly bytes: Uint8Array
  readonly coded: boolean
  readonly record: NameRecord
}

const placeOf = (bytes: Uint8Array, start: number, end: number): number =>
  ((end - start) * 31 + bytes[start]! * 7 + bytes[end - 1]! * 3 + bytes[(start + end) >>> 1]!) % PLACES

/** The names that one connection has used. */
export class NameRecords {
  readonly #static: (NameRecord | undefined)[] = []
  readonly #places: (Place | undefined)[] = []

  /** The record of a name of the static table; names that stand there several times share one. */
  ofStatic(index: number): NameRecord {
    const known = this.#static[index]
    if (known !== undefined) return known
    const text = STATIC_NAMES[index]!
    const first = STATIC_NAMES.indexOf(text)
    const record = first < index ? this.ofStatic(first) : new NameRecord(text)
    this.#static[index] = record
    return record
  }

  /** The record of a name sent as text, by its bytes as they were sent. */
  ofBytes(bytes: Uint8Array, start: number, end: number, coded: boolean): NameRecord | undefined {
    if (end <= start) return undefined
    const place = this.#places[placeOf(bytes, start, end)]
    if (place === undefined || place.coded !== coded || place.bytes.length !== end - start) return undefined
    return equal(bytes, start, end - start, place.bytes) ? place.record : undefined
  }

  learn(bytes: Uint8Array, start: number, end: number, coded: boolean, text: string): NameRecord {
    const index = STATIC_NAMES.indexOf(text, 1)
    const record = index > 0 ? this.ofStatic(index) : new NameRecord(text)
    if (end > start && end - start <= NAME_BYTES_MAX) {
      this.#places[placeOf(bytes, start, end)] = {
        bytes: Buffer.from(bytes.subarray(start, end)),
        coded,
        record,
      }
    }
    return record
  }
}

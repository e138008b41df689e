/* The packed framing of the courier (apns-pack-v1), reading side. The layout is drawn in encoder.ts. */
import { utf8Text } from '../../bytes/text.ts'
import { courierFrameBytesMax, packedDepthMax, packedTableBytesDefault } from '../../limits.ts'
import { WireError } from '../../wire-error.ts'
import { KeyTable, ValueTable } from './tables.ts'
import {
  type PackedAttribute,
  type PackedDictionary,
  type PackedFrame,
  type PackedValue,
  packedNegative,
  packedTags,
  packedValueCached,
  packedValueKnown,
} from './value.ts'

/** Where a packed frame starts and ends: its attributes are at `body … next`. */
export interface PackedFrameBounds {
  body: number
  next: number
}

/**
 * @returns `undefined` while the header of the frame is incomplete
 * @throws WireError `frame-too-long`, `packed-invalid`
 */
export function packedFrameBounds(
  bytes: Uint8Array,
  offset: number,
  end: number,
  frameBytesMax: number = courierFrameBytesMax,
): PackedFrameBounds | undefined {
  if (end - offset < 2) return undefined
  let body = offset + 2
  let length = bytes[offset + 1]!
  if (length === 0xff) {
    let scale = 1
    for (let byte = 0x80; byte >= 0x80; scale *= 128) {
      if (body >= end) return undefined
      if (body - offset > varintBytesMax + 1) throw invalid('the length of a frame does not end')
      byte = bytes[body++]!
      length += (byte & 0x7f) * scale
    }
  }
  if (body - offset + length > frameBytesMax) {
    throw new WireError(
      'frame-too-long',
      `A packed frame announces ${length} bytes, the limit is ${frameBytesMax}`,
    )
  }
  return { body, next: body + length }
}

const noBytes = new Uint8Array(0)

/** Longest varint that any length or place within our limits needs. */
const varintBytesMax = 5

/** Reads packed frames; its tables follow every frame, so each frame must be decoded once and in order. */
export class PackedDecoder {
  readonly #keys = new KeyTable()
  readonly #values: ValueTable<PackedValue>
  #bytes: Uint8Array = noBytes
  #offset = 0
  #end = 0

  /** @param tableBytesMax size of the value table, as ALPN agreed; see `packedTableSizes` */
  constructor(tableBytesMax: number = packedTableBytesDefault) {
    this.#values = new ValueTable(tableBytesMax)
  }

  /**
   * The frame at `offset`. Data values may be views of `bytes`.
   *
   * @returns `undefined` while the frame is incomplete; the tables are then untouched
   * @throws WireError `frame-too-long`, `packed-invalid`: the tables no longer agree, drop the connection
   */
  decode(
    bytes: Uint8Array,
    offset = 0,
    end: number = bytes.length,
    frameBytesMax: number = courierFrameBytesMax,
  ): { value: PackedFrame; next: number } | undefined {
    const bounds = packedFrameBounds(bytes, offset, end, frameBytesMax)
    if (bounds === undefined || end < bounds.next) return undefined
    this.#keys.begin()
    this.#values.begin()
    this.#bytes = bytes
    this.#offset = bounds.body
    this.#end = bounds.next
    const attributes: PackedAttribute[] = []
    while (this.#offset < this.#end) {
      const { key, value, cached } = this.#readAttribute(0)
      // A key of several bytes names no field of any message: skipped, like every unknown field.
      if (typeof key === 'string' && key.length !== 1) continue
      const id = typeof key === 'number' ? key : key.charCodeAt(0)
      attributes.push(cached ? { id, value, cached } : { id, value })
    }
    this.#bytes = noBytes
    return { value: { command: bytes[offset]!, attributes }, next: bounds.next }
  }

  #readAttribute(depth: number): { key: number | string; value: PackedValue; cached: boolean } {
    const first = this.#byte()
    const flags = first & (packedValueCached | packedValueKnown)
    const key = this.#readKey(first & 0x3f)
    if (flags === 0) return { key, value: this.#readValue(depth), cached: false }
    if (flags === packedValueKnown) {
      const value = this.#values.at(this.#tagged(this.#byte(), packedTags.count.bits))
      if (value === undefined) throw invalid('a value is named that the table does not have')
      return { key, value, cached: true }
    }
    if (flags !== packedValueCached) throw invalid('a key has both value flags')
    const start = this.#offset
    const read = this.#readValue(depth)
    // What stays in the table is copied, so that it does not hold the whole chunk in memory.
    const value = read instanceof Uint8Array ? new Uint8Array(read) : read
    this.#values.add(value, this.#offset - start)
    return { key, value, cached: true }
  }

  #readKey(code: number): number | string {
    if (code < packedTags.newKey.tag) return code
    if (code >= packedTags.knownKey.tag) {
      const known = this.#keys.at(code - packedTags.knownKey.tag)
      if (known === undefined) throw invalid('a key is named that the table does not have')
      return known
    }
    const bytes = this.#take(this.#tagged(code, packedTags.newKey.bits) + 1)
    let key = ''
    for (const byte of bytes) key += String.fromCharCode(byte)
    this.#keys.add(key)
    return key
  }

  #readValue(depth: number): PackedValue {
    if (depth > packedDepthMax) throw invalid(`a value is nested deeper than ${packedDepthMax}`)
    const first = this.#byte()
    if (first < packedTags.string.tag) return this.#take(this.#tagged(first, packedTags.data.bits))
    const tag = first & 0xe0
    if (tag === packedTags.string.tag) {
      return utf8Text(this.#take(this.#tagged(first, packedTags.string.bits)))
    }
    if (tag === packedTags.smallInteger.tag) return first & 0x1f
    if ((first & 0xf0) === packedTags.integer.tag) return this.#readInteger(first)
    if ((first & 0xf0) === packedTags.dictionary.tag) return this.#readDictionary(first, depth)
    if ((first & 0xf0) === packedTags.array.tag) {
      const items: PackedValue[] = []
      for (let left = this.#tagged(first, packedTags.array.bits); left > 0; left--) {
        items.push(this.#readValue(depth + 1))
      }
      return items
    }
    if ((first & 0xfe) === packedTags.boolean.tag) return first !== packedTags.boolean.tag
    throw invalid(`no value starts with 0x${first.toString(16)}`)
  }

  #readInteger(first: number): number | bigint {
    const bytes = this.#take((first & 0x07) + 1)
    let magnitude = 0n
    for (const byte of bytes) magnitude = (magnitude << 8n) | BigInt(byte)
    const value = first & packedNegative ? -magnitude : magnitude
    const small = Number(value)
    return Number.isSafeInteger(small) ? small : value
  }

  #readDictionary(first: number, depth: number): PackedDictionary {
    const dictionary: PackedDictionary = new Map()
    for (let left = this.#tagged(first, packedTags.dictionary.bits); left > 0; left--) {
      const { key, value } = this.#readAttribute(depth + 1)
      if (typeof key === 'number') throw invalid('a dictionary has a key that is no text')
      dictionary.set(utf8Text(Uint8Array.from(key, (character) => character.charCodeAt(0))), value)
    }
    return dictionary
  }

  #tagged(first: number, bits: number): number {
    const full = 2 ** bits - 1
    let value = first & full
    if (value < full) return value
    let scale = 1
    for (let left = varintBytesMax; left > 0; left--, scale *= 128) {
      const byte = this.#byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw invalid('a number does not end')
  }

  #byte(): number {
    if (this.#offset >= this.#end) throw invalid('a value reaches beyond its frame')
    return this.#bytes[this.#offset++]!
  }

  #take(length: number): Uint8Array {
    if (length > this.#end - this.#offset) throw invalid('a value reaches beyond its frame')
    const start = this.#offset
    this.#offset += length
    return this.#bytes.subarray(start, this.#offset)
  }
}

function invalid(what: string): WireError {
  return new WireError('packed-invalid', `A packed frame is corrupt: ${what}`)
}

/*
 * The packed framing of the courier (apns-pack-v1), writing side. One encoder lives as long as its connection.
 *
 *   frame:      command u8 | count of bytes | attributes
 *   attribute:  key | value, or the place of the value in the table
 *   tagged(w):  v < 2^w−1: tag|v        else: tag|(2^w−1), v−(2^w−1) as varint, low 7 bits first
 *   key:        id|flags (id < 16) · 10|flags|length−1, bytes (new) · 20|flags|place (known)
 *   flags:      40 value joins the table · 80 place in the table follows
 *   value:      00 data · 40 string · 80 integer 0…31 · a0 integer (08 negative) · c0 dictionary · d0 array
 *               · e0 boolean
 */
import { ByteWriter } from '../../bytes/byte-writer.ts'
import { utf8Bytes } from '../../bytes/text.ts'
import { packedDepthMax, packedTableBytesDefault } from '../../limits.ts'
import { WireError } from '../../wire-error.ts'
import type { CourierMessage } from '../messages.ts'
import { packedFrameOf } from './message-frame.ts'
import { indexOfEncoded, KeyTable, ValueTable } from './tables.ts'
import {
  type PackedDictionary,
  type PackedFrame,
  type PackedValue,
  packedCachedKeys,
  packedNegative,
  packedTags,
  packedValueCached,
  packedValueKnown,
} from './value.ts'

/** Writes packed frames; its tables follow every frame, so frames must be sent in the order of encoding. */
export class PackedEncoder {
  readonly #keys = new KeyTable()
  readonly #values: ValueTable<Uint8Array>

  /** @param tableBytesMax size of the value table, as ALPN agreed; see `packedTableSizes` */
  constructor(tableBytesMax: number = packedTableBytesDefault) {
    this.#values = new ValueTable(tableBytesMax)
  }

  /** One message of the courier's table. @throws WireError as `encode` */
  encodeMessage(message: CourierMessage): Uint8Array {
    return this.encode(packedFrameOf(message))
  }

  /**
   * One frame of any attributes.
   *
   * @throws WireError `value-out-of-range`, `packed-invalid`; the tables are then as before the call
   */
  encode(frame: PackedFrame): Uint8Array {
    const restoreKeys = this.#keys.snapshot()
    const restoreValues = this.#values.snapshot()
    try {
      const body = new ByteWriter()
      for (const { id, value, cached } of frame.attributes) {
        if (id < shortKeysEnd) this.#writeAttribute(body, id, value, cached ?? false)
        else this.#writeAttribute(body, String.fromCharCode(id), value, cached ?? false)
      }
      const attributes = body.finish()
      const out = new ByteWriter(attributes.length + 8).u8(frame.command)
      writeTagged(out, packedTags.count, attributes.length)
      return out.raw(attributes).finish()
    } catch (error) {
      restoreKeys()
      restoreValues()
      throw error
    }
  }

  #writeAttribute(
    out: ByteWriter,
    key: number | string,
    value: PackedValue,
    cached: boolean,
    depth = 0,
  ): void {
    // Only plain values are cached: a dictionary looked up in vain would already have moved the key table.
    if (!cached || Array.isArray(value) || value instanceof Map) {
      this.#writeKey(out, key, 0)
      this.#writeValue(out, value, depth)
      return
    }
    const plain = new ByteWriter(64)
    writePlain(plain, value)
    const encoded = plain.finish()
    const place = indexOfEncoded(this.#values, encoded)
    if (place >= 0) {
      this.#writeKey(out, key, packedValueKnown)
      writeTagged(out, packedTags.count, place)
    } else {
      const fits = this.#values.fits(encoded.length)
      this.#writeKey(out, key, fits ? packedValueCached : 0)
      out.raw(encoded)
      if (fits) this.#values.add(encoded, encoded.length)
    }
  }

  #writeKey(out: ByteWriter, key: number | string, flags: number): void {
    if (typeof key === 'number') {
      out.u8(key | flags)
      return
    }
    const place = this.#keys.indexOf(key)
    if (place >= 0) {
      out.u8(packedTags.knownKey.tag | flags | place)
      return
    }
    if (key.length === 0) throw new WireError('packed-invalid', 'The packed framing has no empty keys')
    writeTagged(out, packedTags.newKey, key.length - 1, flags)
    for (let index = 0; index < key.length; index++) out.u8(key.charCodeAt(index))
    this.#keys.add(key)
  }

  #writeValue(out: ByteWriter, value: PackedValue, depth = 0): void {
    if (depth > packedDepthMax) {
      throw new WireError('packed-invalid', `A packed value is nested deeper than ${packedDepthMax}`)
    }
    if (Array.isArray(value)) {
      writeTagged(out, packedTags.array, value.length)
      for (const item of value) this.#writeValue(out, item, depth + 1)
    } else if (value instanceof Map) this.#writeDictionary(out, value, depth)
    else writePlain(out, value)
  }

  #writeDictionary(out: ByteWriter, dictionary: PackedDictionary, depth: number): void {
    writeTagged(out, packedTags.dictionary, dictionary.size)
    for (const [name, value] of dictionary) {
      const key = byteText(utf8Bytes(name))
      if (packedCachedKeys.has(name)) this.#writeAttribute(out, key, value, true, depth + 1)
      else {
        this.#writeKey(out, key, 0)
        this.#writeValue(out, value, depth + 1)
      }
    }
  }
}

/** Field ids below this are written into the key byte itself. */
const shortKeysEnd = 16

/** Bytes as text of one character each, the form of keys in the key table. */
export function byteText(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

function writePlain(out: ByteWriter, value: Uint8Array | string | number | bigint | boolean): void {
  if (typeof value === 'boolean') out.u8(packedTags.boolean.tag | (value ? 1 : 0))
  else if (typeof value === 'number' || typeof value === 'bigint') writeInteger(out, value)
  else if (typeof value === 'string') {
    const bytes = utf8Bytes(value)
    writeTagged(out, packedTags.string, bytes.length)
    out.raw(bytes)
  } else {
    writeTagged(out, packedTags.data, value.length)
    out.raw(value)
  }
}

function writeInteger(out: ByteWriter, value: number | bigint): void {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new WireError('value-out-of-range', `${value} is not an integer that a number holds exactly`)
  }
  if (value >= 0 && value < 32) {
    out.u8(packedTags.smallInteger.tag | Number(value))
    return
  }
  const magnitude = BigInt(value) < 0n ? -BigInt(value) : BigInt(value)
  const bytes = new ByteWriter(8).u64(magnitude).finish()
  const skipped = bytes.findIndex((byte) => byte !== 0)
  out
    .u8(packedTags.integer.tag | (value < 0 ? packedNegative : 0) | (7 - skipped))
    .raw(bytes.subarray(skipped))
}

function writeTagged(
  out: ByteWriter,
  { tag, bits }: { tag: number; bits: number },
  value: number,
  flags = 0,
): void {
  const full = 2 ** bits - 1
  if (value < full) {
    out.u8(tag | flags | value)
    return
  }
  out.u8(tag | flags | full)
  let rest = value - full
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.u8((rest & 0x7f) | 0x80)
  out.u8(rest)
}

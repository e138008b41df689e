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
import { allocateFrame } from '../../bytes/allocate.ts'
import { ByteWriter } from '../../bytes/byte-writer.ts'
import { utf8Bytes } from '../../bytes/text.ts'
import { packedDepthMax, packedTableBytesDefault } from '../../limits.ts'
import { WireError } from '../../wire-error.ts'
import { type CompiledField, compiledOf } from '../compiled.ts'
import type { CourierMessage } from '../messages.ts'
import { packedValueOf } from './message-frame.ts'
import { EncodedTable, KeyTable } from './tables.ts'
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

// Encoding is synchronous, so these serve all encoders; each frame is copied out at its exact size.
const scratch = new ByteWriter(8192)
const plainScratch = new ByteWriter(256)

/** Writes packed frames; its tables follow every frame, so frames must be sent in the order of encoding. */
export class PackedEncoder {
  readonly #keys = new KeyTable()
  readonly #values: EncodedTable

  /** @param tableBytesMax size of the value table, as ALPN agreed; see `packedTableSizes` */
  constructor(tableBytesMax: number = packedTableBytesDefault) {
    this.#values = new EncodedTable(tableBytesMax)
  }

  /** One message of the courier's table. @throws WireError as `encode` */
  encodeMessage(message: CourierMessage): Uint8Array {
    const row = compiledOf(message.type)
    const values = message as unknown as Readonly<Record<string, unknown>>
    this.#begin()
    try {
      for (const field of row.ascending) {
        const value = values[field.name]
        if (value === undefined) continue
        if (field.many) this.#writeMany(field, value as readonly unknown[])
        else this.#writeField(field.id, packedValueOf(field, value), field.cached === true)
      }
      return finishFrame(row.command)
    } catch (error) {
      throw this.#undone(error)
    }
  }

  /**
   * One frame of any attributes.
   *
   * @throws WireError `value-out-of-range`, `packed-invalid`; the tables are then as before the call
   */
  encode({ command, attributes }: PackedFrame): Uint8Array {
    this.#begin()
    try {
      for (const { id, value, cached } of attributes) this.#writeField(id, value, cached ?? false)
      return finishFrame(command)
    } catch (error) {
      throw this.#undone(error)
    }
  }

  /** A frame of `sharedPackedFrame`, as this connection has to send it. */
  share(shared: SharedPackedFrame): Uint8Array {
    this.#keys.begin()
    for (const key of shared.keys) this.#keys.add(key)
    return shared.frame
  }

  #begin(): void {
    this.#keys.begin()
    this.#values.begin()
    scratch.clear()
  }

  /** The tables are as before the frame that could not be written. */
  #undone(error: unknown): unknown {
    this.#keys.undo()
    this.#values.undo()
    return error
  }

  #writeMany(field: CompiledField, values: readonly unknown[]): void {
    for (const one of values) this.#writeField(field.id, packedValueOf(field, one), field.cached === true)
  }

  #writeField(id: number, value: PackedValue, cached: boolean): void {
    this.#writeAttribute(scratch, id < shortKeysEnd ? id : String.fromCharCode(id), value, cached)
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
    plainScratch.clear()
    writePlain(plainScratch, value)
    const encoded = plainScratch.view()
    const place = this.#values.placeOf(encoded)
    if (place >= 0) {
      this.#writeKey(out, key, packedValueKnown)
      writeTagged(out, packedTags.count, place)
    } else {
      const fits = this.#values.fits(encoded.length)
      this.#writeKey(out, key, fits ? packedValueCached : 0)
      out.raw(encoded)
      // A copy with memory of its own: a piece of a slab would keep the whole slab alive with the table.
      if (fits) this.#values.add(new Uint8Array(encoded), encoded.length)
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
    writeNewKey(out, key, flags)
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

/** A frame that fits every connection whatever its tables hold, for a message that goes to many devices. */
export interface SharedPackedFrame {
  readonly frame: Uint8Array
  /** The keys that it adds to the key table of each connection. */
  readonly keys: readonly string[]
}

/** Encodes once for all: every key and value is written out, none is looked up. @throws WireError */
export function sharedPackedFrame(message: CourierMessage): SharedPackedFrame {
  const row = compiledOf(message.type)
  const values = message as unknown as Readonly<Record<string, unknown>>
  const keys: string[] = []
  scratch.clear()
  for (const field of row.ascending) {
    const value = values[field.name]
    if (value === undefined) continue
    for (const one of field.many ? (value as readonly unknown[]) : [value]) {
      if (field.id < shortKeysEnd) scratch.u8(field.id)
      else {
        const key = String.fromCharCode(field.id)
        writeNewKey(scratch, key, 0)
        keys.push(key)
      }
      writePlain(scratch, packedValueOf(field, one) as PlainValue)
    }
  }
  return { frame: finishFrame(row.command), keys }
}

/** What the scratch writer holds as the attributes of a frame. */
function finishFrame(command: number): Uint8Array {
  const attributes = scratch.view()
  plainScratch.clear()
  plainScratch.u8(command)
  writeTagged(plainScratch, packedTags.count, attributes.length)
  const header = plainScratch.view()
  const frame = allocateFrame(header.length + attributes.length)
  frame.set(header)
  frame.set(attributes, header.length)
  return frame
}

function writeNewKey(out: ByteWriter, key: string, flags: number): void {
  writeTagged(out, packedTags.newKey, key.length - 1, flags)
  for (let index = 0; index < key.length; index++) out.u8(key.charCodeAt(index))
}

type PlainValue = Uint8Array | string | number | bigint | boolean

/** Bytes as text of one character each, the form of keys in the key table. */
function byteText(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

function writePlain(out: ByteWriter, value: PlainValue): void {
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
  const isNegative = value < 0
  if (typeof value === 'number') {
    const magnitude = Math.abs(value)
    integerView.setUint32(0, Math.floor(magnitude / 0x1_0000_0000))
    integerView.setUint32(4, magnitude % 0x1_0000_0000)
  } else {
    const magnitude = isNegative ? -value : value
    if (magnitude > 0xffff_ffff_ffff_ffffn) {
      throw new WireError('value-out-of-range', `${value} does not fit 64 bits`)
    }
    integerView.setBigUint64(0, magnitude)
  }
  let skipped = 0
  while (integerBytes[skipped] === 0) skipped++
  out.u8(packedTags.integer.tag | (isNegative ? packedNegative : 0) | (7 - skipped))
  for (let index = skipped; index < 8; index++) out.u8(integerBytes[index]!)
}

const integerBytes = new Uint8Array(8)
const integerView = new DataView(integerBytes.buffer)

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

import { WireError } from '../wire-error.ts'
import { allocateFrame } from './allocate.ts'
import { utf8Bytes } from './text.ts'

/**
 * A growing big-endian writer. Lengths are written after their content: `begin16()` leaves room and
 * `end16(mark)` goes back and fills it in, so no length is ever computed twice.
 */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  /** @param capacity bytes allocated at first; the writer doubles as needed */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** Makes sure that `count` more bytes fit without growing again. */
  reserve(count: number): void {
    const wanted = this.#length + count
    if (wanted <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(wanted, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }

  /** @throws WireError `value-out-of-range` unless `value` is an integer of 8 bits */
  u8(value: number): this {
    requireUnsigned(value, 0xff)
    this.reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  /** @throws WireError `value-out-of-range` unless `value` is an integer of 16 bits */
  u16(value: number): this {
    requireUnsigned(value, 0xffff)
    this.reserve(2)
    this.#view.setUint16(this.#length, value)
    this.#length += 2
    return this
  }

  /** @throws WireError `value-out-of-range` unless `value` is an integer of 32 bits */
  u32(value: number): this {
    requireUnsigned(value, 0xffff_ffff)
    this.reserve(4)
    this.#view.setUint32(this.#length, value)
    this.#length += 4
    return this
  }

  /** @throws WireError `value-out-of-range` unless `value` is an unsigned integer of 64 bits */
  u64(value: bigint): this {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
      throw new WireError('value-out-of-range', `${value} does not fit an unsigned field of 64 bits`)
    }
    this.reserve(8)
    this.#view.setBigUint64(this.#length, value)
    this.#length += 8
    return this
  }

  /** Eight bytes from a JavaScript number, for times in milliseconds. */
  u53(value: number): this {
    requireUnsigned(value, Number.MAX_SAFE_INTEGER)
    this.reserve(8)
    this.#view.setUint32(this.#length, Math.floor(value / 0x1_0000_0000))
    this.#view.setUint32(this.#length + 4, value % 0x1_0000_0000)
    this.#length += 8
    return this
  }

  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  utf8(text: string): this {
    return this.raw(utf8Bytes(text))
  }

  /** Leaves room for a 16-bit length; give the returned mark to `end16`. */
  begin16(): number {
    this.reserve(2)
    this.#length += 2
    return this.#length
  }

  /** @throws WireError `field-too-long` when more than 65,535 bytes were written since `begin16` */
  end16(mark: number): this {
    const length = this.#length - mark
    if (length > 0xffff) throw new WireError('field-too-long', `A field of ${length} bytes exceeds 65535`)
    this.#view.setUint16(mark - 2, length)
    return this
  }

  /** Leaves room for a 32-bit length; give the returned mark to `end32`. */
  begin32(): number {
    this.reserve(4)
    this.#length += 4
    return this.#length
  }

  end32(mark: number): this {
    this.#view.setUint32(mark - 4, this.#length - mark)
    return this
  }

  /** Everything written, as a copy of its own; the writer is empty afterwards and keeps its memory. */
  finish(): Uint8Array {
    const bytes = allocateFrame(this.#length)
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    return bytes
  }

  /** Everything written, as a view that the next write overwrites. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Forgets what was written. */
  clear(): void {
    this.#length = 0
  }
}

function requireUnsigned(value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return
  throw new WireError('value-out-of-range', `${value} is not an integer from 0 to ${max}`)
}

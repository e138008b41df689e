/**
 * Packed values: what crosses the border between the main thread and a database thread.
 *
 * One ArrayBuffer per turn is transferred instead of cloning every row, string and blob.
 *
 *   value    tag u8, then
 *              0 null
 *              1 number   f64 LE (an integer up to 2^53 keeps every digit)
 *              2 bigint   i64 LE
 *              3 text     u32 LE byte length, UTF-8
 *              4 blob     u32 LE byte length, bytes
 *   rows     u16 LE columns, each name as a text value; then u32 LE rows, each the values of its columns
 */
import { Buffer } from 'node:buffer'
import type { SqlValue } from './database.ts'
import { DatabaseError } from './database-error.ts'

const Tag = { null: 0, number: 1, bigint: 2, text: 3, blob: 4 } as const

const bytesOfNumber = 9
const bytesOfLengthPrefix = 5
/** Up to here a loop is quicker than a call into the runtime. */
const shortTextMax = 64

/** Appends packed values to a buffer that grows as needed. */
export class PackedWriter {
  buffer: Buffer<ArrayBuffer>
  offset = 0
  #view: DataView

  constructor(buffer: ArrayBuffer) {
    this.buffer = Buffer.from(buffer)
    this.#view = new DataView(buffer)
  }

  u8(value: number): void {
    this.need(1)
    this.buffer[this.offset++] = value
  }

  u16(value: number): void {
    this.need(2)
    this.#view.setUint16(this.offset, value, true)
    this.offset += 2
  }

  u32(value: number): void {
    this.need(4)
    this.#view.setUint32(this.offset, value, true)
    this.offset += 4
  }

  value(value: SqlValue): void {
    switch (typeof value) {
      case 'number':
        this.need(bytesOfNumber)
        this.buffer[this.offset] = Tag.number
        this.#view.setFloat64(this.offset + 1, value, true)
        this.offset += bytesOfNumber
        return
      case 'string':
        this.text(value)
        return
      case 'bigint':
        if (BigInt.asIntN(64, value) !== value) break
        this.need(bytesOfNumber)
        this.buffer[this.offset] = Tag.bigint
        this.#view.setBigInt64(this.offset + 1, value, true)
        this.offset += bytesOfNumber
        return
      case 'object':
        if (value === null) this.u8(Tag.null)
        else if (value instanceof Uint8Array) this.blob(value)
        else break
        return
    }
    throw new DatabaseError(
      'DATABASE_STATEMENT',
      typeof value === 'bigint'
        ? 'A parameter is a bigint of more than 64 bits; store it as a text.'
        : `A parameter is ${typeof value}; give null, a number, a bigint, a string or a Uint8Array.`,
    )
  }

  private text(value: string): void {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.need(bytesOfLengthPrefix + value.length * 3)
    const start = this.offset + bytesOfLengthPrefix
    const length = this.putAscii(value, start) ? value.length : this.buffer.write(value, start, 'utf8')
    this.prefix(Tag.text, length)
    this.offset = start + length
  }

  /** @returns false for what is long or not all ASCII */
  private putAscii(value: string, start: number): boolean {
    if (value.length > shortTextMax) return false
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index)
      if (unit > 0x7f) return false
      this.buffer[start + index] = unit
    }
    return true
  }

  private blob(value: Uint8Array): void {
    this.need(bytesOfLengthPrefix + value.length)
    this.prefix(Tag.blob, value.length)
    this.buffer.set(value, this.offset + bytesOfLengthPrefix)
    this.offset += bytesOfLengthPrefix + value.length
  }

  private prefix(tag: number, length: number): void {
    this.buffer[this.offset] = tag
    this.#view.setUint32(this.offset + 1, length, true)
  }

  private need(bytes: number): void {
    if (this.offset + bytes <= this.buffer.length) return
    const larger = Buffer.from(new ArrayBuffer(Math.max(this.buffer.length * 2, this.offset + bytes)))
    this.buffer.copy(larger, 0, 0, this.offset)
    this.buffer = larger
    this.#view = new DataView(larger.buffer)
  }
}

/** Reads what a PackedWriter wrote. Blobs are views of the buffer unless `copyBlobs`. */
export class PackedReader {
  readonly buffer: Buffer<ArrayBuffer>
  offset = 0
  readonly #view: DataView
  readonly #copyBlobs: boolean
  /** Many rows name the same thing. */
  #lastText = ''

  constructor(buffer: ArrayBuffer, options?: { copyBlobs: boolean }) {
    this.buffer = Buffer.from(buffer)
    this.#view = new DataView(buffer)
    this.#copyBlobs = options?.copyBlobs ?? false
  }

  u8(): number {
    return this.buffer[this.offset++]!
  }

  u16(): number {
    const value = this.#view.getUint16(this.offset, true)
    this.offset += 2
    return value
  }

  u32(): number {
    const value = this.#view.getUint32(this.offset, true)
    this.offset += 4
    return value
  }

  value(): SqlValue {
    const tag = this.buffer[this.offset++]
    switch (tag) {
      case Tag.null:
        return null
      case Tag.number: {
        const value = this.#view.getFloat64(this.offset, true)
        this.offset += 8
        return value
      }
      case Tag.bigint: {
        const value = this.#view.getBigInt64(this.offset, true)
        this.offset += 8
        return value
      }
      case Tag.text: {
        const length = this.u32()
        const start = this.offset
        this.offset += length
        return this.text(start, length)
      }
      case Tag.blob: {
        const length = this.u32()
        const start = this.offset
        this.offset += length
        const view = new Uint8Array(this.buffer.buffer, start, length)
        return this.#copyBlobs ? new Uint8Array(view) : view
      }
      default:
        throw new DatabaseError('DATABASE_FAILED', `A packed value has the unknown tag ${tag}.`)
    }
  }

  private text(start: number, length: number): string {
    if (length === 0) return ''
    if (!this.isLastText(start, length)) {
      this.#lastText = this.buffer.toString('utf8', start, start + length)
    }
    return this.#lastText
  }

  private isLastText(start: number, length: number): boolean {
    const last = this.#lastText
    if (length > shortTextMax || last.length !== length) return false
    for (let index = 0; index < length; index++) {
      const unit = last.charCodeAt(index)
      if (unit > 0x7f || unit !== this.buffer[start + index]) return false
    }
    return true
  }
}

/** Appends a result set. Every row holds the values of `columns` in that order. */
export function encodeRows(
  writer: PackedWriter,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
): void {
  writer.u16(columns.length)
  for (const column of columns) writer.value(column)
  writer.u32(rows.length)
  for (const row of rows) for (const value of row) writer.value(value)
}

/** Reads a result set as objects keyed by column name. */
export function decodeRows(reader: PackedReader): Record<string, SqlValue>[] {
  const columns = Array.from({ length: reader.u16() }, () => reader.value() as string)
  const rows = new Array<Record<string, SqlValue>>(reader.u32())
  for (let index = 0; index < rows.length; index++) {
    const row: Record<string, SqlValue> = {}
    for (const column of columns) row[column] = reader.value()
    rows[index] = row
  }
  return rows
}

/**
 * The rows that the units of one commit returned, in one buffer, in the order of the units. Most commits return
 * nothing, or rows of one statement many times: so its columns are named once.
 *
 *   set*     u32 LE unit | u8 1 and the columns (u16 LE count, each a text value), or u8 0 for those of the set before
 *            | u32 LE rows | the values of each
 */
import type { Row, SqlValue } from './database.ts'
import { PackedReader, PackedWriter } from './packing.ts'

const firstBytes = 4096

export class RowSetWriter {
  readonly #writer = new PackedWriter(new ArrayBuffer(firstBytes))
  #columns: readonly string[] | undefined

  /** What was added, to be handed on; undefined for nothing. */
  get packed(): ArrayBuffer | undefined {
    return this.#writer.offset === 0 ? undefined : this.#writer.buffer.buffer.slice(0, this.#writer.offset)
  }

  /** Where it stands, for `cut`. */
  get mark(): number {
    return this.#writer.offset
  }

  /** Takes back what was added since. */
  cut(mark: number): void {
    if (mark === this.#writer.offset) return
    this.#writer.offset = mark
    this.#columns = undefined
  }

  /** Every row holds the values of `columns` in that order. Units come in their order. */
  add(unit: number, columns: readonly string[], rows: readonly (readonly SqlValue[])[]): void {
    const writer = this.#writer
    writer.u32(unit)
    writer.u8(columns === this.#columns ? 0 : 1)
    if (columns !== this.#columns) {
      writer.u16(columns.length)
      for (const column of columns) writer.value(column)
      this.#columns = columns
    }
    writer.u32(rows.length)
    for (const row of rows) for (const value of row) writer.value(value)
  }
}

/** Gives the rows blobs of their own, for who keeps them. */
export function copyBlobs(rows: readonly Row[]): void {
  for (const row of rows) {
    for (const column in row) {
      const value = row[column]
      if (value instanceof Uint8Array) row[column] = new Uint8Array(value)
    }
  }
}

/** Reads what a RowSetWriter wrote. Blobs are views of its buffer. */
export class RowSetReader {
  readonly #reader: PackedReader
  readonly #bytes: number
  #columns: readonly string[] = []
  #unit: number | undefined

  constructor(packed: ArrayBuffer) {
    this.#reader = new PackedReader(packed)
    this.#bytes = packed.byteLength
    this.#next()
  }

  /** The rows of a unit, undefined where it has none. Units are asked for in their order. */
  rowsOf(unit: number): Row[] | undefined {
    if (this.#unit !== unit) return undefined
    const rows: Row[] = []
    while (this.#unit === unit) {
      this.#readSet(rows)
      this.#next()
    }
    return rows
  }

  #readSet(rows: Row[]): void {
    const reader = this.#reader
    if (reader.u8() === 1) {
      this.#columns = Array.from({ length: reader.u16() }, () => reader.value() as string)
    }
    for (let left = reader.u32(); left > 0; left--) {
      const row: Row = {}
      for (const column of this.#columns) row[column] = reader.value()
      rows.push(row)
    }
  }

  #next(): void {
    this.#unit = this.#reader.offset < this.#bytes ? this.#reader.u32() : undefined
  }
}

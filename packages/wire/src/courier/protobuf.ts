/*
 * As much of the protobuf wire format as two small records need.
 * https://protobuf.dev/programming-guides/encoding/
 *
 *   record:  tag varint (field << 3 | wire type), value …
 *   types:   0 varint · 1 eight bytes · 2 length varint, bytes · 5 four bytes
 */
import { ByteWriter } from '../bytes/byte-writer.ts'
import { WireError } from '../wire-error.ts'

/** Collects the fields of one record, in the order of the calls. */
export class ProtobufWriter {
  readonly #out = new ByteWriter(64)

  varint(field: number, value: bigint): this {
    this.#raw(BigInt(field << 3))
    this.#raw(value)
    return this
  }

  bytes(field: number, value: Uint8Array): this {
    this.#raw(BigInt((field << 3) | 2))
    this.#raw(BigInt(value.length))
    this.#out.raw(value)
    return this
  }

  finish(): Uint8Array {
    return this.#out.finish()
  }

  #raw(value: bigint): void {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
      throw new WireError('value-out-of-range', `${value} does not fit a varint of 64 bits`)
    }
    for (; value > 0x7fn; value >>= 7n) this.#out.u8(Number(value & 0x7fn) | 0x80)
    this.#out.u8(Number(value))
  }
}

/** A field as it is on the wire; groups and fixed-width fields are skipped by the reader. */
export type ProtobufField = { field: number; varint: bigint } | { field: number; bytes: Uint8Array }

/** @throws WireError `protobuf-invalid` for anything that does not parse to the last byte */
export function readProtobuf(record: Uint8Array): ProtobufField[] {
  const fields: ProtobufField[] = []
  let offset = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = record[offset++]
      if (byte === undefined) throw invalid('a number is cut off')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw invalid('a number has more than ten bytes')
  }
  const take = (length: bigint): Uint8Array => {
    if (length > BigInt(record.length - offset)) throw invalid('a value reaches beyond its record')
    const start = offset
    offset += Number(length)
    return record.subarray(start, offset)
  }
  while (offset < record.length) {
    const tag = varint()
    const field = Number(tag >> 3n)
    const wireType = Number(tag & 7n)
    if (wireType === 0) fields.push({ field, varint: varint() })
    else if (wireType === 2) fields.push({ field, bytes: take(varint()) })
    else if (wireType === 1) take(8n)
    else if (wireType === 5) take(4n)
    else throw invalid(`wire type ${wireType} is not used`)
  }
  return fields
}

function invalid(what: string): WireError {
  return new WireError('protobuf-invalid', `A channel record is corrupt: ${what}`)
}

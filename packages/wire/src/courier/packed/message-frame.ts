import { ByteWriter } from '../../bytes/byte-writer.ts'
import { readU16, readU32 } from '../../bytes/read.ts'
import { decimalText, decimalValue } from '../codec.ts'
import { type CompiledField, compiledFor, missingField } from '../compiled.ts'
import type { CourierSender, FieldValues } from '../message-row.ts'
import type { MessageFrom } from '../messages.ts'
import type { PackedFrame, PackedValue } from './value.ts'

/** The value of a message's field as packed frames carry it. */
export function packedValueOf(field: CompiledField, value: unknown): PackedValue {
  if (field.kind === 'decimal') return decimalText(value as number)
  if (field.kind !== 'failure') return value as PackedValue
  const { code, count } = value as FieldValues['failure']
  return new ByteWriter(6).u32(code).u16(count).finish()
}

/**
 * The message in a packed frame, by the same rules as in TLV: attributes that are unknown, of another type or
 * too large for their field are ignored. The body of an unknown message is empty.
 */
export function messageOfPackedFrame<S extends CourierSender>(from: S, frame: PackedFrame): MessageFrom<S> {
  const row = compiledFor(frame.command, from)
  if (row === undefined) {
    return { type: 'unknown', command: frame.command, body: new Uint8Array(0) } as MessageFrom<S>
  }
  const message: Record<string, unknown> = { type: row.type }
  for (const attribute of frame.attributes) {
    const field = row.byId[attribute.id]
    if (field === undefined) continue
    const value = fieldValueOf(field, attribute.value)
    if (value === undefined) continue
    if (!field.many) message[field.name] = value
    else if (message[field.name] === undefined) message[field.name] = [value]
    else (message[field.name] as unknown[]).push(value)
  }
  return (missingField(row, message) ?? message) as MessageFrom<S>
}

const unsignedMax = {
  u8: 0xff,
  u16: 0xffff,
  u32: 0xffff_ffff,
  milliseconds: Number.MAX_SAFE_INTEGER,
} as const

function fieldValueOf(field: CompiledField, value: PackedValue): unknown {
  switch (field.kind) {
    case 'bytes':
      return value instanceof Uint8Array ? value : undefined
    case 'text':
      return typeof value === 'string' ? value : undefined
    case 'decimal':
      return typeof value === 'string' ? decimalValue(value) : undefined
    case 'failure':
      if (!(value instanceof Uint8Array) || value.length !== 6) return undefined
      return { code: readU32(value, 0), count: readU16(value, 4) }
    case 'u64':
      if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
      return value >= 0 ? BigInt(value) : undefined
    default:
      return typeof value === 'number' && value >= 0 && value <= unsignedMax[field.kind] ? value : undefined
  }
}

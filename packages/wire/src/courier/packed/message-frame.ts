import { ByteWriter } from '../../bytes/byte-writer.ts'
import { readU16, readU32 } from '../../bytes/read.ts'
import { decimalText, decimalValue } from '../codec.ts'
import { type CompiledField, compiledFor, compiledOf, missingField } from '../compiled.ts'
import type { CourierSender, FieldValues } from '../message-row.ts'
import type { CourierMessage, MessageFrom } from '../messages.ts'
import type { PackedAttribute, PackedFrame, PackedValue } from './value.ts'

/** A message as attributes of a packed frame, by ascending field id as the known packed clients write them. */
export function packedFrameOf(message: CourierMessage): PackedFrame {
  const row = compiledOf(message.type)
  const values = message as unknown as Readonly<Record<string, unknown>>
  const attributes: PackedAttribute[] = []
  for (const field of row.byId) {
    const value = field && values[field.name]
    if (value === undefined) continue
    const list = field!.many ? (value as readonly unknown[]) : [value]
    for (const one of list) {
      const attribute = { id: field!.id, value: packedValueOf(field!, one) }
      attributes.push(field!.cached ? { ...attribute, cached: true } : attribute)
    }
  }
  return { command: row.command, attributes }
}

function packedValueOf(field: CompiledField, value: unknown): PackedValue {
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

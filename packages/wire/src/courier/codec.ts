/*
 * The TLV framing of the courier (apns-security-v3 and older).
 *
 *   frame:  command u8 | length u32 | fields          an empty frame has 5 bytes
 *   field:  id u8      | length u16 | value           ids may repeat, in any order
 *
 * All integers big-endian. The width of an integer is fixed per field: a field of another width is ignored,
 * as an unknown field is. A length that overruns is corrupt.
 */
import { ByteWriter } from '../bytes/byte-writer.ts'
import { readU16, readU32, readU53, readU64 } from '../bytes/read.ts'
import { utf8Text } from '../bytes/text.ts'
import { courierFrameBytesMax } from '../limits.ts'
import { WireError } from '../wire-error.ts'
import {
  type CompiledField,
  type CompiledMessage,
  compiledFor,
  compiledOf,
  missingField,
} from './compiled.ts'
import { encodeAck, encodeNotification } from './hot-frames.ts'
import type { CourierSender, FieldValues } from './message-row.ts'
import type { CourierMessage, MessageFrom } from './messages.ts'

/** Bytes before the fields of a frame: command u8, length u32. */
export const courierHeaderBytes = 5

// Encoding is synchronous, so one writer serves all; each frame is copied out at its exact size.
const scratch = new ByteWriter(4096)

/**
 * One frame.
 *
 * @throws WireError `value-out-of-range` for a number that does not fit its field, `field-too-long` for
 *   bytes over 65,535
 */
export function encodeCourierMessage(message: CourierMessage): Uint8Array {
  if (message.type === 'notification') return encodeNotification(message)
  if (message.type === 'ack') return encodeAck(message)
  return encodeByTable(message)
}

/** `encodeCourierMessage` without the short cuts for frequent messages. The short cuts are tested against it. */
export function encodeByTable(message: CourierMessage): Uint8Array {
  scratch.clear()
  appendCourierMessage(scratch, message)
  return scratch.finish()
}

/** Writes a frame behind what the writer holds, for several frames in one write. */
export function appendCourierMessage(writer: ByteWriter, message: CourierMessage): void {
  const row = compiledOf(message.type)
  const values = message as unknown as Readonly<Record<string, unknown>>
  const frame = writer.u8(row.command).begin32()
  for (const field of row.fields) {
    const value = values[field.name]
    if (value === undefined) continue
    if (field.many) for (const one of value as readonly unknown[]) writeField(writer, field, one)
    else writeField(writer, field, value)
  }
  writer.end32(frame)
}

function writeField(writer: ByteWriter, field: CompiledField, value: unknown): void {
  const mark = writer.u8(field.id).begin16()
  switch (field.kind) {
    case 'u8':
      writer.u8(value as number)
      break
    case 'u16':
      writer.u16(value as number)
      break
    case 'u32':
      writer.u32(value as number)
      break
    case 'u64':
      writer.u64(value as bigint)
      break
    case 'milliseconds':
      writer.u53(value as number)
      break
    case 'bytes':
      writer.raw(value as Uint8Array)
      break
    case 'text':
      writer.utf8(value as string)
      break
    case 'decimal':
      writer.utf8(decimalText(value as number))
      break
    case 'failure': {
      const failure = value as FieldValues['failure']
      writer.u32(failure.code).u16(failure.count)
      break
    }
  }
  writer.end16(mark)
}

/** The text of a `decimal` field. */
export function decimalText(value: number): string {
  if (Number.isSafeInteger(value) && value >= 0) return String(value)
  throw new WireError('value-out-of-range', `${value} is not a whole number that a decimal field can hold`)
}

/** The number of a `decimal` field, `undefined` where the text is none. */
export function decimalValue(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}

/**
 * How long the frame at `offset` is, header included; `undefined` while its header is incomplete.
 *
 * @throws WireError `frame-length-invalid`, `frame-too-long`
 */
export function courierFrameLength(
  bytes: Uint8Array,
  offset: number,
  end: number,
  frameBytesMax: number = courierFrameBytesMax,
): number | undefined {
  if (end - offset < courierHeaderBytes) return undefined
  const length = readU32(bytes, offset + 1)
  if (length >= 0x8000_0000) {
    throw new WireError(
      'frame-length-invalid',
      `A courier frame announces ${length} bytes, a negative length`,
    )
  }
  if (length > frameBytesMax - courierHeaderBytes) {
    throw new WireError(
      'frame-too-long',
      `A courier frame announces ${length} bytes, the limit is ${frameBytesMax - courierHeaderBytes}`,
    )
  }
  return courierHeaderBytes + length
}

/**
 * The frame at `offset`, as the side that listens to `from` understands it. Byte fields of the result are
 * views of `bytes`; copy what must outlive them.
 *
 * @returns `undefined` while the frame is incomplete
 * @throws WireError `frame-length-invalid`, `frame-too-long`, `field-overrun`: drop the connection
 */
export function decodeCourierMessage<S extends CourierSender>(
  from: S,
  bytes: Uint8Array,
  offset = 0,
  end: number = bytes.length,
  frameBytesMax: number = courierFrameBytesMax,
): { value: MessageFrom<S>; next: number } | undefined {
  const length = courierFrameLength(bytes, offset, end, frameBytesMax)
  if (length === undefined || end - offset < length) return undefined
  return { value: decodeCourierFrame(from, bytes, offset, offset + length), next: offset + length }
}

/** `decodeCourierMessage` for a frame that is known to be whole: `bytes[start … end)`. */
export function decodeCourierFrame<S extends CourierSender>(
  from: S,
  bytes: Uint8Array,
  start: number,
  end: number,
): MessageFrom<S> {
  const command = bytes[start]!
  const row = compiledFor(command, from)
  const message = row
    ? decodeFields(row, bytes, start + courierHeaderBytes, end)
    : { type: 'unknown', command, body: checkedBody(command, bytes, start + courierHeaderBytes, end) }
  return message as MessageFrom<S>
}

function decodeFields(row: CompiledMessage, bytes: Uint8Array, start: number, end: number): object {
  const message: Record<string, unknown> = { type: row.type }
  for (let offset = start; offset < end; ) {
    const valueStart = offset + 3
    const valueEnd = fieldEnd(row.command, bytes, offset, end)
    const field = row.byId[bytes[offset]!]
    offset = valueEnd
    if (field === undefined) continue
    const value = readValue(field, bytes, valueStart, valueEnd)
    if (value === undefined) continue
    if (!field.many) message[field.name] = value
    else if (message[field.name] === undefined) message[field.name] = [value]
    else (message[field.name] as unknown[]).push(value)
  }
  return missingField(row, message) ?? message
}

/** The end of the field at `offset`, checked against the end of the frame. */
function fieldEnd(command: number, bytes: Uint8Array, offset: number, end: number): number {
  if (end - offset >= 3) {
    const valueEnd = offset + 3 + readU16(bytes, offset + 1)
    if (valueEnd <= end) return valueEnd
  }
  throw new WireError(
    'field-overrun',
    `Field 0x${bytes[offset]!.toString(16)} of courier command 0x${command.toString(16)} overruns its frame`,
  )
}

function readValue(field: CompiledField, bytes: Uint8Array, start: number, end: number): unknown {
  const length = end - start
  switch (field.kind) {
    case 'u8':
      return length === 1 ? bytes[start] : undefined
    case 'u16':
      return length === 2 ? readU16(bytes, start) : undefined
    case 'u32':
      return length === 4 ? readU32(bytes, start) : undefined
    case 'u64':
      return length === 8 ? readU64(bytes, start) : undefined
    case 'milliseconds':
      return length === 8 ? readU53(bytes, start) : undefined
    case 'bytes':
      return bytes.subarray(start, end)
    case 'text':
      return utf8Text(bytes.subarray(start, end))
    case 'decimal':
      return decimalValue(utf8Text(bytes.subarray(start, end)))
    case 'failure':
      return length === 6 ? { code: readU32(bytes, start), count: readU16(bytes, start + 4) } : undefined
  }
}

// A malformed field closes the connection in every frame, so that framing errors are not read as silence.
function checkedBody(command: number, bytes: Uint8Array, start: number, end: number): Uint8Array {
  for (let offset = start; offset < end; ) offset = fieldEnd(command, bytes, offset, end)
  return bytes.subarray(start, end)
}

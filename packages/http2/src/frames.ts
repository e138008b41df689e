/**
 * Frames (RFC 9113 §4.1):
 *
 *     | length:24 | type:8 | flags:8 | reserved:1 stream id:31 | payload: length octets |
 */
import type { ErrorCode } from './errors.ts'
import type { OutputBuffer } from './output-buffer.ts'

/** Frame types (RFC 9113 §6). */
export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const

export const Flag = {
  END_STREAM: 0x1,
  ACK: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const

export const FRAME_HEADER_BYTES = 9

/** What a client sends first (RFC 9113 §3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** Reads an unsigned 32-bit number. */
export const readUint32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0

const putUint32 = (bytes: Uint8Array, at: number, value: number): void => {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** Writes a frame header at `at`; the room must be there. */
export const putFrameHeader = (
  bytes: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): void => {
  bytes[at] = length >>> 16
  bytes[at + 1] = length >>> 8
  bytes[at + 2] = length
  bytes[at + 3] = type
  bytes[at + 4] = flags
  putUint32(bytes, at + 5, streamId)
}

/** Writes the header and gives the position of the payload. It may move the buffer: read `out.bytes` after it. */
const begin = (out: OutputBuffer, length: number, type: number, flags: number, streamId: number): number => {
  out.ensure(FRAME_HEADER_BYTES + length)
  putFrameHeader(out.bytes, out.length, length, type, flags, streamId)
  const at = out.length + FRAME_HEADER_BYTES
  out.length = at + length
  return at
}

/** One DATA frame with `body[start..end)`. */
export const writeData = (
  out: OutputBuffer,
  streamId: number,
  body: Uint8Array,
  start: number,
  end: number,
  endStream: boolean,
): void => {
  const at = begin(out, end - start, FrameType.DATA, endStream ? Flag.END_STREAM : 0, streamId)
  out.bytes.set(start === 0 && end === body.length ? body : body.subarray(start, end), at)
}

/** One DATA frame with a whole text in UTF-8, which ends the stream; gives the number of its bytes. */
export const writeTextData = (
  out: OutputBuffer,
  streamId: number,
  text: string,
  bytesMax: number,
): number => {
  out.ensure(FRAME_HEADER_BYTES + bytesMax)
  const start = out.length
  const length = out.bytes.write(text, start + FRAME_HEADER_BYTES)
  putFrameHeader(out.bytes, start, length, FrameType.DATA, Flag.END_STREAM, streamId)
  out.length = start + FRAME_HEADER_BYTES + length
  return length
}

export const writeResetStream = (out: OutputBuffer, streamId: number, code: ErrorCode): void => {
  const at = begin(out, 4, FrameType.RST_STREAM, 0, streamId)
  putUint32(out.bytes, at, code)
}

/** SETTINGS with the given identifiers and values. */
export const writeSettings = (out: OutputBuffer, entries: readonly (readonly [number, number])[]): void => {
  let at = begin(out, entries.length * 6, FrameType.SETTINGS, 0, 0)
  for (const [id, value] of entries) {
    out.bytes[at] = id >>> 8
    out.bytes[at + 1] = id
    putUint32(out.bytes, at + 2, value)
    at += 6
  }
}

export const writeSettingsAck = (out: OutputBuffer): void => {
  begin(out, 0, FrameType.SETTINGS, Flag.ACK, 0)
}

/** PING with 8 bytes of opaque data. */
export const writePing = (out: OutputBuffer, data: Uint8Array, ack: boolean): void => {
  const at = begin(out, 8, FrameType.PING, ack ? Flag.ACK : 0, 0)
  out.bytes.set(data, at)
}

export const writeGoaway = (
  out: OutputBuffer,
  lastStreamId: number,
  code: ErrorCode,
  debugData: Uint8Array,
): void => {
  const at = begin(out, 8 + debugData.length, FrameType.GOAWAY, 0, 0)
  putUint32(out.bytes, at, lastStreamId)
  putUint32(out.bytes, at + 4, code)
  out.bytes.set(debugData, at + 8)
}

export const writeWindowUpdate = (out: OutputBuffer, streamId: number, increment: number): void => {
  const at = begin(out, 4, FrameType.WINDOW_UPDATE, 0, streamId)
  putUint32(out.bytes, at, increment)
}

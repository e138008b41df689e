/*
 * The only thing that the binary interface ever answers, after which the service closes.
 * Apple, "Binary Provider API" (archived), figure of the error packet.
 *
 *   08 | u8 status | u32 identifier
 */

import { ByteWriter } from '../bytes/byte-writer.ts'
import { ChunkBuffer } from '../bytes/chunk-buffer.ts'
import { readU32 } from '../bytes/read.ts'
import { WireError } from '../wire-error.ts'

export const binaryErrorCommand = 8
export const binaryErrorBytes = 6

export interface BinaryErrorPacket {
  /** A code of `binaryStatuses`; see `binaryStatusName`. */
  status: number
  /** Of the notification that failed; for status 10 of the last one accepted; 0 where none is known. */
  identifier: number
}

/** @throws WireError `value-out-of-range` */
export function encodeBinaryError({ status, identifier }: BinaryErrorPacket): Uint8Array {
  return new ByteWriter(binaryErrorBytes).u8(binaryErrorCommand).u8(status).u32(identifier).finish()
}

/**
 * @returns `undefined` while the packet is incomplete
 * @throws WireError `frame-unexpected` where the packet is something else
 */
export function decodeBinaryError(
  bytes: Uint8Array,
  offset = 0,
  end: number = bytes.length,
): { value: BinaryErrorPacket; next: number } | undefined {
  if (end <= offset) return undefined
  if (bytes[offset] !== binaryErrorCommand) {
    throw new WireError('frame-unexpected', `The binary service answered command ${bytes[offset]}, not 8`)
  }
  if (end - offset < binaryErrorBytes) return undefined
  const value = { status: bytes[offset + 1]!, identifier: readU32(bytes, offset + 2) }
  return { value, next: offset + binaryErrorBytes }
}

/** Collects the error packet from what the service sends back. */
export class BinaryErrorReader {
  readonly #buffer = new ChunkBuffer()

  push(chunk: Uint8Array): void {
    this.#buffer.push(chunk)
  }

  /** @throws WireError as `decodeBinaryError` */
  next(): BinaryErrorPacket | undefined {
    const { bytes, start, end } = this.#buffer
    const decoded = decodeBinaryError(bytes, start, end)
    if (decoded) this.#buffer.consumeTo(decoded.next)
    return decoded?.value
  }
}

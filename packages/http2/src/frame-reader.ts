import { ConnectionError, ErrorCode } from './errors.ts'
import { FRAME_HEADER_BYTES, PREFACE } from './frames.ts'

/** Where frames go; `payload[start..end)` is valid during the call. */
export interface FrameSink {
  readonly ended: boolean
  onFrame(type: number, flags: number, streamId: number, payload: Buffer, start: number, end: number): void
}

/**
 * Cuts the byte stream into frames. Frames are parsed where they lie in the chunk; only one that is cut by
 * the end of a chunk is copied, so at most one frame is held.
 */
export class FrameReader {
  readonly #sink: FrameSink
  readonly #frameSizeMax: number
  /** Bytes of the client preface still to come; 0 on the client side and after it. */
  #prefaceLeft: number
  /** Frames given on so far. */
  frames = 0
  #carry: Buffer | undefined
  #carried = 0

  constructor(sink: FrameSink, frameSizeMax: number, expectsPreface: boolean) {
    this.#sink = sink
    this.#frameSizeMax = frameSizeMax
    this.#prefaceLeft = expectsPreface ? PREFACE.length : 0
  }

  /** Whether a frame has begun and is not whole yet. */
  get unfinished(): boolean {
    return this.#carried > 0
  }

  feed(chunk: Buffer): void {
    let at = this.#prefaceLeft > 0 ? this.#preface(chunk) : 0
    if (this.#carried > 0) at = this.#finishCarried(chunk, at)
    const total = chunk.length
    const sink = this.#sink
    while (total - at >= FRAME_HEADER_BYTES) {
      const length = this.#length(chunk, at)
      const end = at + FRAME_HEADER_BYTES + length
      if (end > total) break
      this.#frame(chunk, at, end)
      if (sink.ended) return
      at = end
    }
    if (at < total && !sink.ended) this.#keep(chunk, at)
  }

  #length(bytes: Buffer, at: number): number {
    const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
    // RFC 9113 §4.2: checked before anything is kept of it.
    if (length > this.#frameSizeMax) {
      throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `a frame of ${length} bytes is above our setting`)
    }
    return length
  }

  #frame(bytes: Buffer, at: number, end: number): void {
    this.frames += 1
    const streamId =
      ((bytes[at + 5]! & 0x7f) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!
    this.#sink.onFrame(bytes[at + 3]!, bytes[at + 4]!, streamId, bytes, at + FRAME_HEADER_BYTES, end)
  }

  #preface(chunk: Buffer): number {
    const done = PREFACE.length - this.#prefaceLeft
    const count = Math.min(chunk.length, this.#prefaceLeft)
    for (let at = 0; at < count; at += 1) {
      if (chunk[at] !== PREFACE[done + at]) {
        throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, 'the client preface of HTTP/2 is missing')
      }
    }
    this.#prefaceLeft -= count
    return count
  }

  /** Completes the frame that an earlier chunk began; gives the position after it. */
  #finishCarried(chunk: Buffer, at: number): number {
    at = this.#carryUpTo(FRAME_HEADER_BYTES, chunk, at)
    if (this.#carried < FRAME_HEADER_BYTES) return at
    const size = FRAME_HEADER_BYTES + this.#length(this.#carry!, 0)
    at = this.#carryUpTo(size, chunk, at)
    if (this.#carried < size) return at
    const carry = this.#carry!
    this.#carried = 0
    this.#frame(carry, 0, size)
    return this.#sink.ended ? chunk.length : at
  }

  #carryUpTo(size: number, chunk: Buffer, at: number): number {
    const count = Math.min(size - this.#carried, chunk.length - at)
    if (count <= 0) return at
    this.#reserve(size)
    chunk.copy(this.#carry!, this.#carried, at, at + count)
    this.#carried += count
    return at + count
  }

  #keep(chunk: Buffer, at: number): void {
    const count = chunk.length - at
    this.#reserve(count)
    chunk.copy(this.#carry!, 0, at)
    this.#carried = count
  }

  #reserve(size: number): void {
    if (this.#carry !== undefined && this.#carry.length >= size) return
    let room = 256
    while (room < size) room *= 2
    const larger = Buffer.allocUnsafeSlow(room)
    if (this.#carried > 0) this.#carry!.copy(larger, 0, 0, this.#carried)
    this.#carry = larger
  }

  /** Lets the copy's memory go where nothing is in it. */
  trim(): void {
    if (this.#carried === 0) this.#carry = undefined
  }
}

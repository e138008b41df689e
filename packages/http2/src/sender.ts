import { ConnectionError, ErrorCode } from './errors.ts'
import { Flag, FRAME_HEADER_BYTES, FrameType, putFrameHeader, writeData, writeTextData } from './frames.ts'
import type { HpackEncoder } from './hpack/encoder.ts'
import type { OutputBuffer } from './output-buffer.ts'
import type { Rates } from './rates.ts'
import { type Settings, WINDOW_SIZE_MAX } from './settings.ts'
import type { Stream } from './stream.ts'
import type { HeaderList } from './types.ts'

/** A body up to this size waits until it fits the windows whole; see `#sendable`. */
const WHOLE_BYTES_MAX = 16_384
/** One UTF-16 code unit is three bytes of UTF-8 at most; two that are a pair are four. */
const UTF8_BYTES_MAX = 3

/** Writes messages under the flow control of RFC 9113 §5.2; what the windows do not let pass is held. */
export class Sender<C> {
  /** Bytes that we may send on the connection. */
  window = 65_535
  /** Bytes of bodies that wait for windows. */
  heldBytes = 0
  /** Bytes of DATA ever sent: a tick sees by it whether there is progress. */
  dataBytes = 0

  readonly #out: OutputBuffer
  readonly #encoder: HpackEncoder
  readonly #peer: Settings
  readonly #rates: Rates
  readonly #onSent: (stream: Stream<C>) => void
  /** Streams with a held body, in the order of their beginning. */
  #blocked: Stream<C>[] = []

  /** `onSent` is called when a body that was held has left whole. */
  constructor(
    out: OutputBuffer,
    encoder: HpackEncoder,
    peer: Settings,
    rates: Rates,
    onSent: (stream: Stream<C>) => void,
  ) {
    this.#out = out
    this.#encoder = encoder
    this.#peer = peer
    this.#rates = rates
    this.#onSent = onSent
  }

  /** Whether a body waits for window. */
  get blocked(): boolean {
    return this.#blocked.length > 0
  }

  /** One header block as HEADERS, with CONTINUATION where it is above the peer's frame size. */
  headers(streamId: number, list: HeaderList, endStream: boolean): void {
    const out = this.#out
    const start = out.length
    out.ensure(FRAME_HEADER_BYTES)
    out.length = start + FRAME_HEADER_BYTES
    try {
      this.#encoder.encode(list, out)
    } catch (error) {
      out.length = start
      throw error
    }
    const length = out.length - start - FRAME_HEADER_BYTES
    const flags = endStream ? Flag.END_STREAM : 0
    if (length <= this.#peer.maxFrameSize) {
      putFrameHeader(out.bytes, start, length, FrameType.HEADERS, flags | Flag.END_HEADERS, streamId)
    } else {
      this.#split(streamId, start, flags)
    }
  }

  /** Sends a body that ends the stream; false where it had to be held (then a copy is kept). */
  body(stream: Stream<C>, body: Uint8Array): boolean {
    const length = body.length
    if (this.#fits(stream, length)) {
      writeData(this.#out, stream.id, body, 0, length, true)
      this.#count(stream, length)
      return true
    }
    stream.held = Buffer.from(body)
    stream.heldAt = 0
    this.heldBytes += length
    this.#blocked.push(stream)
    this.pump(false)
    return stream.held === undefined
  }

  /** `body` for text, in UTF-8: where it surely fits, it is written in its place and needs no bytes of its own. */
  text(stream: Stream<C>, text: string): boolean {
    const bytesMax = text.length * UTF8_BYTES_MAX
    if (!this.#fits(stream, bytesMax)) return this.body(stream, Buffer.from(text))
    this.#count(stream, writeTextData(this.#out, stream.id, text, bytesMax))
    return true
  }

  /** The peer opened the connection's window. */
  widen(increment: number): void {
    if (this.window + increment > WINDOW_SIZE_MAX) {
      throw new ConnectionError(
        ErrorCode.FLOW_CONTROL_ERROR,
        'the window of the connection went above 2^31-1',
      )
    }
    this.window += increment
    this.pump(false)
  }

  /**
   * Sends of the held bodies what the windows allow. `split` also sends a part of a small body: done when
   * nothing moved for a while, in case the peer opens its window only after using it up.
   */
  pump(split: boolean): void {
    if (this.#blocked.length === 0) return
    let finished = false
    for (const stream of this.#blocked) {
      if (this.window <= 0) break
      if (this.#advance(stream, split)) finished = true
    }
    if (finished) this.#blocked = this.#blocked.filter((stream) => stream.held !== undefined)
  }

  /** The stream is gone: its held body with it. */
  drop(stream: Stream<C>): void {
    if (stream.held === undefined) return
    this.#release(stream)
    this.#blocked = this.#blocked.filter((other) => other !== stream)
  }

  /** Whether so many bytes may leave at once, as one frame. */
  #fits(stream: Stream<C>, length: number): boolean {
    if (length > this.window || length > stream.sendWindow || length > this.#peer.maxFrameSize) return false
    return this.#blocked.length === 0 || this.window - length > WHOLE_BYTES_MAX
  }

  #advance(stream: Stream<C>, split: boolean): boolean {
    const held = stream.held
    if (held === undefined) return false
    for (;;) {
      const left = held.length - stream.heldAt
      const count = this.#sendable(stream, left, split)
      if (count <= 0) return false
      const end = stream.heldAt + count
      writeData(this.#out, stream.id, held, stream.heldAt, end, end === held.length)
      this.#count(stream, count)
      stream.heldAt = end
      if (end < held.length) continue
      this.#release(stream)
      this.#onSent(stream)
      return true
    }
  }

  /**
   * How much of the rest may go in the next frame. Clients in use read an answer only from one DATA frame
   * that ends the stream, so a small body is not cut just because a window is nearly used up.
   */
  #sendable(stream: Stream<C>, left: number, split: boolean): number {
    const room = Math.min(this.window, stream.sendWindow, this.#peer.maxFrameSize)
    if (room >= left) return left
    const couldFit = left <= Math.min(WHOLE_BYTES_MAX, this.#peer.maxFrameSize, this.#peer.initialWindowSize)
    return couldFit && !split && stream.heldAt === 0 ? 0 : room
  }

  #count(stream: Stream<C>, length: number): void {
    this.window -= length
    stream.sendWindow -= length
    this.dataBytes += length
    this.#rates.dataSent()
  }

  #release(stream: Stream<C>): void {
    this.heldBytes -= stream.held!.length
    stream.held = undefined
  }

  // The block lies after one frame header: move its parts apart, from the last, to make room for the others.
  #split(streamId: number, start: number, flags: number): void {
    const out = this.#out
    const size = this.#peer.maxFrameSize
    const length = out.length - start - FRAME_HEADER_BYTES
    const frames = Math.ceil(length / size)
    out.ensure((frames - 1) * FRAME_HEADER_BYTES)
    const block = start + FRAME_HEADER_BYTES
    for (let frame = frames - 1; frame >= 0; frame -= 1) {
      const from = block + frame * size
      const count = Math.min(size, length - frame * size)
      const at = start + frame * (size + FRAME_HEADER_BYTES)
      out.bytes.copyWithin(at + FRAME_HEADER_BYTES, from, from + count)
      const type = frame === 0 ? FrameType.HEADERS : FrameType.CONTINUATION
      const last = frame === frames - 1 ? Flag.END_HEADERS : 0
      putFrameHeader(out.bytes, at, count, type, (frame === 0 ? flags : 0) | last, streamId)
    }
    out.length += (frames - 1) * FRAME_HEADER_BYTES
  }
}

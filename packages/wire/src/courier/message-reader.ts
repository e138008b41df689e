import { ChunkBuffer } from '../bytes/chunk-buffer.ts'
import { courierFrameBytesMax } from '../limits.ts'
import { courierFrameLength, decodeCourierFrame } from './codec.ts'
import type { CourierSender } from './message-row.ts'
import type { MessageFrom } from './messages.ts'

/**
 * The courier messages in a byte stream, whatever its chunks:
 *
 *     reader.push(chunk)
 *     for (let message = reader.next(); message; message = reader.next()) handle(message)
 *
 * Byte fields of messages are views, of the chunk itself where the frame sits in one chunk. They stay valid,
 * but keep that chunk in memory: copy what is kept for long.
 */
export class CourierMessageReader<S extends CourierSender> {
  /** Longest frame accepted, header included; may be raised once the peer is authenticated. */
  frameBytesMax: number
  readonly #from: S
  readonly #buffer = new ChunkBuffer()

  /** @param options.from who writes the stream: a courier reads with `from: 'device'` */
  constructor(options: { from: S; frameBytesMax?: number }) {
    this.#from = options.from
    this.frameBytesMax = options.frameBytesMax ?? courierFrameBytesMax
  }

  /** Bytes received that are not yet a whole frame, or not yet asked for. */
  get pendingBytes(): number {
    return this.#buffer.pending
  }

  push(chunk: Uint8Array): void {
    this.#buffer.push(chunk)
  }

  /**
   * The next message, `undefined` until more bytes arrive.
   *
   * @throws WireError the stream is corrupt and stays so: close the connection
   */
  next(): MessageFrom<S> | undefined {
    const { bytes, start, end } = this.#buffer
    const length = courierFrameLength(bytes, start, end, this.frameBytesMax)
    if (length === undefined || end - start < length) return undefined
    const message = decodeCourierFrame(this.#from, bytes, start, start + length)
    this.#buffer.consumeTo(start + length)
    return message
  }
}

import { ChunkBuffer } from '../../bytes/chunk-buffer.ts'
import { courierFrameBytesMax, packedTableBytesDefault } from '../../limits.ts'
import type { CourierSender } from '../message-row.ts'
import type { MessageFrom } from '../messages.ts'
import { PackedDecoder } from './decoder.ts'
import { messageOfPackedFrame } from './message-frame.ts'

/** `CourierMessageReader` for a connection that agreed on the packed framing. */
export class PackedMessageReader<S extends CourierSender> {
  /** Longest frame accepted, header included; may be raised once the peer is authenticated. */
  frameBytesMax: number
  readonly #from: S
  readonly #buffer = new ChunkBuffer()
  readonly #decoder: PackedDecoder

  /** @param options.from who writes the stream: a courier reads with `from: 'device'` */
  constructor(options: { from: S; frameBytesMax?: number; tableBytesMax?: number }) {
    this.#from = options.from
    this.frameBytesMax = options.frameBytesMax ?? courierFrameBytesMax
    this.#decoder = new PackedDecoder(options.tableBytesMax ?? packedTableBytesDefault)
  }

  get pendingBytes(): number {
    return this.#buffer.pending
  }

  push(chunk: Uint8Array): void {
    this.#buffer.push(chunk)
  }

  /**
   * The next message, `undefined` until more bytes arrive.
   *
   * @throws WireError the stream is corrupt: close the connection, do not read on
   */
  next(): MessageFrom<S> | undefined {
    const { bytes, start, end } = this.#buffer
    const decoded = this.#decoder.decode(bytes, start, end, this.frameBytesMax)
    if (decoded === undefined) return undefined
    this.#buffer.consumeTo(decoded.next)
    return messageOfPackedFrame(this.#from, decoded.value)
  }
}

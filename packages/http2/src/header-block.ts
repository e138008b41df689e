import { ConnectionError, ErrorCode } from './errors.ts'
import type { Limits } from './limits.ts'

/** Gathers a header block that is spread over HEADERS and CONTINUATION frames (RFC 9113 §4.3). */
export class HeaderBlock {
  /** The stream of the block that is under way, 0 for none. */
  streamId = 0
  endStream = false
  /** Its HEADERS named its own stream as the one it depends on. */
  dependsOnItself = false
  bytes = Buffer.alloc(0)
  length = 0
  readonly #limits: Limits
  #frames = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  begin(streamId: number, endStream: boolean, payload: Buffer, start: number, end: number): void {
    this.streamId = streamId
    this.endStream = endStream
    this.length = 0
    this.#frames = 0
    this.#append(payload, start, end)
  }

  add(payload: Buffer, start: number, end: number): void {
    this.#frames += 1
    const { continuationFramesMax } = this.#limits
    if (this.#frames > continuationFramesMax) {
      throw calm(`a header block of more than ${continuationFramesMax} CONTINUATION frames`)
    }
    this.checkLength(this.length + end - start)
    this.#append(payload, start, end)
  }

  /** Refuses a block that is too long, in one frame or in several. */
  checkLength(bytes: number): void {
    const { headerBlockBytesMax } = this.#limits
    if (bytes > headerBlockBytesMax) throw calm(`a header block of more than ${headerBlockBytesMax} bytes`)
  }

  /** Lets the memory go where no block is under way. */
  trim(): void {
    if (this.streamId === 0) this.bytes = Buffer.alloc(0)
  }

  #append(payload: Buffer, start: number, end: number): void {
    const total = this.length + end - start
    if (total > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(total, this.bytes.length * 2))
      this.bytes.copy(larger, 0, 0, this.length)
      this.bytes = larger
    }
    payload.copy(this.bytes, this.length, start, end)
    this.length = total
  }
}

const calm = (message: string): ConnectionError =>
  new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, message, 'limit')

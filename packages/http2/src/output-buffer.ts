const FIRST_BYTES = 512
/** A larger buffer is not kept for the next turn. */
const KEPT_BYTES_MAX = 262_144

/**
 * Where the frames of one turn of the event loop gather. `take` hands the bytes to the driver, `recycle`
 * brings the memory back when they are written, `trim` lets it go when the connection is quiet.
 */
export class OutputBuffer {
  bytes: Buffer
  length = 0
  /** Bytes given to the driver since the beginning. */
  takenBytes = 0
  #spare: Buffer | undefined

  constructor() {
    this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  }

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    if (this.length + count > this.bytes.length) this.#grow(count)
  }

  take(): Buffer | undefined {
    if (this.length === 0) return undefined
    const chunk = this.bytes.subarray(0, this.length)
    this.takenBytes += this.length
    this.length = 0
    this.bytes = this.#spare ?? NOTHING
    this.#spare = undefined
    return chunk
  }

  /** `chunk` came from `take` and is not in use any more. */
  recycle(chunk: Buffer): void {
    const size = chunk.buffer.byteLength
    if (size > KEPT_BYTES_MAX || size <= (this.#spare?.length ?? 0)) return
    const whole = Buffer.from(chunk.buffer as ArrayBuffer)
    if (this.length === 0 && this.bytes.length < size) this.bytes = whole
    else this.#spare = whole
  }

  /** Drops what was not taken yet. */
  clear(): void {
    this.length = 0
  }

  /** Lets unused memory go. */
  trim(): void {
    this.#spare = undefined
    if (this.length === 0) this.bytes = NOTHING
  }

  #grow(count: number): void {
    let size = Math.max(this.bytes.length * 2, FIRST_BYTES)
    while (size < this.length + count) size *= 2
    const larger = Buffer.allocUnsafeSlow(size)
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }
}

const NOTHING = Buffer.alloc(0)

/**
 * Joins the chunks of a byte stream so that a decoder can look at what has arrived and not been consumed.
 *
 * A chunk that arrives while nothing is pending is used as it is, so frames that sit in one chunk are views
 * of it. Only a partial frame is copied; the copy doubles as it grows, so bytes that arrive one by one cost
 * linear time. Bytes once shown are never overwritten: views of consumed frames stay valid.
 */
export class ChunkBuffer {
  /** The pending bytes are `bytes[start … end)`. Read only. */
  bytes: Uint8Array = empty
  start = 0
  end = 0

  /** Bytes received and not consumed. */
  get pending(): number {
    return this.end - this.start
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    const pending = this.end - this.start
    if (pending === 0) {
      this.bytes = chunk
      this.start = 0
      this.end = chunk.length
      return
    }
    const needed = pending + chunk.length
    // A chunk in use as it is has no room behind it, so what is written into is always our own copy.
    if (this.end + chunk.length > this.bytes.length) {
      const joined = new Uint8Array(Math.max(needed, pending * 2))
      joined.set(this.bytes.subarray(this.start, this.end))
      this.bytes = joined
      this.start = 0
      this.end = pending
    }
    this.bytes.set(chunk, this.end)
    this.end += chunk.length
  }

  /** Gives up everything before `start`, and the memory when nothing is left. */
  consumeTo(start: number): void {
    this.start = start
    if (start === this.end) this.clear()
  }

  clear(): void {
    this.bytes = empty
    this.start = 0
    this.end = 0
  }
}

const empty = new Uint8Array(0)

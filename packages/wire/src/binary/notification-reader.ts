import { ChunkBuffer } from '../bytes/chunk-buffer.ts'
import {
  type BinaryNotification,
  type BinaryProblem,
  type BinaryRules,
  decodeBinaryNotification,
} from './notification.ts'

/**
 * The notifications in a byte stream, whatever its chunks. After the first problem nothing is read any more:
 * the protocol discards everything behind a bad notification.
 */
export class BinaryNotificationReader {
  readonly #rules: BinaryRules
  readonly #buffer = new ChunkBuffer()
  #failed = false

  constructor(rules: BinaryRules = {}) {
    this.#rules = rules
  }

  /** Whether a problem was met; bytes that are pushed from then on are dropped. */
  get failed(): boolean {
    return this.#failed
  }

  get pendingBytes(): number {
    return this.#buffer.pending
  }

  push(chunk: Uint8Array): void {
    if (!this.#failed) this.#buffer.push(chunk)
  }

  /** The next notification or the problem that ends the stream, `undefined` until more bytes arrive. */
  next(): BinaryNotification | BinaryProblem | undefined {
    const { bytes, start, end } = this.#buffer
    const decoded = decodeBinaryNotification(bytes, start, end, this.#rules)
    if (decoded === undefined) return undefined
    if (decoded.value.type === 'problem') {
      this.#failed = true
      this.#buffer.clear()
    } else this.#buffer.consumeTo(decoded.next)
    return decoded.value
  }
}

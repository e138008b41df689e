import { limits } from '../limits.ts'
import type { Outgoing } from './outgoing.ts'
import type { UnackedTotal } from './unacked-total.ts'

/** What was accepted while something stored is sent to the device: it goes when that is over, in order. */
export class BehindQueue {
  readonly #total: UnackedTotal
  #waiting: Outgoing[] = []

  constructor(total: UnackedTotal) {
    this.#total = total
  }

  /** A first one is always taken, so that memory that others use up holds nobody back for good. */
  get hasRoom(): boolean {
    if (this.#waiting.length === 0) return true
    return this.#waiting.length < limits.behindFlushMax && !this.#total.isFull
  }

  /** The place of the first one in the order of acceptance; undefined where none waits. */
  get firstSeq(): number | undefined {
    return this.#waiting[0]?.message.seq
  }

  push(outgoing: Outgoing): void {
    this.#waiting.push(outgoing)
    this.#total.bytes += outgoing.bytes
  }

  peek(): Outgoing | undefined {
    return this.#waiting[0]
  }

  /** Takes out the first `count`. */
  drop(count: number): void {
    for (const outgoing of this.#waiting.splice(0, count)) this.#total.bytes -= outgoing.bytes
  }

  get all(): readonly Outgoing[] {
    return this.#waiting
  }

  forget(seq: number): void {
    const at = this.#waiting.findIndex(({ message }) => message.seq === seq)
    if (at >= 0) for (const outgoing of this.#waiting.splice(at, 1)) this.#total.bytes -= outgoing.bytes
  }
}

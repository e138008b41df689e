import { limits } from '../limits.ts'
import type { Outgoing } from './outgoing.ts'
import type { UnackedTotal } from './unacked-total.ts'

/** What was sent to one device in one session and not acknowledged yet, bounded by count and bytes. */
export class FlowWindow {
  readonly #sent = new Map<number, Outgoing>()
  readonly #total: UnackedTotal
  #bytes = 0
  #hasEnded = false
  #lastId = 0
  /** By the steady clock: since when the device owes its next acknowledgement. */
  #owesSinceMs = 0
  /** Those of them that the inbox rule would still drop from the store. */
  #unprotected = 0

  constructor(total: UnackedTotal) {
    this.#total = total
  }

  get size(): number {
    return this.#sent.size
  }

  /**
   * Whether a message of so many bytes may be sent now. One may always go alone, however large, and whatever other
   * devices have not acknowledged: its acknowledgement makes room for the next.
   */
  hasRoomFor(bytes: number): boolean {
    if (this.#sent.size === 0) return true
    return (
      this.#sent.size < limits.unackedPerSessionMax &&
      this.#bytes + bytes <= limits.unackedBytesPerSessionMax &&
      !this.#total.isFull
    )
  }

  /** Whether enough is free to make reading from the store worth it. */
  get isHalfFree(): boolean {
    if (this.#sent.size === 0) return true
    return (
      this.#sent.size <= limits.unackedPerSessionMax / 2 &&
      this.#bytes <= limits.unackedBytesPerSessionMax / 2 &&
      !this.#total.isFull
    )
  }

  /** For how long the device has owed its next acknowledgement; 0 where it owes none. */
  owesForMs(steadyMs: number): number {
    return this.#sent.size === 0 ? 0 : steadyMs - this.#owesSinceMs
  }

  /** Notes a message as sent; gives the id that its acknowledgement will carry: 32 bits, never 0. */
  add(outgoing: Outgoing, steadyMs: number): number {
    if (this.#sent.size === 0) this.#owesSinceMs = steadyMs
    do {
      this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1
    } while (this.#sent.has(this.#lastId))
    this.#sent.set(this.#lastId, outgoing)
    this.#bytes += outgoing.bytes
    this.#total.bytes += outgoing.bytes
    if (outgoing.inboxMax > 0) this.#unprotected++
    return this.#lastId
  }

  /** Takes out what was acknowledged; undefined for an id that is not waited for. */
  take(id: number, steadyMs: number): Outgoing | undefined {
    const outgoing = this.#sent.get(id)
    if (outgoing === undefined) return undefined
    this.#owesSinceMs = steadyMs
    this.#sent.delete(id)
    this.#bytes -= outgoing.bytes
    if (!this.#hasEnded) this.#total.bytes -= outgoing.bytes
    if (outgoing.inboxMax > 0) this.#unprotected--
    return outgoing
  }

  /** The messages that were put on the wire but are stored under the inbox rule; each is given out once. */
  takeUnprotected(): Outgoing[] {
    if (this.#unprotected === 0) return []
    const found = [...this.#sent.values()].filter((outgoing) => outgoing.inboxMax > 0)
    for (const outgoing of found) outgoing.inboxMax = 0
    this.#unprotected = 0
    return found
  }

  /** The session is over: what it did not acknowledge takes no room of others any more. */
  end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#total.bytes -= this.#bytes
  }

  /** The one that has this place in the order of acceptance. */
  find(seq: number): Outgoing | undefined {
    for (const outgoing of this.#sent.values()) if (outgoing.message.seq === seq) return outgoing
    return undefined
  }

  /** Everything that waits for its acknowledgement, in the order in which it was sent. */
  waiting(): IterableIterator<Outgoing> {
    return this.#sent.values()
  }

  /** The places in the order of acceptance of all that waits for its acknowledgement. */
  seqs(): Set<number> {
    const seqs = new Set<number>()
    for (const outgoing of this.#sent.values()) seqs.add(outgoing.message.seq)
    return seqs
  }
}

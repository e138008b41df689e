import { limits } from '../limits.ts'
import type { Outgoing } from './outgoing.ts'

/** What was sent to one device in one session and not acknowledged yet, bounded by count and bytes. */
export class FlowWindow {
  readonly #sent = new Map<number, Outgoing>()
  #bytes = 0
  #lastId = 0
  /** Those of them that the inbox rule would still drop from the store. */
  #unprotected = 0

  get size(): number {
    return this.#sent.size
  }

  /** Whether a message of so many bytes may be sent now. A large one may always go alone. */
  hasRoomFor(bytes: number): boolean {
    if (this.#sent.size === 0) return true
    return (
      this.#sent.size < limits.unackedPerSessionMax && this.#bytes + bytes <= limits.unackedBytesPerSessionMax
    )
  }

  /** Whether enough is free to make reading from the store worth it. */
  get isHalfFree(): boolean {
    return (
      this.#sent.size <= limits.unackedPerSessionMax / 2 &&
      this.#bytes <= limits.unackedBytesPerSessionMax / 2
    )
  }

  /** Notes a message as sent; gives the id that its acknowledgement will carry: 32 bits, never 0. */
  add(outgoing: Outgoing): number {
    do {
      this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1
    } while (this.#sent.has(this.#lastId))
    this.#sent.set(this.#lastId, outgoing)
    this.#bytes += outgoing.bytes
    if (outgoing.inboxMax > 0) this.#unprotected++
    return this.#lastId
  }

  /** Takes out what was acknowledged; undefined for an id that is not waited for. */
  take(id: number): Outgoing | undefined {
    const outgoing = this.#sent.get(id)
    if (outgoing === undefined) return undefined
    this.#sent.delete(id)
    this.#bytes -= outgoing.bytes
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

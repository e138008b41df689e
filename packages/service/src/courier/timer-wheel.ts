/** One thing that has something to do at a later time; linked into the slot of its time, so that no timer is made. */
export abstract class WheelEntry {
  /** Neighbours in a slot; the wheel's own. */
  next: WheelEntry | undefined
  previous: WheelEntry | undefined
  /** The slot that it is in; −1 for none. The wheel's own. */
  slot = -1

  /** Its time has come, or an earlier one. @returns milliseconds until it wants to be called again */
  abstract due(nowMs: number): number
}

const slotMs = 1000
/** 68 minutes. A time beyond is looked at once on the way and put in again. */
const slots = 4096

/**
 * The dead-lines of all connections of a courier: a ring of seconds. An entry is called a second late at most, and
 * may be called early; dead-lines that move into the future are left where they are until then, so traffic costs
 * nothing here.
 */
export class TimerWheel {
  readonly #heads: (WheelEntry | undefined)[] = new Array(slots).fill(undefined)
  #at = 0
  /** The time of slot `#at`. */
  #atMs: number
  #size = 0

  constructor(nowMs: number) {
    this.#atMs = nowMs
  }

  get size(): number {
    return this.#size
  }

  /** Puts an entry in, or moves it. */
  put(entry: WheelEntry, delayMs: number): void {
    this.remove(entry)
    this.#link(entry, slotAfter(this.#at, delayMs))
  }

  remove(entry: WheelEntry): void {
    if (entry.slot < 0) return
    const { previous, next } = entry
    if (previous === undefined) this.#heads[entry.slot] = next
    else previous.next = next
    if (next !== undefined) next.previous = previous
    entry.next = undefined
    entry.previous = undefined
    entry.slot = -1
    this.#size--
  }

  /**
   * Calls what is due, at most `callsMax` entries.
   *
   * @returns whether more are due now: call again soon, after others had their turn
   */
  advance(nowMs: number, callsMax: number): boolean {
    // A clock that was set back stands still here; one that jumped ahead makes everything due, once round.
    if (nowMs < this.#atMs) this.#atMs = nowMs
    let calls = 0
    let turns = 0
    while (this.#atMs + slotMs <= nowMs) {
      const slot = (this.#at + 1) % slots
      for (let entry = this.#heads[slot]; entry !== undefined; entry = this.#heads[slot]) {
        if (calls++ >= callsMax) return true
        this.remove(entry)
        this.#link(entry, slotAfter(slot, entry.due(nowMs)))
      }
      this.#at = slot
      this.#atMs += slotMs
      if (++turns >= slots) this.#atMs = nowMs
    }
    return false
  }

  /** Every entry; what is removed or moved meanwhile may be missed or come twice. */
  *[Symbol.iterator](): Iterator<WheelEntry> {
    for (let slot = 0; slot < slots; slot++) {
      for (let entry = this.#heads[slot]; entry !== undefined; ) {
        const { next } = entry
        yield entry
        entry = next
      }
    }
  }

  #link(entry: WheelEntry, slot: number): void {
    const head = this.#heads[slot]
    entry.slot = slot
    entry.next = head
    if (head !== undefined) head.previous = entry
    this.#heads[slot] = entry
    this.#size++
  }
}

function slotAfter(slot: number, delayMs: number): number {
  return (slot + Math.min(slots - 1, Math.max(1, Math.ceil(delayMs / slotMs)))) % slots
}

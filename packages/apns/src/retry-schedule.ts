import { tickMs } from './limits.ts'
import { type PendingPush, PushList } from './pending-push.ts'

/** Pushes that pause before their next attempt, in one list for each tick, so that adding and taking out cost the same. */
export class RetrySchedule {
  readonly #slots = new Map<number, PushList>()

  add(push: PendingPush, dueAt: number): void {
    const slot = Math.ceil(dueAt / tickMs)
    let list = this.#slots.get(slot)
    if (list === undefined) {
      list = new PushList()
      this.#slots.set(slot, list)
    }
    list.append(push)
  }

  /** Lists of pushes whose pause is over at `now`, no longer part of the schedule. */
  takeDue(now: number): PushList[] {
    const due: PushList[] = []
    for (const [slot, list] of this.#slots) {
      if (slot * tickMs > now && list.size > 0) continue
      this.#slots.delete(slot)
      due.push(list)
    }
    return due
  }

  /** Every list, due or not. */
  all(): Iterable<PushList> {
    return this.#slots.values()
  }
}

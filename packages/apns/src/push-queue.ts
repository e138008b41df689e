import { type PendingPush, PushList } from './pending-push.ts'
import { RetrySchedule } from './retry-schedule.ts'

/**
 * Pushes that have no stream: those that go out `again`, before all others, those that wait for their first one, and
 * those that pause before a further attempt.
 */
export class PushQueue {
  readonly #again = new PushList()
  readonly #waiting = new PushList()
  readonly #schedule = new RetrySchedule()
  pausing = 0

  /** Those that would go out now. */
  get ready(): number {
    return this.#again.size + this.#waiting.size
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** The one whose turn it is. */
  get first(): PendingPush | undefined {
    return this.#again.first ?? this.#waiting.first
  }

  add(push: PendingPush): void {
    this.#waiting.append(push)
  }

  addAgain(push: PendingPush): void {
    this.#again.append(push)
  }

  pause(push: PendingPush, dueAt: number): void {
    push.isPausing = true
    this.pausing += 1
    this.#schedule.add(push, dueAt)
  }

  /** Takes a push off whichever list it is on, also one of the pool's. */
  remove(push: PendingPush): void {
    push.list?.remove(push)
    if (!push.isPausing) return
    push.isPausing = false
    this.pausing -= 1
  }

  /** Those whose pause is over go out again. */
  endPauses(now: number): void {
    if (this.pausing === 0) return
    for (const list of this.#schedule.takeDue(now)) {
      for (let push = list.first; push !== undefined; push = list.first) {
        this.remove(push)
        this.#again.append(push)
      }
    }
  }

  /** Calls for each that is ready and was queued at `oldest` or before; the call takes it off. */
  eachQueuedUntil(oldest: number, action: (push: PendingPush) => void): void {
    // `again` is not in the order of `queuedAt`, but it is never longer than what was in flight.
    for (let push = this.#again.first; push !== undefined; ) {
      const next: PendingPush | undefined = push.next
      if (push.queuedAt <= oldest) action(push)
      push = next
    }
    const { first } = this.#waiting
    for (let push = first; push !== undefined && push.queuedAt <= oldest; push = this.#waiting.first) {
      action(push)
    }
  }

  /** Calls for every one; the call takes it off. */
  each(action: (push: PendingPush) => void): void {
    for (const list of [this.#again, this.#waiting, ...this.#schedule.all()]) {
      for (let push = list.first; push !== undefined; push = list.first) action(push)
    }
  }
}

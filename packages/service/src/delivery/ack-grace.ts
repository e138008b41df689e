import { limits } from '../limits.ts'
import type { Outgoing } from './outgoing.ts'

/** Calls `run` once, a short while later (a few milliseconds). */
export type ShortTimer = (run: () => void) => void

/**
 * A short wait before a message that was sent is written to the disk. A device that is awake acknowledges within a
 * few milliseconds, and what is acknowledged needs no disk at all: that saves a third of a delivery's cost. A
 * message waits for one to two rounds of the timer, longer only while the store takes no more: it was sent already,
 * and a provider that is told to come again would have it shown twice.
 */
export class AckGrace {
  readonly #timer: ShortTimer
  #young: Outgoing[] = []
  #old: Outgoing[] = []
  #isRunning = false
  /** Rounds in a row in which the store had no room. */
  #refusedRounds = 0

  constructor(timer: ShortTimer) {
    this.#timer = timer
  }

  add(outgoing: Outgoing): void {
    this.#young.push(outgoing)
    if (this.#isRunning) return
    this.#isRunning = true
    this.#timer(this.#round)
  }

  readonly #round = (): void => {
    const due = this.#old
    this.#old = this.#young
    this.#young = []
    const refused = due.findIndex((outgoing) => !outgoing.writeNow())
    if (refused < 0) this.#refusedRounds = 0
    else if (++this.#refusedRounds > limits.refusedRoundsMax) {
      for (const outgoing of due.slice(refused)) outgoing.giveUp()
    } else this.#old = due.slice(refused).concat(this.#old)
    this.#isRunning = this.#old.length > 0
    if (this.#isRunning) this.#timer(this.#round)
  }
}

import { limits } from '../limits.ts'
import type { Outgoing } from './outgoing.ts'

/** Calls `run` once, a short while later (ten milliseconds). */
export type ShortTimer = (run: () => void) => void

/**
 * A short wait before a message that was sent is written to the disk. A device that is awake acknowledges within
 * milliseconds, and what is acknowledged needs no disk at all: that saves a third of a delivery's cost. A
 * message waits for one to two rounds of the timer; for more, up to a limit, while many acknowledgements come soon
 * after that, because devices, network or this process are busy. It waits longer only while the store takes no
 * more: it was sent already, and a provider that is told to come again would have it shown twice.
 */
export class AckGrace {
  readonly #timer: ShortTimer
  /** What waits, by the round in which it came; the oldest first. */
  #waiting: Outgoing[][] = [[]]
  #isRunning = false
  /** Rounds that a message waits in full. */
  #rounds = 1
  /** Since `#rounds` was last thought over: writes, and those of them that a longer wait would have spared. */
  #written = 0
  #inVain = 0
  /** Rounds in a row in which the store had no room. */
  #refusedRounds = 0

  constructor(timer: ShortTimer) {
    this.#timer = timer
  }

  add(outgoing: Outgoing): void {
    this.#waiting.at(-1)!.push(outgoing)
    if (this.#isRunning) return
    this.#isRunning = true
    this.#timer(this.#round)
  }

  /**
   * Tells of an acknowledgement that came when the wait for it was over.
   *
   * @returns whether the longest wait would have been too short as well: its device is slow
   */
  cameLate(afterMs: number): boolean {
    if (afterMs > limits.ackGraceMsMax) return true
    this.#inVain++
    return false
  }

  readonly #round = (): void => {
    const due = this.#takeDue()
    let written = 0
    const refused = due.findIndex((outgoing) => {
      if (!outgoing.isWaiting) return false
      written++
      return !outgoing.writeNow()
    })
    this.#waiting.push([])
    if (refused < 0) this.#refusedRounds = 0
    else if (++this.#refusedRounds > limits.refusedRoundsMax) {
      for (const outgoing of due.slice(refused)) outgoing.giveUp()
    } else this.#waiting[0] = due.slice(refused).concat(this.#waiting[0]!)
    this.#adapt(written)
    this.#isRunning = this.#waiting.some((outgoings) => outgoings.length > 0)
    if (this.#isRunning) this.#timer(this.#round)
    else this.#waiting = [[]]
  }

  #takeDue(): Outgoing[] {
    const excess = this.#waiting.length - this.#rounds
    if (excess <= 0) return []
    return excess === 1 ? this.#waiting.shift()! : this.#waiting.splice(0, excess).flat()
  }

  /** Waits longer where that spares half of the writes, and shorter where it spares few. */
  #adapt(written: number): void {
    this.#written += written
    if (this.#written < writesPerLook) return
    if (this.#inVain * 2 > this.#written) this.#rounds = Math.min(this.#rounds + 1, limits.ackGraceRoundsMax)
    else if (this.#inVain * 4 < this.#written) this.#rounds = Math.max(this.#rounds - 1, 1)
    this.#written = 0
    this.#inVain = 0
  }
}

/** Enough to tell a busy moment from a few devices that are slow. */
const writesPerLook = 64

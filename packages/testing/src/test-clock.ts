/**
 * The clock of every party of a test service. It runs with the machine's, and can be turned on: what expires, is
 * renewed or is budgeted by the hour does so at once. Turned back it stands for a machine whose clock was wrong.
 */
export class TestClock {
  readonly #machineNow: () => number
  #aheadMs = 0

  /** @param machineNow milliseconds since the epoch */
  constructor(machineNow: () => number) {
    this.#machineNow = machineNow
  }

  /** Milliseconds since the epoch, as everybody in the service sees it. */
  readonly now = (): number => this.#machineNow() + this.#aheadMs

  /** Turns the clock on by so many milliseconds; back where they are negative. */
  advance(milliseconds: number): void {
    this.#aheadMs += milliseconds
  }

  /** Sets the clock; it runs on from there. */
  set(time: number | Date): void {
    this.#aheadMs = Number(time) - this.#machineNow()
  }
}

/**
 * Time that never runs backwards, for deadlines and pauses: where the clock of the machine is set back, it goes on
 * from where it was. Without that, a clock set back by an hour would hold up every deadline for that hour.
 */
export class SteadyClock {
  readonly #wall: () => number
  #last = Number.NEGATIVE_INFINITY
  #offset = 0

  /** `wall`: milliseconds since 1970, by the clock of the machine. */
  constructor(wall: () => number) {
    this.#wall = wall
  }

  now(): number {
    const wall = this.#wall()
    if (wall < this.#last) this.#offset += this.#last - wall
    this.#last = wall
    return wall + this.#offset
  }

  /** What the clock of the machine says at a steady time: for what others compare with their clocks. */
  wallAt(steady: number): number {
    return steady - this.#offset
  }
}

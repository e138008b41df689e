/**
 * Devices for which something is due at a time, to the second: one timer for all of them, whatever their number.
 * A device has one time, the earliest that was asked for.
 */
export class DueDevices {
  readonly #secondOf = new Map<number, number>()
  readonly #bySecond = new Map<number, Set<number>>()
  #lookedAtMs = 0

  get size(): number {
    return this.#secondOf.size
  }

  add(device: number, dueMs: number): void {
    const second = Math.ceil(dueMs / 1000)
    const before = this.#secondOf.get(device)
    if (before !== undefined) {
      if (before <= second) return
      this.delete(device)
    }
    this.#secondOf.set(device, second)
    const devices = this.#bySecond.get(second)
    if (devices === undefined) this.#bySecond.set(second, new Set([device]))
    else devices.add(device)
  }

  delete(device: number): void {
    const second = this.#secondOf.get(device)
    if (second === undefined) return
    this.#secondOf.delete(device)
    const devices = this.#bySecond.get(second)!
    devices.delete(device)
    if (devices.size === 0) this.#bySecond.delete(second)
  }

  /** Takes out those whose time has come; all of them where the clock was set back, for theirs may never come. */
  take(nowMs: number): number[] {
    const isSetBack = nowMs < this.#lookedAtMs - setBackMs
    this.#lookedAtMs = nowMs
    const due: number[] = []
    for (const [second, devices] of this.#bySecond) {
      if (second * 1000 > nowMs && !isSetBack) continue
      for (const device of devices) {
        due.push(device)
        this.#secondOf.delete(device)
      }
      this.#bySecond.delete(second)
    }
    return due
  }
}

/** Less than this is how clocks are corrected all the time. */
const setBackMs = 10_000

const hourMs = 60 * 60_000

/**
 * How often something happened in the last hour, by key. The times themselves are kept, so that no hour ever sees
 * more than its budget; what is older is forgotten.
 */
export class HourlyBudgets {
  readonly #keysMax: number
  readonly #times = new Map<string, number[]>()

  /** @param keysMax above it the key that was used longest ago is forgotten: its budget is whole again */
  constructor(keysMax: number) {
    this.#keysMax = keysMax
  }

  get size(): number {
    return this.#times.size
  }

  /** When there is room for one more: `nowMs` where there is. */
  freeAtMs(key: string, perHour: number, nowMs: number): number {
    if (perHour < 1) return nowMs + hourMs
    const times = this.#recent(key, nowMs)
    return times.length < perHour ? nowMs : times[times.length - perHour]! + hourMs
  }

  spend(key: string, nowMs: number): void {
    const times = this.#recent(key, nowMs)
    times.push(nowMs)
    // Last used, last forgotten.
    this.#times.delete(key)
    this.#times.set(key, times)
    if (this.#times.size <= this.#keysMax) return
    for (const oldest of this.#times.keys()) {
      this.#times.delete(oldest)
      return
    }
  }

  #recent(key: string, nowMs: number): number[] {
    const times = this.#times.get(key)
    if (times === undefined) return []
    // Times of the future are from before the clock was set back.
    const isRecent = (time: number) => time > nowMs - hourMs && time <= nowMs
    if (times.every(isRecent)) return times
    const recent = times.filter(isRecent)
    if (recent.length > 0) this.#times.set(key, recent)
    else this.#times.delete(key)
    return recent
  }
}

import { limits } from '../limits.ts'

/** What one number counts. */
export interface MetricKey {
  readonly app: string
  readonly pushType: string
  readonly priority: number
  readonly counter: string
}

/** The app under which is counted what comes after `metricCellsMax` numbers are in use. */
const otherApps = '(other)'

/** One hour's number of one key. */
export interface MetricValue extends MetricKey {
  readonly value: number
}

/** The numbers of this hour and since the start, in arrays: counting is one addition. */
export class MetricCounts {
  readonly #keys: MetricKey[] = []
  readonly #places = new Map<string, number>()
  /** Counted in this hour since the start. */
  #hour = new Float64Array(256)
  /** Counted in this hour before the start, as the database had it. */
  #before = new Float64Array(256)
  /** Counted in earlier hours since the start. */
  #earlier = new Float64Array(256)
  /** What the database has of this hour. */
  #kept = new Float64Array(256)
  /** Begin of the hour, in milliseconds since 1970. */
  #hourMs: number

  constructor(nowMs: number) {
    this.#hourMs = hourOf(nowMs)
  }

  get hourMs(): number {
    return this.#hourMs
  }

  add(cell: number): void {
    this.#hour[cell]!++
  }

  /** The place of a number. */
  cellOf(app: string, pushType: string, priority: number, counter: string): number {
    const name = `${app}\n${pushType}\n${priority}\n${counter}`
    const known = this.#places.get(name)
    if (known !== undefined) return known
    if (this.#keys.length >= limits.metricCellsMax && app !== otherApps) {
      return this.cellOf(otherApps, '', 0, counter)
    }
    const cell = this.#keys.push({ app, pushType, priority, counter }) - 1
    this.#places.set(name, cell)
    if (cell >= this.#hour.length) this.#grow()
    return cell
  }

  /** Takes up what the database has of this hour. */
  load(values: Iterable<MetricValue>): void {
    for (const { app, pushType, priority, counter, value } of values) {
      const cell = this.cellOf(app, pushType, priority, counter)
      this.#before[cell] = value
      this.#kept[cell] = value
    }
  }

  /** The numbers of this hour, those at 0 apart. */
  *thisHour(): Iterable<MetricValue> {
    for (let cell = 0; cell < this.#keys.length; cell++) {
      const value = this.#before[cell]! + this.#hour[cell]!
      if (value > 0) yield { ...this.#keys[cell]!, value }
    }
  }

  /** The numbers since the start. */
  *sinceStart(): Iterable<MetricValue> {
    for (let cell = 0; cell < this.#keys.length; cell++) {
      const value = this.#earlier[cell]! + this.#hour[cell]!
      if (value > 0) yield { ...this.#keys[cell]!, value }
    }
  }

  /** What the database lacks of this hour; it counts as kept from now on. */
  takeUnkept(): MetricValue[] {
    const unkept: MetricValue[] = []
    for (let cell = 0; cell < this.#keys.length; cell++) {
      const value = this.#before[cell]! + this.#hour[cell]!
      if (value === this.#kept[cell]) continue
      this.#kept[cell] = value
      unkept.push({ ...this.#keys[cell]!, value })
    }
    return unkept
  }

  /** Begins the hour of `nowMs`; false while it is the same. A clock that is set back changes nothing. */
  begin(nowMs: number): boolean {
    const hourMs = hourOf(nowMs)
    if (hourMs <= this.#hourMs) return false
    this.#hourMs = hourMs
    for (let cell = 0; cell < this.#keys.length; cell++) this.#earlier[cell]! += this.#hour[cell]!
    this.#hour.fill(0)
    this.#before.fill(0)
    this.#kept.fill(0)
    return true
  }

  #grow(): void {
    const grown = (from: Float64Array<ArrayBuffer>) => {
      const to = new Float64Array(from.length * 2)
      to.set(from)
      return to
    }
    this.#hour = grown(this.#hour)
    this.#before = grown(this.#before)
    this.#earlier = grown(this.#earlier)
    this.#kept = grown(this.#kept)
  }
}

/** Begin of the hour of a time. */
export function hourOf(ms: number): number {
  return Math.floor(ms / 3_600_000) * 3_600_000
}

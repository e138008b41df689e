import { type Counter, counters, rejectedReasonOf } from './counters.ts'
import type { MetricValue } from './metric-counts.ts'

/** The numbers of one time: Apple's rows, ours, and the rejections by reason. Those at 0 are there, too. */
type MetricNumbers = Readonly<Record<Exclude<Counter, 'rejected'>, number>> & {
  readonly rejected: Readonly<Record<string, number>>
}

interface MetricRow {
  readonly app: string
  readonly pushType: string
  readonly priority: number
  readonly numbers: MetricNumbers
}

export interface MetricReport {
  readonly total: MetricNumbers
  /** By app, push type and priority. */
  readonly rows: readonly MetricRow[]
  /** Those in which anything happened, by their begin (milliseconds since 1970). */
  readonly hours: readonly { readonly hourMs: number; readonly numbers: MetricNumbers }[]
}

/** What was counted of one thing in one hour. */
export interface HourSum extends Pick<MetricValue, 'counter' | 'value'> {
  /** Begin of the hour, in milliseconds since 1970. */
  readonly hourMs: number
}

/** Sums up what was counted: the same numbers once by what they count and once by hour. */
export function metricReport(byKey: Iterable<MetricValue>, byHour: Iterable<HourSum>): MetricReport {
  const rows = new Map<string, { row: Omit<MetricRow, 'numbers'>; sum: Sum }>()
  const hours = new Map<number, Sum>()
  const total = new Sum()
  for (const value of byKey) {
    const { app, pushType, priority } = value
    const name = `${app}\n${pushType}\n${priority}`
    const row = rows.get(name) ?? { row: { app, pushType, priority }, sum: new Sum() }
    rows.set(name, row)
    row.sum.add(value)
    total.add(value)
  }
  for (const value of byHour) {
    const hour = hours.get(value.hourMs) ?? new Sum()
    hours.set(value.hourMs, hour)
    hour.add(value)
  }
  return {
    total: total.numbers,
    rows: Array.from(rows.values(), ({ row, sum }) => ({ ...row, numbers: sum.numbers })),
    hours: Array.from(hours, ([hourMs, sum]) => ({ hourMs, numbers: sum.numbers })),
  }
}

class Sum {
  readonly numbers = noNumbers()

  add({ counter, value }: Pick<MetricValue, 'counter' | 'value'>): void {
    const reason = rejectedReasonOf(counter)
    if (reason !== undefined) this.numbers.rejected[reason] = (this.numbers.rejected[reason] ?? 0) + value
    // A number of a newer version is not told.
    else if (counter in this.numbers) this.numbers[counter as Exclude<Counter, 'rejected'>] += value
  }
}

function noNumbers() {
  const zeros = Object.fromEntries(counters.map((name) => [name, 0])) as Record<
    Exclude<Counter, 'rejected'>,
    number
  >
  return { ...zeros, rejected: {} as Record<string, number> }
}

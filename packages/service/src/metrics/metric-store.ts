import type { Database, Statement } from '@carillon/database'
import { limits } from '../limits.ts'
import { MetricCounts, type MetricValue } from './metric-counts.ts'
import { type HourSum, type MetricReport, metricReport } from './metric-report.ts'

/** Which numbers are summed up. */
export interface MetricQuery {
  /** Hours that begin in this time, the end exclusive; milliseconds since 1970. */
  readonly fromMs: number
  readonly toMs: number
  readonly app?: string | undefined
  readonly pushType?: string | undefined
  readonly priority?: number | undefined
}

/** What the metrics need of the database. */
export type MetricDatabase = Pick<Database, 'prepare' | 'all' | 'run' | 'transaction'>

/** The hours of the metrics in the database, and this one in memory. */
export class MetricStore {
  readonly counts: MetricCounts
  readonly #database: MetricDatabase
  readonly #put: Statement
  readonly #forget: Statement
  readonly #selectHour: Statement
  readonly #sumByKey: Statement
  readonly #sumByHour: Statement
  /** Taken from the counts and not in the database yet; only a failed write leaves something here. */
  #unwritten: HourValue[] = []
  #keeping: Promise<void> = Promise.resolve()

  private constructor(database: MetricDatabase, nowMs: number) {
    this.counts = new MetricCounts(nowMs)
    this.#database = database
    this.#put = database.prepare(putSql)
    this.#forget = database.prepare('DELETE FROM metrics WHERE hour < ?')
    this.#selectHour = database.prepare(selectHourSql)
    this.#sumByKey = database.prepare(sumByKeySql)
    this.#sumByHour = database.prepare(sumByHourSql)
  }

  static async open(database: MetricDatabase, nowMs: number): Promise<MetricStore> {
    const store = new MetricStore(database, nowMs)
    const values = await database.all<MetricValue>(store.#selectHour, [store.counts.hourMs])
    store.counts.load(values.map(asNumbers))
    return store
  }

  /** Writes what has changed; begins the next hour where it is time. To be called once a minute or so. */
  keep(nowMs: number): Promise<void> {
    const { counts } = this
    const { hourMs } = counts
    for (const value of counts.takeUnkept()) this.#unwritten.push({ ...value, hourMs })
    const isNewHour = counts.begin(nowMs)
    // One after the other: what an hour counts only grows, and the last that is written holds.
    const keeping = this.#keeping.then(() => this.#write(isNewHour ? nowMs : undefined))
    this.#keeping = keeping.catch(() => undefined)
    return keeping
  }

  /** Sums up the hours that begin in this time, this hour's numbers up to now. */
  async report(query: MetricQuery): Promise<MetricReport> {
    await this.#keeping
    const { fromMs, toMs, app, pushType, priority } = query
    const { hourMs } = this.counts
    const fits = (value: MetricValue) =>
      (app === undefined || value.app === app) &&
      (pushType === undefined || value.pushType === pushType) &&
      (priority === undefined || value.priority === priority)
    // Before the earlier hours are read: this one may end meanwhile.
    const isAsked = hourMs >= fromMs && hourMs < toMs
    const present = isAsked ? [...this.counts.thisHour()].filter(fits) : []
    const chosen = [app, app, pushType, pushType, priority, priority].map((choice) => choice ?? null)
    const parameters = [fromMs, Math.min(toMs, hourMs), ...chosen]
    const [byKey, byHour] = await Promise.all([
      this.#database.all<MetricValue>(this.#sumByKey, parameters),
      this.#database.all<HourSum>(this.#sumByHour, parameters),
    ])
    return metricReport(
      [...byKey.map(asNumbers), ...present],
      [...byHour.map(asNumbers), ...present.map(({ counter, value }) => ({ hourMs, counter, value }))],
    )
  }

  async #write(forgetAtMs: number | undefined): Promise<void> {
    this.#unwritten.splice(0, this.#unwritten.length - limits.metricsUnwrittenMax)
    while (this.#unwritten.length > 0) {
      const part = this.#unwritten.slice(0, valuesPerUnit)
      await this.#database.transaction(
        part.map(({ hourMs, app, pushType, priority, counter, value }) => ({
          statement: this.#put,
          parameters: [hourMs, app, pushType, priority, counter, value],
        })),
      )
      this.#unwritten.splice(0, part.length)
    }
    if (forgetAtMs !== undefined)
      await this.#database.run(this.#forget, [forgetAtMs - limits.metricsKeptMsMax])
  }
}

/** A number of one hour as it is kept. */
interface HourValue extends MetricValue {
  /** Begin of the hour, in milliseconds since 1970. */
  readonly hourMs: number
}

/** PostgreSQL gives sums and large integers as text. */
function asNumbers<Summed extends { readonly value: number; readonly hourMs?: number }>(row: Summed): Summed {
  const { hourMs } = row
  return { ...row, value: Number(row.value), ...(hourMs === undefined ? {} : { hourMs: Number(hourMs) }) }
}

const valuesPerUnit = 256

const putSql = `
  INSERT INTO metrics (hour, app, push_type, priority, counter, value) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (hour, app, push_type, priority, counter) DO UPDATE SET value = excluded.value
`

const selectHourSql = `
  SELECT app, push_type AS "pushType", priority, counter, value FROM metrics WHERE hour = ?
`

const chosenSql = `
  hour >= ? AND hour < ? AND (CAST(? AS TEXT) IS NULL OR app = ?) AND (CAST(? AS TEXT) IS NULL OR push_type = ?)
  AND (CAST(? AS INTEGER) IS NULL OR priority = ?)
`

// Summed up by the database: a month of hours is too much to be sent here.
const sumByKeySql = `
  SELECT app, push_type AS "pushType", priority, counter, sum(value) AS value FROM metrics WHERE ${chosenSql}
  GROUP BY app, push_type, priority, counter ORDER BY app, push_type, priority, counter
`

const sumByHourSql = `
  SELECT hour AS "hourMs", counter, sum(value) AS value FROM metrics WHERE ${chosenSql}
  GROUP BY hour, counter ORDER BY hour, counter
`

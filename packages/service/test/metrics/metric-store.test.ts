import { join } from 'node:path'
import { type Database, openDatabase } from '@carillon/database'
import { expect, onTestFinished, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { MetricCounts } from '../../src/metrics/metric-counts.ts'
import { MetricStore } from '../../src/metrics/metric-store.ts'
import { migrations } from '../../src/migrations.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const hourMs = 3_600_000
const startMs = 500_000 * hourMs + 10

async function database(): Promise<Database> {
  const file = join(temporaryDirectory(), 'push.sqlite')
  const opened = await openDatabase({ engine: 'sqlite', file, migrations })
  onTestFinished(() => opened.close())
  return opened
}

function count(store: MetricStore, times: number, app = 'app', counter = 'received'): void {
  const cell = store.counts.cellOf(app, 'alert', 10, counter)
  for (let time = 0; time < times; time++) store.counts.add(cell)
}

const sumOf = (values: readonly { value: number }[]) => values.reduce((sum, { value }) => sum + value, 0)

async function received(store: MetricStore, fromMs: number, toMs: number): Promise<number> {
  return (await store.report({ fromMs, toMs })).total.received
}

test('an hour goes on where the process before it stopped', async () => {
  const file = await database()
  const first = await MetricStore.open(file, startMs)
  count(first, 3)
  await first.keep(startMs + 1000)
  count(first, 2)
  await first.keep(startMs + 2000)
  const second = await MetricStore.open(file, startMs + 3000)
  count(second, 10)
  expect(await received(second, 0, startMs + hourMs)).toBe(15)
  expect(sumOf([...second.counts.sinceStart()])).toBe(10)
  await second.keep(startMs + 4000)
  const third = await MetricStore.open(file, startMs + 5000)
  expect(await received(third, 0, startMs + hourMs)).toBe(15)
})

test('hours are kept apart, and told by the time in which they begin', async () => {
  const store = await MetricStore.open(await database(), startMs)
  for (let hour = 0; hour < 4; hour++) {
    count(store, hour + 1)
    count(store, 1, 'other', 'rejected:BadDeviceToken')
    await store.keep(startMs + (hour + 1) * hourMs)
  }
  count(store, 100)
  const { total, rows, hours } = await store.report({ fromMs: startMs, toMs: startMs + 10 * hourMs })
  expect([total.received, total.rejected]).toEqual([109, { BadDeviceToken: 3 }])
  expect(hours.map(({ numbers }) => numbers.received)).toEqual([2, 3, 4, 100])
  expect(rows.map(({ app, numbers }) => [app, numbers.received])).toEqual([
    ['app', 109],
    ['other', 0],
  ])
  expect(await received(store, 0, Number.MAX_SAFE_INTEGER)).toBe(110)
  expect(sumOf([...store.counts.sinceStart()])).toBe(114)
})

test('a month in which many apps pushed can be asked for', async () => {
  const file = await database()
  const put = file.prepare('INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)')
  const hours = 720
  for (let hour = 1; hour <= hours; hour++) {
    const beginMs = (500_000 - hour) * hourMs
    await file.transaction(
      Array.from({ length: 150 }, (_, app) => ({
        statement: put,
        parameters: [beginMs, `app${app}`, 'alert', app % 2 === 0 ? 10 : 5, 'received', 2],
      })),
    )
  }
  const store = await MetricStore.open(file, startMs)
  count(store, 3, 'app7')
  const month = await store.report({ fromMs: 0, toMs: startMs })
  expect([month.total.received, month.rows.length, month.hours.length]).toEqual([
    150 * hours * 2 + 3,
    // This hour's are of another priority than the app's before.
    151,
    hours + 1,
  ])
  const chosen = { fromMs: 0, toMs: startMs, app: 'app7', pushType: 'alert' }
  expect((await store.report({ ...chosen, priority: 5 })).total.received).toBe(hours * 2)
  expect((await store.report({ ...chosen, priority: 10 })).total.received).toBe(3)
  expect((await store.report({ ...chosen, pushType: 'voip' })).rows).toEqual([])
})

test('what a failed write has left behind is written by the next one', async () => {
  const file = await database()
  let failures = 2
  const store = await MetricStore.open(
    {
      ...{ prepare: (sql) => file.prepare(sql), all: (...read) => file.all(...read) },
      run: (...write) => file.run(...write),
      transaction(writes) {
        return failures-- > 0 ? Promise.reject(new Error('the disk is full')) : file.transaction(writes)
      },
    },
    startMs,
  )
  count(store, 3)
  await expect(store.keep(startMs + 1000)).rejects.toThrow('the disk is full')
  count(store, 1)
  await expect(store.keep(startMs + hourMs)).rejects.toThrow('the disk is full')
  count(store, 10)
  await store.keep(startMs + hourMs + 1000)
  expect((await store.report({ fromMs: 0, toMs: startMs + 2 * hourMs })).hours).toMatchObject([
    { numbers: { received: 4 } },
    { numbers: { received: 10 } },
  ])
})

test('at the turn of the hour nothing is missing while the last one is written', async () => {
  const store = await MetricStore.open(await database(), startMs)
  count(store, 5)
  const keeping = store.keep(startMs + hourMs)
  expect(await received(store, 0, startMs + hourMs)).toBe(5)
  await keeping
})

test('hours that are too old are deleted', async () => {
  const store = await MetricStore.open(await database(), startMs)
  count(store, 1)
  await store.keep(startMs + hourMs)
  count(store, 1)
  await store.keep(startMs + limits.metricsKeptMsMax)
  expect(await received(store, 0, Number.MAX_SAFE_INTEGER)).toBe(1)
})

test('a clock that is set back begins no hour', () => {
  const counts = new MetricCounts(startMs)
  counts.add(counts.cellOf('app', '', 0, 'received'))
  expect(counts.begin(startMs - 5 * hourMs)).toBe(false)
  expect(sumOf([...counts.thisHour()])).toBe(1)
})

test('beyond the bound apps are counted together, and nothing is lost', () => {
  const counts = new MetricCounts(startMs)
  const apps = limits.metricCellsMax + 50
  for (let app = 0; app < apps; app++) counts.add(counts.cellOf(`app${app}`, 'alert', 10, 'received'))
  const values = [...counts.thisHour()]
  expect(sumOf(values)).toBe(apps)
  expect(values).toHaveLength(limits.metricCellsMax + 1)
  expect(values.at(-1)).toMatchObject({ app: '(other)', value: 50 })
})

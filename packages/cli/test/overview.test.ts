import { expect, test } from 'vitest'
import { overviewOf, overviewTable, type Snapshot } from '../src/overview.ts'

const snapshotAt = (atMs: number, totals: Record<string, number>): Snapshot => ({
  ...{ environment: 'sandbox', atMs, providers: 1, devices: 20_000, totals },
})

test('rates are those since the snapshot before', () => {
  const before = snapshotAt(1000, { received: 10, delivered: 4 })
  const now = snapshotAt(3000, { received: 2510, delivered: 5, storedOffline: 7 })
  expect(overviewOf(before, now)).toEqual({
    ...{ environment: 'sandbox', providers: 1, devices: 20_000 },
    perSecond: { received: 1250, delivered: 0.5, storedOffline: 3.5 },
  })
  expect(overviewOf(undefined, now).perSecond).toEqual({ received: 0, delivered: 0, storedOffline: 0 })
  expect(overviewOf(now, snapshotAt(4000, { received: 3 })).perSecond).toEqual({ received: 0 })
})

test('a line for each environment, sums of what belongs together', () => {
  const perSecond = { received: 31_400.4, delivered: 20, deliveredFromStorage: 30.5, rejected: 0.1 }
  const overview = { environment: 'production', providers: 2, devices: 3, perSecond } as const
  expect(overviewTable([overview]).split('\n')).toEqual([
    '               providers     devices  received/s delivered/s    stored/s  replaced/s discarded/s  rejected/s',
    'production             2           3      31,400        50.5         0.0         0.0         0.0         0.1',
  ])
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HourlyBudgets } from '../../src/power/hourly-budgets.ts'

const hourMs = 60 * 60_000

test('no hour sees more than its budget, and what may come next comes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: hourMs }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      (pauses, perHour) => {
        const budgets = new HourlyBudgets(10)
        const spent: number[] = []
        let now = 1_000_000
        for (const pause of pauses) {
          now += pause
          const free = budgets.freeAtMs('a', perHour, now)
          const inLastHour = spent.filter((at) => at > now - hourMs).length
          expect(free <= now).toBe(inLastHour < perHour)
          if (free > now) continue
          budgets.spend('a', now)
          spent.push(now)
        }
      },
    ),
  )
})

test('above the number of keys the one used longest ago is forgotten', () => {
  const budgets = new HourlyBudgets(2)
  for (const key of ['a', 'b', 'a', 'c']) budgets.spend(key, 1000)
  expect(['a', 'b', 'c'].map((key) => budgets.freeAtMs(key, 1, 1000) > 1000)).toEqual([true, false, true])
  expect(budgets.size).toBe(2)
})

test('a clock that was set back does not block an app until it has caught up', () => {
  const budgets = new HourlyBudgets(2)
  budgets.spend('a', 100 * hourMs)
  expect(budgets.freeAtMs('a', 1, hourMs)).toBe(hourMs)
})

import { expect, test } from 'vitest'
import { DueDevices } from '../../src/power/due-devices.ts'

test('a device is due once, at the earliest time that was asked for', () => {
  const due = new DueDevices()
  due.add(1, 90_000)
  due.add(1, 60_000)
  due.add(1, 70_000)
  due.add(2, 60_500)
  expect(due.take(59_999)).toEqual([])
  expect(due.take(60_000)).toEqual([1])
  expect(due.take(61_000)).toEqual([2])
  expect(due.take(200_000)).toEqual([])
  expect(due.size).toBe(0)
})

test('one that is taken out is not due', () => {
  const due = new DueDevices()
  due.add(1, 1000)
  due.delete(1)
  due.delete(2)
  expect([due.size, due.take(2000)]).toEqual([0, []])
})

test('when the clock is set back everything is due', () => {
  const due = new DueDevices()
  due.take(1_000_000)
  due.add(1, 1_060_000)
  expect(due.take(999_000)).toEqual([])
  expect(due.take(100_000)).toEqual([1])
})

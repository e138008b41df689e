import { expect, test } from 'vitest'
import { keepAliveDefaults, keepAliveOf } from '../../src/courier/keep-alive.ts'

test('what is given stands in the place of a default', () => {
  expect(keepAliveOf()).toEqual(keepAliveDefaults)
  expect(keepAliveOf({ keepAliveSeconds: 120 })).toEqual({ ...keepAliveDefaults, keepAliveSeconds: 120 })
})

test.each([
  { keepAliveSecondsMin: 400 },
  { keepAliveSeconds: 10 },
  { keepAliveSecondsMax: 100 },
  { keepAliveSecondsMin: 0 },
  { keepAliveSecondsMax: 70_000 },
  { keepAliveSeconds: 100.5 },
])('bounds that are out of order are refused at the start: %j', (given) => {
  expect(() => keepAliveOf(given)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', fix: expect.stringContaining('ascending') }),
  )
})

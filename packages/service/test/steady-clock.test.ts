import { expect, test } from 'vitest'
import { limits } from '../src/limits.ts'
import { steadyClock } from '../src/steady-clock.ts'

test('a clock that is set ahead or back takes no time away and gives none', () => {
  let nowMs = 1_000_000
  const steadyNow = steadyClock(() => nowMs)
  const seconds = (count: number) => {
    for (let second = 0; second < count; second++) {
      nowMs += 1000
      steadyNow()
    }
    return steadyNow()
  }
  expect(seconds(10)).toBe(1_010_000)
  nowMs += 3_600_000
  expect(steadyNow()).toBe(1_010_000 + limits.steadyStepMsMax)
  nowMs -= 7_200_000
  expect(steadyNow()).toBe(1_010_000 + limits.steadyStepMsMax)
  expect(seconds(10)).toBe(1_020_000 + limits.steadyStepMsMax)
})

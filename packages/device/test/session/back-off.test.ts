import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { BackOff } from '../../src/session/back-off.ts'

const highest = () => Uint8Array.of(0xff, 0xff)

test('the bound doubles with each failure up to its limit', () => {
  const backOff = new BackOff(highest)
  const waits = Array.from({ length: 12 }, () => backOff.nextWaitMs(0))
  const bounds = waits.map((_, n) => Math.min(limits.reconnectMsMax, limits.reconnectMsMin * 2 ** n))
  expect(waits).toEqual(bounds.map((bound) => Math.floor((bound * 65_535) / 65_536)))
})

test('every wait is a whole number between 0 and its bound, however long it goes on', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(200_000), fc.nat(0xffff)), { maxLength: 60 }), (losses) => {
      let drawn = 0
      const backOff = new BackOff(() => Uint8Array.of(drawn >> 8, drawn & 0xff))
      let failures = 0
      for (const [livedMs, number] of losses) {
        drawn = number
        if (livedMs >= limits.healthyMsMin) failures = 0
        const wait = backOff.nextWaitMs(livedMs)
        expect(Number.isInteger(wait)).toBe(true)
        expect(wait).toBeGreaterThanOrEqual(0)
        expect(wait).toBeLessThan(Math.min(limits.reconnectMsMax, limits.reconnectMsMin * 2 ** failures))
        failures++
      }
    }),
  )
})

test.each([
  ['a healthy connection', (backOff: BackOff) => backOff.nextWaitMs(limits.healthyMsMin)],
  [
    'a reset',
    (backOff: BackOff) => {
      backOff.reset()
      return backOff.nextWaitMs(0)
    },
  ],
])('%s starts small again; a short-lived one does not', (_what, next) => {
  const backOff = new BackOff(highest)
  for (let n = 0; n < 5; n++) backOff.nextWaitMs(0)
  expect(backOff.nextWaitMs(limits.healthyMsMin - 1)).toBeGreaterThan(16_000)
  expect(next(backOff)).toBeLessThan(limits.reconnectMsMin)
})

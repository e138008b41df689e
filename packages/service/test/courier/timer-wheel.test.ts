import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TimerWheel, WheelEntry } from '../../src/courier/timer-wheel.ts'

const startMs = 1_000_000

class Noted extends WheelEntry {
  readonly calledMs: number[] = []
  readonly #again: number
  constructor(againMs: number) {
    super()
    this.#again = againMs
  }
  due(nowMs: number): number {
    this.calledMs.push(nowMs)
    return this.#again
  }
}

test('every entry is called at its time, at most a second and a bit late, whatever its neighbours do', () => {
  const entries = fc.array(
    fc.record({ delayMs: fc.nat(60_000), againMs: fc.integer({ min: 1, max: 9000 }) }),
    { minLength: 1, maxLength: 30 },
  )
  fc.assert(
    fc.property(entries, fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 60 }), (wanted, steps) => {
      const wheel = new TimerWheel(startMs)
      const noted = wanted.map(({ delayMs, againMs }) => {
        const entry = new Noted(againMs)
        wheel.put(entry, delayMs)
        return entry
      })
      let nowMs = startMs
      for (const step of steps) {
        nowMs += step
        while (wheel.advance(nowMs, 3)) {
          // In small pieces, as when many are due.
        }
      }
      for (const [index, entry] of noted.entries()) {
        const { delayMs } = wanted[index]!
        const first = entry.calledMs[0]
        if (first !== undefined) expect(first - startMs).toBeGreaterThanOrEqual(delayMs)
        else expect(nowMs - startMs).toBeLessThan(delayMs + 1000)
      }
      expect(wheel.size).toBe(noted.length)
    }),
  )
})

test('an entry that was moved is called at its new time only, one that was taken out never', () => {
  const wheel = new TimerWheel(startMs)
  const [moved, gone, sooner] = [new Noted(99_000), new Noted(99_000), new Noted(99_000)]
  wheel.put(moved, 5000)
  wheel.put(gone, 5000)
  wheel.put(sooner, 9000)
  wheel.put(moved, 8000)
  wheel.put(sooner, 1000)
  wheel.remove(gone)
  wheel.advance(startMs + 5000, 100)
  expect([moved.calledMs.length, gone.calledMs.length, sooner.calledMs.length]).toEqual([0, 0, 1])
  wheel.advance(startMs + 8000, 100)
  expect([moved.calledMs.length, wheel.size, gone.slot]).toEqual([1, 2, -1])
})

test('a crowd that is due together is called in pieces', () => {
  const wheel = new TimerWheel(startMs)
  const crowd = Array.from({ length: 10 }, () => new Noted(60_000))
  for (const entry of crowd) wheel.put(entry, 1000)
  const called = () => crowd.filter((entry) => entry.calledMs.length > 0).length
  expect([wheel.advance(startMs + 1000, 4), called()]).toEqual([true, 4])
  expect([wheel.advance(startMs + 1000, 4), called()]).toEqual([true, 8])
  expect([wheel.advance(startMs + 1000, 4), called()]).toEqual([false, 10])
})

test('a clock that jumps calls everything once, one that is set back nothing', () => {
  const wheel = new TimerWheel(startMs)
  const entries = [10_000, 3_000_000].map((delayMs) => {
    const entry = new Noted(5_000_000)
    wheel.put(entry, delayMs)
    return entry
  })
  wheel.advance(startMs - 1e9, 100)
  expect(entries.map((entry) => entry.calledMs.length)).toEqual([0, 0])
  wheel.advance(startMs + 1e9, 100)
  expect(entries.every((entry) => entry.calledMs.length >= 1)).toBe(true)
  expect([...wheel].length).toBe(2)
})

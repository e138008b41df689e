import { expect, test } from 'vitest'
import { Admission, type AdmissionOptions } from '../../src/courier/admission.ts'

function admission(options: AdmissionOptions) {
  const clock = { nowMs: 1_000_000 }
  const timers: (() => void)[] = []
  const subject = new Admission(
    options,
    () => clock.nowMs,
    (run) => void timers.push(run),
  )
  const admitted: number[] = []
  const gone = new Set<number>()
  let count = 0
  const arrive = () => {
    const number = count++
    return subject.arrive({
      admit() {
        if (gone.has(number)) return false
        admitted.push(number)
        return true
      },
    })
  }
  const pass = (ms: number) => {
    clock.nowMs += ms
    for (const run of timers.splice(0)) run()
  }
  return { subject, admitted, gone, arrive, pass, timers }
}

test('a few come in at once; the others in their order, at the rate', () => {
  const { subject, admitted, arrive, pass } = admission({ handshakesPerSecond: 80 })
  for (let count = 0; count < 100; count++) expect(arrive()).toBe(true)
  expect([admitted.length, subject.waiting]).toEqual([2, 98])
  pass(25)
  expect(admitted.length).toBe(4)
  pass(1000)
  // However long the pause, no more than a burst begins together.
  expect(admitted.length).toBe(6)
  for (let round = 0; round < 120; round++) pass(10)
  expect(admitted).toEqual(Array.from({ length: 100 }, (_, index) => index))
  expect(subject.counters).toEqual({ admitted: 100, waited: 98, refused: 0 })
})

test('a storm of 20,000 lengthens the line to its limit and no further', () => {
  const { subject, arrive, pass, timers } = admission({ handshakesPerSecond: 400, handshakeWaitMsMax: 5000 })
  let refused = 0
  for (let count = 0; count < 20_000; count++) if (!arrive()) refused++
  expect([subject.waiting, refused, timers.length]).toEqual([2000, 20_000 - 2008, 1])
  for (let round = 0; round < 501; round++) pass(10)
  expect([subject.waiting, subject.counters.admitted]).toEqual([0, 2008])
  expect(timers).toEqual([])
})

test('those that have gone while they waited cost no turn', () => {
  const { admitted, gone, arrive, pass, subject } = admission({ handshakesPerSecond: 1 })
  for (let count = 0; count < 5; count++) arrive()
  for (const number of [1, 2, 3]) gone.add(number)
  pass(1000)
  expect(admitted).toEqual([0, 4])
  expect([subject.waiting, subject.counters.admitted]).toEqual([0, 2])
})

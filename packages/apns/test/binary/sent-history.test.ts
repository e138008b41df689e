import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PendingBinaryPush } from '../../src/binary/binary-push.ts'
import { SentHistory } from '../../src/binary/sent-history.ts'

const push = {} as PendingBinaryPush
const last = 0xffff_ffff

test('identifiers begin again at 1 before 2^32, and are never 0', () => {
  const history = new SentHistory(last - 1)
  expect([1, 2, 3, 4].map(() => history.add(push))).toEqual([last - 1, last, 1, 2])
  expect([last - 1, last, 1, 2].map((identifier) => history.placeOf(identifier))).toEqual([0, 1, 2, 3])
  for (const unknown of [0, 3, last - 2]) expect(history.placeOf(unknown)).toBe(-1)
  expect(history.takeAll()).toHaveLength(4)
  expect([history.size, history.nextIdentifier, history.placeOf(2)]).toEqual([0, 3, -1])
})

test('each identifier leads to its place', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: last }), fc.nat(50), (first, count) => {
      const history = new SentHistory(first)
      const identifiers = Array.from({ length: count }, () => history.add(push))
      identifiers.forEach((identifier, place) => {
        expect(identifier).toBeGreaterThan(0)
        expect(history.placeOf(identifier)).toBe(place)
      })
      expect(history.placeOf(history.nextIdentifier)).toBe(-1)
    }),
  )
})

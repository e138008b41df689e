import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { HandledNotifications } from '../../src/session/handled-notifications.ts'

const id = (n: number) => new Uint8Array(16).fill(n)
const named = (handled: HandledNotifications) => handled.ids.map(([first]) => first)

test('what was acknowledged before a question is forgotten with its answer', () => {
  const handled = new HandledNotifications()
  handled.acknowledged(id(1))
  handled.asked()
  handled.acknowledged(id(2))
  expect(named(handled)).toEqual([1, 2])
  handled.answered()
  expect(named(handled)).toEqual([2])
  handled.asked()
  handled.answered()
  expect(named(handled)).toEqual([])
})

test('the answer to an earlier question says nothing of what came behind it', () => {
  const handled = new HandledNotifications()
  handled.asked()
  handled.acknowledged(id(1))
  handled.asked()
  handled.acknowledged(id(2))
  handled.answered()
  handled.asked()
  // The answer to the second question.
  handled.answered()
  expect(named(handled)).toEqual([1, 2])
  handled.answered()
  expect(named(handled)).toEqual([])
})

test('answers that a lost connection owed are not taken from the next one', () => {
  const handled = new HandledNotifications()
  handled.acknowledged(id(1))
  handled.asked()
  handled.reconnected()
  handled.answered()
  expect(named(handled)).toEqual([1])
})

test('the oldest are forgotten above the limit', () => {
  const handled = new HandledNotifications()
  for (let n = 0; n < limits.handledNamedMax + 2; n++) {
    handled.acknowledged(Uint8Array.of(n >> 8, n & 0xff))
    if (n === 1) handled.asked()
  }
  expect(handled.ids[0]).toEqual(Uint8Array.of(0, 2))
  handled.answered()
  expect(handled.ids.length).toBe(limits.handledNamedMax)
})

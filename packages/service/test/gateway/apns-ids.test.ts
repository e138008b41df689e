import { apnsIdOf, isApnsId } from '@carillon/wire'
import { expect, test } from 'vitest'
import { ApnsIds } from '../../src/gateway/apns-ids.ts'

test('ids are version 4 UUIDs of the random bytes, draw after draw', () => {
  const drawn: Uint8Array[] = []
  let value = 1
  const ids = new ApnsIds((bytes) => {
    const random = Uint8Array.from({ length: bytes }, () => {
      value = (value * 1103515245 + 12345) % 2147483648
      return value >> 16
    })
    drawn.push(random)
    return random
  })
  const made = Array.from({ length: 600 }, () => ids.next())
  expect(new Set(made).size).toBe(600)
  for (const [index, id] of made.entries()) {
    const from = drawn[Math.floor(index / 256)]!
    expect(id).toBe(apnsIdOf(from.subarray((index % 256) * 16, (index % 256) * 16 + 16)))
    expect(isApnsId(id)).toBe(true)
  }
})

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TokenRecord } from '../../src/registry/registry.ts'
import { TokenCache } from '../../src/registry/token-cache.ts'

function tokenOf(index: number): string {
  return createHash('sha256').update(String(index)).digest('hex')
}

function recordOf(index: number, changes: Partial<TokenRecord> = {}): TokenRecord {
  const token = tokenOf(index)
  const tokenBytes = Buffer.from(token, 'hex')
  const topic = index % 3 === 0 ? 'com.example.shop' : `com.example.shop${index % 3}.voip`
  return {
    token,
    tokenBytes,
    device: index,
    bundleId: topic.replace('.voip', ''),
    topic,
    inactiveSinceMs: 0,
    askedDay: 19_000 + (index % 1000),
    ...changes,
  }
}

/** All that a record says, whatever it is made of. */
function said(record: TokenRecord | undefined): TokenRecord | undefined {
  if (record === undefined) return undefined
  const { token, device, bundleId, topic, inactiveSinceMs, askedDay } = record
  const tokenBytes = Buffer.from(record.tokenBytes)
  return { token, tokenBytes, device, bundleId, topic, inactiveSinceMs, askedDay }
}

test('says what it was told, whatever the numbers', () => {
  const cache = new TokenCache(1000)
  const numbers = [1, 2 ** 31, 2 ** 32 - 1]
  const times = [0, 1, 2 ** 32 - 1, 2 ** 32, 1_700_000_000_123, 2 ** 48 - 1]
  let index = 0
  for (const device of numbers) {
    for (const inactiveSinceMs of times) {
      const record = recordOf(index++, { device, inactiveSinceMs })
      cache.set(record)
      expect(said(cache.get(record.token))).toEqual(record)
    }
  }
})

test('a token in upper case is found, and told in lower case', () => {
  const cache = new TokenCache(100)
  cache.set(recordOf(1))
  expect(said(cache.get(tokenOf(1).toUpperCase()))).toEqual(recordOf(1))
})

test('a device number that does not fit is not kept, rather than kept wrong', () => {
  const cache = new TokenCache(1000)
  cache.set(recordOf(1, { device: 2 ** 32 }))
  expect(cache.get(tokenOf(1))).toBeUndefined()
})

test('grows to its limit, keeps what is used and forgets what is not', () => {
  const cache = new TokenCache(12_300)
  cache.set(recordOf(9_999_999))
  for (let index = 0; index < 50_000; index++) {
    cache.set(recordOf(index))
    if (index % 100 === 0) expect(said(cache.get(tokenOf(9_999_999)))).toEqual(recordOf(9_999_999))
  }
  let known = 0
  for (let index = 0; index < 50_000; index++) {
    const record = cache.get(tokenOf(index))
    if (record === undefined) continue
    known += 1
    expect(record.device).toBe(index)
  }
  expect(known).toBeGreaterThan(6000)
  expect(known).toBeLessThanOrEqual(12_288)
  expect(said(cache.get(tokenOf(49_999)))).toEqual(recordOf(49_999))
})

test.each([
  ['shorter', tokenOf(1).slice(2)],
  ['longer', `${tokenOf(1)}00`],
  ['no hex', 'g'.repeat(64)],
  ['a character that is a digit in its low byte', `\u0130${tokenOf(1).slice(1)}`],
  ['empty', ''],
])('a text that is no token is not known: %s', (_name, text) => {
  const cache = new TokenCache(100)
  cache.set(recordOf(1))
  expect(cache.get(text)).toBeUndefined()
})

test('behaves as a map that may forget', () => {
  const operation = fc.record({
    kind: fc.constantFrom('set', 'delete', 'get'),
    index: fc.nat(40),
    device: fc.integer({ min: 1, max: 1000 }),
  })
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 400 }),
      fc.constantFrom(3, 20, 1000),
      (operations, entriesMax) => {
        const cache = new TokenCache(entriesMax)
        const model = new Map<string, TokenRecord>()
        for (const { kind, index, device } of operations) {
          const token = tokenOf(index)
          if (kind === 'set') {
            const record = recordOf(index, { device })
            cache.set(record)
            model.set(token, record)
            expect(said(cache.get(token))).toEqual(record)
          } else if (kind === 'delete') {
            cache.delete(token)
            model.delete(token)
            expect(cache.get(token)).toBeUndefined()
          } else {
            const found = said(cache.get(token))
            if (found !== undefined) expect(found).toEqual(model.get(token))
            else if (entriesMax === 1000) expect(model.get(token)).toBeUndefined()
          }
        }
      },
    ),
  )
})

import { expect, test } from 'vitest'
import { Faults } from '../../src/faults/faults.ts'
import { faultyRegistry } from '../../src/faults/faulty-registry.ts'
import { TokenCache } from '../../src/registry/token-cache.ts'
import { tokenRecord } from '../../src/registry/token-row.ts'
import { bundleId } from '../memory-authority.ts'

const nowMs = 1_800_000_000_000

test('a token that a rule makes invalid is the same token in all else, also out of the cache', () => {
  const token = 'ab'.repeat(32)
  const cache = new TokenCache(100)
  cache.set(tokenRecord(Buffer.from(token, 'hex'), 7, bundleId, bundleId, 0, nowMs))
  const fault = { kind: 'tokenInvalid', at: nowMs - 5 } as const
  const registry = faultyRegistry(
    { cachedToken: (wanted) => cache.get(wanted), findToken: () => {} },
    new Faults({ now: () => nowMs, plan: { rules: [{ id: 'gone', fault }] } }),
    'http2',
  )
  const record = registry.cachedToken(token)
  expect(record?.token).toBe(token)
  expect(record).toMatchObject({ device: 7, topic: bundleId, inactiveSinceMs: nowMs - 5 })
})

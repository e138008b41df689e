import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import type { KeyRequest } from '../../src/operations.ts'
import { hasOpenssl, openssl } from '../support/openssl.ts'
import { rejection, temporaryDirectory, temporaryPortal } from '../support/temporary-portal.ts'

test('a key is PKCS#8 over P-256, and the portal keeps what verifies its signatures', async () => {
  const dataDir = await temporaryDirectory()
  const portal = await temporaryPortal({ dataDir })
  const key = await portal.keys.create({ name: 'Server' })
  expect(key.keyId).toMatch(/^[A-Z0-9]{10}$/)
  expect(key).toMatchObject({ teamId: portal.team.teamId, environment: 'all', scope: 'team', topics: [] })
  expect(key.privateKeyPem.trim().split('\n')).toHaveLength(5)
  expect(key.privateKeyPem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)

  const message = Buffer.from('header.claims')
  const options = { dsaEncoding: 'ieee-p1363' } as const
  const signature = sign('sha256', message, { key: createPrivateKey(key.privateKeyPem), ...options })
  await portal.close()
  const again = await temporaryPortal({ dataDir })
  const kept = again.lookup.key(key.keyId)
  expect(kept).not.toHaveProperty('privateKeyPem')
  expect(verify('sha256', message, { key: createPublicKey(kept!.publicKeyPem), ...options }, signature)).toBe(
    true,
  )
  expect(
    verify('sha256', message, { key: again.lookup.publicKeyOf(key.keyId)!, ...options }, signature),
  ).toBe(true)
  expect(portal.lookup.publicKeyOf(key.keyId)?.type).toBe('public')
  expect(await again.keys.get(key.keyId)).toEqual(kept)
})

test.skipIf(!hasOpenssl)('openssl reads a .p8 file', async () => {
  const portal = await temporaryPortal()
  const { privateKeyPem } = await portal.keys.create({ name: 'Server' })
  const run = openssl({ 'k.p8': privateKeyPem }, 'pkey', '-in', 'k.p8', '-noout', '-text', '-check')
  expect(run.text).toContain('Key is valid')
  expect(run.text).toContain('NIST CURVE: P-256')
})

test('keys for an environment and for topics keep both; revoked ones stay revoked', async () => {
  const dataDir = await temporaryDirectory()
  const portal = await temporaryPortal({ dataDir })
  const sandbox = await portal.keys.create({ name: 'S', environment: 'sandbox' })
  const topics = await portal.keys.create({
    name: 'T',
    environment: 'production',
    topics: ['a.b', 'a.b.voip'],
  })
  const revoked = await portal.keys.revoke(sandbox.keyId)
  expect(revoked.status).toBe('revoked')
  await portal.close()
  const again = await temporaryPortal({ dataDir })
  expect(again.lookup.key(sandbox.keyId)).toEqual(revoked)
  expect(again.lookup.key(topics.keyId)).toMatchObject({ scope: 'topics', topics: ['a.b', 'a.b.voip'] })
  expect((await again.keys.list()).map(({ keyId }) => keyId).sort()).toEqual(
    [sandbox.keyId, topics.keyId].sort(),
  )
})

test('two keys for topics may be related, each names the other, also after a restart', async () => {
  const dataDir = await temporaryDirectory()
  const portal = await temporaryPortal({ dataDir })
  const told: unknown[] = []
  portal.onChange((change) => told.push(change))
  const first = await portal.keys.create({ name: 'First', topics: ['a.b'] })
  const second = await portal.keys.create({ name: 'Second', topics: ['a.b'], relatedKeyId: first.keyId })
  expect(second.relatedKeyId).toBe(first.keyId)
  expect(portal.lookup.key(first.keyId)).toMatchObject({ relatedKeyId: second.keyId })
  expect(told.at(-1)).toEqual({ type: 'key', keyId: first.keyId, status: 'active' })
  await portal.close()
  const again = await temporaryPortal({ dataDir })
  expect(again.lookup.key(first.keyId)).toMatchObject({ relatedKeyId: second.keyId })
  expect(again.lookup.key(second.keyId)).toMatchObject({ relatedKeyId: first.keyId })
})

test('a key has one related key at most, of its kind and environment', async () => {
  const portal = await temporaryPortal()
  const { keyId } = await portal.keys.create({ name: 'First', topics: ['a.b'], environment: 'sandbox' })
  const team = await portal.keys.create({ name: 'Team', environment: 'sandbox' })
  const revoked = await portal.keys.create({ name: 'Old', topics: ['a.b'], environment: 'sandbox' })
  await portal.keys.revoke(revoked.keyId)
  const related = { name: 'Second', topics: ['a.b'], environment: 'sandbox', relatedKeyId: keyId } as const
  const refused = (request: KeyRequest) => rejection(portal.keys.create(request))
  expect(await refused({ ...related, environment: 'all' })).toMatchObject({ code: 'REQUEST_INVALID' })
  expect(await refused({ ...related, relatedKeyId: team.keyId })).toMatchObject({ code: 'REQUEST_INVALID' })
  expect(await refused({ ...related, relatedKeyId: revoked.keyId })).toMatchObject({
    code: 'REQUEST_INVALID',
  })
  expect(await refused({ ...related, relatedKeyId: 'NOSUCHKEY1' })).toMatchObject({ code: 'KEY_UNKNOWN' })
  expect(await refused({ name: 'Team', environment: 'sandbox', relatedKeyId: keyId })).toMatchObject({
    code: 'REQUEST_INVALID',
  })
  const made = await Promise.allSettled([portal.keys.create(related), portal.keys.create(related)])
  expect(made.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(await refused(related)).toMatchObject({ code: 'REQUEST_INVALID' })
})

test('what makes no sense is refused', async () => {
  const portal = await temporaryPortal()
  expect(await rejection(portal.keys.create({ name: '' }))).toMatchObject({ code: 'NAME_INVALID' })
  expect(await rejection(portal.keys.create({ name: 'K', topics: [] }))).toMatchObject({
    code: 'REQUEST_INVALID',
  })
  const many = Array.from({ length: 401 }, (_, index) => `a.b${index}`)
  expect(await rejection(portal.keys.create({ name: 'K', topics: many }))).toMatchObject({
    code: 'REQUEST_INVALID',
  })
  expect(await rejection(portal.keys.get('NOSUCHKEY0'))).toMatchObject({ code: 'KEY_UNKNOWN' })
  expect(await rejection(portal.keys.revoke('NOSUCHKEY0'))).toMatchObject({ code: 'KEY_UNKNOWN' })
})

test('a key revoked twice at one moment has one time, in memory as on disk', async () => {
  const dataDir = await temporaryDirectory()
  let now = 1_700_000_000_000
  const portal = await temporaryPortal({ dataDir, now: () => now++ })
  const { keyId } = await portal.keys.create({ name: 'K' })
  await Promise.all([portal.keys.revoke(keyId), portal.keys.revoke(keyId)])
  const told = await portal.keys.get(keyId)
  await portal.close()
  expect(await (await temporaryPortal({ dataDir })).keys.get(keyId)).toEqual(told)
})

import { createPrivateKey, createPublicKey, verify } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sharedSigner, TokenSigner } from '../src/token-signer.ts'
import { makeAuthKey } from './support/certificate.ts'

const minute = 60_000
const start = Date.UTC(2026, 0, 5, 12)
const pem = makeAuthKey()
const key = { keyId: 'KEYID00001', teamId: 'TEAMID0001', privateKey: createPrivateKey(pem) }
const issuedAt = (header: string): number =>
  JSON.parse(Buffer.from(header.split('.')[1] ?? '', 'base64url').toString()).iat

test('a token is a JWS with a raw ES256 signature', () => {
  const { header } = new TokenSigner(key).token(start + 7 * minute)
  const [scheme, jwt] = header.split(' ')
  const [head, claims, signature] = (jwt ?? '').split('.')
  expect(scheme).toBe('bearer')
  expect(JSON.parse(Buffer.from(head ?? '', 'base64url').toString())).toEqual({
    alg: 'ES256',
    kid: 'KEYID00001',
  })
  expect(JSON.parse(Buffer.from(claims ?? '', 'base64url').toString())).toEqual({
    iss: 'TEAMID0001',
    iat: start / 1000,
  })
  const raw = Buffer.from(signature ?? '', 'base64url')
  expect(raw.length).toBe(64)
  const publicKey = createPublicKey(key.privateKey)
  const signed = Buffer.from(`${head}.${claims}`)
  expect(verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw)).toBe(true)
})

test('many processes claim the same', () => {
  const tokens = [0, 3, 12, 29].map((minutes) => new TokenSigner(key).token(start + minutes * minute))
  expect(new Set(tokens.map((token) => token.issuedAt))).toEqual(new Set([start / 1000]))
})

test('a token is made at most once in 20 minutes and is never older than 50, whenever it is asked for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 60 * minute }),
      fc.array(fc.integer({ min: 0, max: 40 * minute }), { minLength: 1, maxLength: 40 }),
      (offset, gaps) => {
        const signer = new TokenSigner(key)
        let now = start + offset
        let version = 0
        let madeAt = Number.NEGATIVE_INFINITY
        for (const gap of gaps) {
          const token = signer.token(now)
          if (token.version !== version) {
            expect(now - madeAt).toBeGreaterThanOrEqual(20 * minute)
            madeAt = now
            version = token.version
          }
          expect(issuedAt(token.header)).toBe(token.issuedAt)
          expect(now - token.issuedAt * 1000).toBeLessThanOrEqual(50 * minute)
          expect(token.issuedAt * 1000).toBeLessThanOrEqual(now)
          now += gap
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('an expired token is renewed with the exact time, once in 20 minutes', () => {
  const signer = new TokenSigner(key)
  const now = start + 10 * minute
  const first = signer.token(now)
  expect(signer.renewExpired(first.version, now)).toBe(true)
  const second = signer.token(now)
  expect(second.issuedAt).toBe(now / 1000)
  // Others that were sent with the first token have a newer one to go with; the second is not renewed again.
  expect(signer.renewExpired(first.version, now)).toBe(true)
  expect(signer.renewExpired(second.version, now + minute)).toBe(false)
  expect(signer.token(now + 19 * minute)).toBe(second)
  expect(signer.token(now + 20 * minute).issuedAt).toBe(start / 1000 + 30 * 60)
})

test('in the first second of a window the renewed token still claims another time', () => {
  const signer = new TokenSigner(key)
  const first = signer.token(start)
  expect(signer.renewExpired(first.version, start)).toBe(true)
  expect(signer.token(start).issuedAt).toBe(first.issuedAt + 1)
})

test('a clock that was set back by hours gets a token of its own time', () => {
  const signer = new TokenSigner(key)
  signer.token(start)
  const earlier = start - 180 * minute
  expect(signer.token(earlier).issuedAt).toBe(earlier / 1000)
})

test('one signer per key, key id and team', () => {
  const same = sharedSigner({ ...key, privateKey: createPrivateKey(pem) })
  expect(sharedSigner(key)).toBe(same)
  expect(sharedSigner({ ...key, keyId: 'KEYID00002' })).not.toBe(same)
  expect(sharedSigner({ ...key, teamId: 'TEAMID0002' })).not.toBe(same)
  expect(sharedSigner({ ...key, privateKey: createPrivateKey(makeAuthKey()) })).not.toBe(same)
})

import { createHmac, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeProviderToken, isProviderTokenSigned } from '../../src/gateway/provider-token.ts'
import { base64Url, keyId, newKey, signToken, teamId } from '../memory-authority.ts'

const { publicKey, privateKey } = newKey()
const issuedAt = 1_700_000_000
const good = signToken(privateKey, issuedAt)

function isAccepted(text: string, key = publicKey): boolean {
  const token = decodeProviderToken(text)
  return token !== undefined && isProviderTokenSigned(token, key)
}

test('a token says its key, its team and when it was made', () => {
  expect(decodeProviderToken(good)).toMatchObject({ keyId, teamId, issuedAtMs: issuedAt * 1000 })
})

test.each(['ieee-p1363', 'der'] as const)('a signature in %s form is accepted', (encoding) => {
  // DER has no fixed length: enough tokens to meet the lengths that occur.
  for (let round = 0; round < 50; round++) {
    expect(isAccepted(signToken(privateKey, issuedAt + round, { encoding }))).toBe(true)
  }
})

test('extra header fields and claims are allowed, also a time with a fraction', () => {
  const text = signToken(privateKey, issuedAt, {
    header: { typ: 'JWT' },
    claims: { iat: issuedAt + 0.5, aud: 'x' },
  })
  expect(isAccepted(text)).toBe(true)
})

describe('refused before any signature is looked at', () => {
  const [header, claims, signature] = good.split('.') as [string, string, string]
  const hmac = (signed: string): string => {
    const secret = publicKey.export({ type: 'spki', format: 'pem' })
    return createHmac('sha256', secret).update(signed).digest('base64url')
  }
  const hsSigned = `${base64Url(JSON.stringify({ alg: 'HS256', kid: keyId }))}.${claims}`
  const noneSigned = `${base64Url(JSON.stringify({ alg: 'none', kid: keyId }))}.${claims}`
  // The last character of 64 bytes in base64url holds two bits of data: its other four must be zero.
  const lastCode = signature.charCodeAt(signature.length - 1)
  const otherSpelling = signature.slice(0, -1) + String.fromCharCode(lastCode + 1)

  test.each<[string, string]>([
    ['empty', ''],
    ['two parts', `${header}.${claims}`],
    ['four parts', `${good}.`],
    ['an empty signature', `${header}.${claims}.`],
    ['an empty header', `.${claims}.${signature}`],
    ['padding', `${good}==`],
    ['another spelling of the signature', `${header}.${claims}.${otherSpelling}`],
    ['a line break', `${header}\n.${claims}.${signature}`],
    ['plain base64 characters', `${header}.${claims}.${'+/'.repeat(43)}`],
    ['a header that is no JSON', `${base64Url('{')}.${claims}.${signature}`],
    ['a header that is a list', `${base64Url('["ES256"]')}.${claims}.${signature}`],
    ['claims that are null', `${header}.${base64Url('null')}.${signature}`],
    ['alg none', `${noneSigned}.${signature}`],
    ['alg none without a signature', `${noneSigned}.`],
    ['alg HS256 with the public key as the secret', `${hsSigned}.${hmac(hsSigned)}`],
    ['alg in lower case', signToken(privateKey, issuedAt, { header: { alg: 'es256' } })],
    ['no alg', signToken(privateKey, issuedAt, { header: { alg: undefined } })],
    ['no kid', signToken(privateKey, issuedAt, { header: { kid: undefined } })],
    ['a kid that is too short', signToken(privateKey, issuedAt, { header: { kid: 'KEY' } })],
    ['a kid that is no text', signToken(privateKey, issuedAt, { header: { kid: 1234567890 } })],
    ['a critical extension', signToken(privateKey, issuedAt, { header: { crit: ['b64'], b64: false } })],
    ['no iss', signToken(privateKey, issuedAt, { claims: { iss: undefined } })],
    ['an iss in lower case', signToken(privateKey, issuedAt, { claims: { iss: 'team000001' } })],
    ['no iat', signToken(privateKey, issuedAt, { claims: { iat: undefined } })],
    ['an iat in text', signToken(privateKey, issuedAt, { claims: { iat: String(issuedAt) } })],
    ['a negative iat', signToken(privateKey, -1)],
    ['a huge token', signToken(privateKey, issuedAt, { claims: { pad: 'x'.repeat(3000) } })],
  ])('%s', (_name, text) => {
    expect(decodeProviderToken(text)).toBeUndefined()
  })
})

describe('refused by its signature', () => {
  const [header, claims] = good.split('.') as [string, string]
  const bytes = Buffer.from(good.split('.')[2]!, 'base64url')
  const der = Buffer.from(signToken(privateKey, issuedAt, { encoding: 'der' }).split('.')[2]!, 'base64url')
  const flipped = Buffer.from(bytes)
  flipped[10]! ^= 1

  test.each<[string, Buffer]>([
    ['one bit flipped', flipped],
    ['63 bytes', bytes.subarray(0, 63)],
    ['65 bytes', Buffer.concat([bytes, Buffer.alloc(1)])],
    ['one byte', bytes.subarray(0, 1)],
    ['all zeros', Buffer.alloc(64)],
    ['DER with a byte behind it', Buffer.concat([der, Buffer.alloc(1)])],
    ['DER cut short', der.subarray(0, der.length - 1)],
    ['DER of two zeros', Buffer.from('3006020100020100', 'hex')],
  ])('%s', (_name, signature) => {
    expect(isAccepted(`${header}.${claims}.${signature.toString('base64url')}`)).toBe(false)
  })

  test('of another key', () => {
    expect(isAccepted(good, newKey().publicKey)).toBe(false)
  })

  test('of a key on another curve, or of another kind', () => {
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    expect(isAccepted(signToken(p384.privateKey, issuedAt), p384.publicKey)).toBe(false)
    expect(isAccepted(good, rsa.publicKey)).toBe(false)
  })

  test('claims of another token', () => {
    const [, otherClaims] = signToken(privateKey, issuedAt + 1).split('.') as [string, string]
    expect(isAccepted(`${header}.${otherClaims}.${bytes.toString('base64url')}`)).toBe(false)
  })
})

test('garbage is refused and never throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\w-]*\.[\w-]*\.[\w-]*$/)), (text) => {
      expect(isAccepted(text)).toBe(false)
    }),
  )
})

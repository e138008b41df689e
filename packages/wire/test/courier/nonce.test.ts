import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hexBytes, hexText } from '../../src/bytes/index.ts'
import type { SignatureScheme } from '../../src/courier/index.ts'
import {
  decodeNonce,
  decodeSignature,
  encodeNonce,
  encodeSignature,
  signatureSchemes,
} from '../../src/courier/index.ts'

test('a recorded nonce', () => {
  const bytes = hexBytes('00000001a1ffc87613cdd6f5a3a26690f1')
  const nonce = { timeMs: 1_795_292_689_939, random: hexBytes('cdd6f5a3a26690f1') }
  expect(decodeNonce(bytes)).toEqual(nonce)
  expect(hexText(encodeNonce(nonce))).toBe(hexText(bytes))
})

test('any nonce comes back', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.uint8Array({ minLength: 8, maxLength: 8 }), (timeMs, random) => {
      expect(decodeNonce(encodeNonce({ timeMs, random }))).toEqual({ timeMs, random })
    }),
  )
})

test.each([
  ['too short', '00000001a1ffc87613cdd6f5a3a26690'],
  ['too long', '00000001a1ffc87613cdd6f5a3a26690f1f1'],
  ['empty', ''],
  ['of another type', '01000001a1ffc87613cdd6f5a3a26690f1'],
  ['of an impossible time', '00ff0001a1ffc87613cdd6f5a3a26690f1'],
])('a nonce %s is refused', (_, hex) => {
  expect(() => decodeNonce(hexBytes(hex))).toThrow(expect.objectContaining({ code: 'nonce-invalid' }))
})

test('a nonce needs eight random bytes', () => {
  expect(() => encodeNonce({ timeMs: 0, random: new Uint8Array(7) })).toThrow(
    expect.objectContaining({ code: 'nonce-invalid' }),
  )
})

test.each([
  ['rsa-sha1', '0101aabb'],
  ['ecdsa-p256-sha256', '0102aabb'],
] as const)('a signature by %s', (scheme, hex) => {
  expect(hexText(encodeSignature({ scheme, signature: hexBytes('aabb') }))).toBe(hex)
  expect(decodeSignature(hexBytes(hex))).toEqual({ scheme, signature: hexBytes('aabb') })
})

test('every scheme has a tag of its own', () => {
  const tags = (Object.keys(signatureSchemes) as SignatureScheme[]).map((scheme) =>
    signatureSchemes[scheme].tag.join(),
  )
  expect(new Set(tags).size).toBe(tags.length)
})

test.each(['', '01', '0101', '0102', '0103aa', '0201aa'])('%j is no signature', (hex) => {
  expect(() => decodeSignature(hexBytes(hex))).toThrow(expect.objectContaining({ code: 'signature-invalid' }))
})

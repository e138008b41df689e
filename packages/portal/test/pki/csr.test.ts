import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PortalError } from '../../src/index.ts'
import { readCsr } from '../../src/pki/csr.ts'
import { makeKey, privateKeyPem, publicKeyDer } from '../../src/pki/key.ts'
import { encodePem } from '../../src/pki/pem.ts'
import { hasOpenssl, opensslRequest } from '../support/openssl.ts'
import { makeRequest } from '../support/request.ts'

const p256 = await makeKey('p256')
const good = makeRequest(p256)

/** What `readCsr` says about a request that it refuses. */
function refusal(pem: string): string {
  try {
    readCsr(pem)
  } catch (error) {
    expect(error).toBeInstanceOf(PortalError)
    expect(error).toMatchObject({ code: 'CSR_INVALID', fix: expect.stringContaining('openssl req') })
    return (error as PortalError).message
  }
  throw new Error('the request was accepted')
}

test('the key of a good request comes out, whatever stands around it', async () => {
  const rsa = await makeKey('rsa')
  expect(readCsr(good)).toEqual(publicKeyDer(p256))
  expect(readCsr(makeRequest(rsa))).toEqual(publicKeyDer(rsa))
  expect(readCsr(`Subject: x\r\n${good.replaceAll('\n', '\r\n')}\r\nbye`)).toEqual(publicKeyDer(p256))
  expect(readCsr(good.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'))).toEqual(
    publicKeyDer(p256),
  )
})

describe('requests that are refused', () => {
  const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  const rsa2048 = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const { n } = rsa2048.export({ format: 'jwk' })
  const exponent1 = createPublicKey({ key: { kty: 'RSA', n: n!, e: 'AQ' }, format: 'jwk' })
  const body = good.split('\n').slice(1, -2).join('\n')

  test.each([
    ['nothing', '', 'is empty'],
    ['text', 'hello', 'is not PEM with a CERTIFICATE REQUEST block'],
    ['a private key', privateKeyPem(p256), 'is a private key, which must not leave its owner'],
    ['a certificate', encodePem('CERTIFICATE', Uint8Array.of(0)), 'is a certificate already'],
    ['too much', 'x'.repeat(40_000), 'is far too long'],
    ['other DER', encodePem('CERTIFICATE REQUEST', Uint8Array.of(0x30, 0)), 'cannot be read as PKCS#10'],
    ['cut PEM', good.slice(0, 200), 'is not PEM'],
    ['broken base64', good.replace(body, `${body}!`), 'is not PEM'],
    ['RSA-1024', makeRequest(rsa1024), 'has an RSA key of 1024 bits, at least 2048 are needed'],
    ['RSA with the exponent 1', makeRequest(exponent1, 'sha256-rsa', rsa2048), 'with the exponent 1'],
    ['P-384', makeRequest(p384), 'on the curve secp384r1, which is not supported'],
    ['SHA-1 over RSA', makeRequest(rsa2048, 'sha1-rsa'), 'is signed with SHA-1'],
    ['SHA-1 over P-256', makeRequest(p256, 'sha1-ec'), 'is signed with SHA-1'],
    ['RSA-PSS', makeRequest(rsa2048, 'pss'), 'is signed with an algorithm that is not supported'],
    ['a foreign signature', makeRequest(p256, 'sha256-ec', other), 'is not signed by the key it contains'],
    ['a foreign kind of signature', makeRequest(p256, 'sha256-rsa', rsa2048), 'is not signed by the key'],
  ])('%s', (_, pem, message) => {
    expect(refusal(pem)).toContain(message)
    expect(refusal(pem)).toMatch(/^The certificate signing request .*\.$/)
  })

  test.skipIf(!hasOpenssl)('a key of Ed25519', () => {
    expect(refusal(opensslRequest(['ed25519']))).toContain('type ed25519, which is not supported')
  })
})

test('no changed byte gets through, and none throws anything else', () => {
  const der = Buffer.from(good.split('\n').slice(1, -2).join(''), 'base64')
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Buffer.from(der)
      changed[at] = changed[at]! ^ flip
      refusal(encodePem('CERTIFICATE REQUEST', changed))
    }),
    { numRuns: 300 },
  )
  for (let length = 0; length < der.length; length++) {
    refusal(encodePem('CERTIFICATE REQUEST', der.subarray(0, length)))
  }
})

import { derChildren, readDer } from '@carillon/wire'
import { expect, test } from 'vitest'
import { toDer } from '../../src/pki/asn1.ts'
import { signCrl } from '../../src/pki/crl.ts'
import { makeKey } from '../../src/pki/key.ts'
import { encodeName } from '../../src/pki/name.ts'

test('a list of as many certificates as there may be disabled devices does not exhaust the stack', async () => {
  const revoked = Array.from({ length: 200_000 }, (_, index) => {
    const serial = Buffer.alloc(8, 1)
    serial.writeUInt32BE(index, 4)
    return { serial, at: 1_700_000_000_000 }
  })
  const issuer = { name: toDer(encodeName([['commonName', 'CA']])), key: await makeKey('p256') }
  const crl = signCrl({ number: 1, thisUpdate: 0, nextUpdate: 1, revoked }, issuer)
  const [signedPart] = derChildren(readDer(crl))
  const entries = derChildren(derChildren(signedPart!)[5]!)
  expect(entries).toHaveLength(200_000)
  expect(Buffer.from(entries.at(-1)!.raw).toString('latin1')).toContain('231114221320Z')
}, 30_000)

import { createHash, type KeyObject, sign } from 'node:crypto'
import { bits, integer, nothing, oid, raw, sequence, tagged, toDer } from '../../src/pki/asn1.ts'
import { publicKeyDer } from '../../src/pki/key.ts'
import { encodeName } from '../../src/pki/name.ts'
import { encodePem } from '../../src/pki/pem.ts'

const algorithms = {
  'sha256-ec': ['1.2.840.10045.4.3.2', 'sha256'],
  'sha1-ec': ['1.2.840.10045.4.1', 'sha1'],
  'sha256-rsa': ['1.2.840.113549.1.1.11', 'sha256'],
  'sha1-rsa': ['1.2.840.113549.1.1.5', 'sha1'],
  pss: ['1.2.840.113549.1.1.10', 'sha256'],
} as const

/** A signing request (PKCS#10, RFC 2986 §4) made without openssl, also of kinds that must be refused. */
export function makeRequest(
  key: KeyObject,
  algorithm?: keyof typeof algorithms,
  signer: KeyObject = key,
): string {
  const [id, hash] = algorithms[algorithm ?? (key.asymmetricKeyType === 'rsa' ? 'sha256-rsa' : 'sha256-ec')]
  const signedPart = sequence(
    integer(0),
    encodeName([['commonName', createHash('sha256').update(publicKeyDer(key)).digest('hex').slice(0, 8)]]),
    raw(publicKeyDer(key)),
    tagged(0),
  )
  const identifier = id.startsWith('1.2.840.113549') ? sequence(oid(id), nothing()) : sequence(oid(id))
  const signature = sign(hash, toDer(signedPart), signer)
  return encodePem('CERTIFICATE REQUEST', toDer(sequence(signedPart, identifier, bits(signature))))
}

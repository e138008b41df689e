import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign,
} from 'node:crypto'
import { promisify } from 'node:util'
import { derChildren, readDer } from '@carillon/wire'
import { type Asn1, nothing, oid, sequence } from './asn1.ts'

const generate = promisify(generateKeyPair)

export type KeyType = 'rsa' | 'p256'

/** A new private key. RSA-2048 takes a quarter of a second of one core, P-256 a fraction of a millisecond. */
export async function makeKey(type: KeyType): Promise<KeyObject> {
  if (type === 'p256') return (await generate('ec', { namedCurve: 'P-256' })).privateKey
  return (await generate('rsa', { modulusLength: 2048 })).privateKey
}

/** PKCS#8 PEM. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** PKCS#8 DER. */
export function privateKeyDer(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }))
}

export function readPrivateKey(pem: string): KeyObject {
  return createPrivateKey(pem)
}

/** SubjectPublicKeyInfo of the public half, DER. */
export function publicKeyDer(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
}

/** SubjectPublicKeyInfo of the public half, PEM. */
export function publicKeyPem(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
}

/** RFC 5280 §4.2.1.2 (1): SHA-1 over the bits of the public key. An identifier, not a protection. */
export function keyIdentifier(publicKey: Uint8Array): Uint8Array {
  const bitString = derChildren(readDer(publicKey))[1]
  if (bitString === undefined) throw new Error('a public key has no bits')
  return new Uint8Array(createHash('sha1').update(bitString.content.subarray(1)).digest())
}

/** AlgorithmIdentifier of `signDer`: sha256WithRSAEncryption (RFC 4055 §5) or ecdsa-with-SHA256 (RFC 5758 §3.2). */
export function signatureAlgorithm(key: KeyObject): Asn1 {
  return key.asymmetricKeyType === 'rsa'
    ? sequence(oid('1.2.840.113549.1.1.11'), nothing())
    : sequence(oid('1.2.840.10045.4.3.2'))
}

/** The signature in the form that X.509 wants (DER pair of numbers for ECDSA), with SHA-256. */
export function signDer(bytes: Uint8Array, key: KeyObject): Uint8Array {
  return new Uint8Array(sign('sha256', bytes, { key, dsaEncoding: 'der' }))
}

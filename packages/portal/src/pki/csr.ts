import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { derChildren, derOid, derTag, expectDer, readDer } from '@carillon/wire'
import { PortalError } from '../errors.ts'
import { limits } from '../limits.ts'
import { publicKeyDer } from './key.ts'
import { decodePem } from './pem.ts'

/** Signatures under a request that we accept. SHA-1 and MD5 are not among them. */
const hashOfSignature: Record<string, { hash: string; key: 'rsa' | 'ec' }> = {
  '1.2.840.113549.1.1.11': { hash: 'sha256', key: 'rsa' },
  '1.2.840.113549.1.1.12': { hash: 'sha384', key: 'rsa' },
  '1.2.840.113549.1.1.13': { hash: 'sha512', key: 'rsa' },
  '1.2.840.10045.4.3.2': { hash: 'sha256', key: 'ec' },
  '1.2.840.10045.4.3.3': { hash: 'sha384', key: 'ec' },
  '1.2.840.10045.4.3.4': { hash: 'sha512', key: 'ec' },
}

const weakSignature: Record<string, string> = {
  '1.2.840.113549.1.1.4': 'MD5',
  '1.2.840.113549.1.1.5': 'SHA-1',
  '1.2.840.10045.4.1': 'SHA-1',
}

/**
 * The public key (SPKI, DER) of a certificate signing request in PEM (PKCS#10, RFC 2986), after its own
 * signature was checked. Everything else in the request is ignored: the portal decides about names and
 * extensions. Throws `CSR_INVALID` with a sentence that says what is wrong.
 */
export function readCsr(pem: string): Uint8Array {
  const request = parse(pem)
  const key = readKey(request.publicKey)
  const weak = weakSignature[request.algorithm]
  if (weak !== undefined) throw invalid(`is signed with ${weak}, which no longer proves anything`)
  const known = hashOfSignature[request.algorithm]
  if (known === undefined) {
    throw invalid(`is signed with an algorithm that is not supported (${request.algorithm})`)
  }
  const proven =
    known.key === key.asymmetricKeyType && check(known.hash, request.signedPart, key, request.signature)
  if (!proven) throw invalid('is not signed by the key it contains, or was changed after signing')
  return publicKeyDer(key)
}

interface Request {
  /** The bytes under the signature, as they were sent. */
  readonly signedPart: Uint8Array
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /** OID of the signature. */
  readonly algorithm: string
  readonly signature: Uint8Array
}

function parse(pem: string): Request {
  if (pem.length > limits.csrCharactersMax) throw invalid('is far too long to be one')
  if (pem.trim() === '') throw invalid('is empty')
  if (pem.includes('PRIVATE KEY-----')) throw invalid('is a private key, which must not leave its owner')
  if (pem.includes('BEGIN CERTIFICATE-----')) throw invalid('is a certificate already')
  const der = decodePem(pem, 'CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST')
  if (der === undefined) throw invalid('is not PEM with a CERTIFICATE REQUEST block')
  try {
    return parseDer(der)
  } catch (cause) {
    throw invalid('cannot be read as PKCS#10', cause)
  }
}

/**
 * RFC 2986 §4.2, by the strict reader: pkijs takes BER and would let changed lengths and tags through.
 *
 *   SEQUENCE { SEQUENCE { version 0, subject, publicKey, [0] attributes }, SEQUENCE { OID, NULL? }, BIT STRING }
 */
function parseDer(der: Uint8Array): Request {
  const [info, algorithm, signature, ...rest] = derChildren(expectDer(readDer(der), derTag.sequence, 'it'))
  const [version, , publicKey] = derChildren(expectDer(info, derTag.sequence, 'the signed part'))
  const number = expectDer(version, derTag.integer, 'the version').content
  const [id, parameters] = derChildren(expectDer(algorithm, derTag.sequence, 'the algorithm'))
  const bits = expectDer(signature, derTag.bitString, 'the signature').content
  const plain =
    parameters === undefined || (parameters.tag === derTag.null && parameters.content.length === 0)
  const algorithmId = derOid(id)
  const parametersFit = plain || hashOfSignature[algorithmId] === undefined
  if (rest.length > 0 || number.length !== 1 || number[0] !== 0 || bits[0] !== 0 || !parametersFit) {
    throw new Error('its outline is not that of PKCS#10')
  }
  return {
    signedPart: expectDer(info, derTag.sequence, 'the signed part').raw,
    publicKey: expectDer(publicKey, derTag.sequence, 'the public key').raw,
    algorithm: algorithmId,
    signature: bits.subarray(1),
  }
}

function readKey(spki: Uint8Array): KeyObject {
  let key: KeyObject
  try {
    key = createPublicKey({ key: Buffer.from(spki), type: 'spki', format: 'der' })
  } catch (cause) {
    throw invalid('holds a public key that cannot be read', cause)
  }
  const { modulusLength, namedCurve, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') {
    if (modulusLength === undefined || modulusLength < limits.rsaBitsMin) {
      throw invalid(`has an RSA key of ${modulusLength} bits, at least ${limits.rsaBitsMin} are needed`)
    }
    if (modulusLength > limits.rsaBitsMax) {
      throw invalid(`has an RSA key of ${modulusLength} bits, at most ${limits.rsaBitsMax} are taken`)
    }
    if (publicExponent < 3n) throw invalid(`has an RSA key with the exponent ${publicExponent}`)
    return key
  }
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return key
  const curve = namedCurve === undefined ? '' : ` on the curve ${namedCurve}`
  throw invalid(`has a key of type ${key.asymmetricKeyType}${curve}, which is not supported`)
}

function check(hash: string, bytes: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  try {
    return verify(hash, bytes, { key, dsaEncoding: 'der' }, signature)
  } catch {
    // OpenSSL throws for some malformed signatures instead of answering no.
    return false
  }
}

function invalid(what: string, cause?: unknown): PortalError {
  return new PortalError(
    'CSR_INVALID',
    `The certificate signing request ${what}.`,
    'Make one with: openssl req -new -newkey rsa:2048 -nodes -keyout push.key -subj /CN=push -out push.csr',
    cause,
  )
}

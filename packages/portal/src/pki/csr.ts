import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { CertificationRequest } from 'pkijs'
import { PortalError } from '../errors.ts'
import { limits } from '../limits.ts'
import { bufferOf } from './asn1.ts'
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
  const key = readKey(request)
  const algorithm = request.signatureAlgorithm.algorithmId
  const weak = weakSignature[algorithm]
  if (weak !== undefined) throw invalid(`is signed with ${weak}, which no longer proves anything`)
  const known = hashOfSignature[algorithm]
  if (known === undefined) throw invalid(`is signed with an algorithm that is not supported (${algorithm})`)
  const signature = request.signatureValue.valueBlock.valueHexView
  const proven = known.key === key.asymmetricKeyType && check(known.hash, request.tbsView, key, signature)
  if (!proven) throw invalid('is not signed by the key it contains, or was changed after signing')
  return publicKeyDer(key)
}

function parse(pem: string): CertificationRequest {
  if (pem.length > limits.csrCharactersMax) throw invalid('is far too long to be one')
  if (pem.trim() === '') throw invalid('is empty')
  if (pem.includes('PRIVATE KEY-----')) throw invalid('is a private key, which must not leave its owner')
  if (pem.includes('BEGIN CERTIFICATE-----')) throw invalid('is a certificate already')
  const der = decodePem(pem, 'CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST')
  if (der === undefined) throw invalid('is not PEM with a CERTIFICATE REQUEST block')
  try {
    return CertificationRequest.fromBER(bufferOf(der))
  } catch (cause) {
    throw invalid('cannot be read as PKCS#10', cause)
  }
}

function readKey(request: CertificationRequest): KeyObject {
  let key: KeyObject
  try {
    const spki = Buffer.from(request.subjectPublicKeyInfo.toSchema().toBER())
    key = createPublicKey({ key: spki, type: 'spki', format: 'der' })
  } catch (cause) {
    throw invalid('holds a public key that cannot be read', cause)
  }
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') {
    if (modulusLength === undefined || modulusLength < limits.rsaBitsMin) {
      throw invalid(`has an RSA key of ${modulusLength} bits, at least ${limits.rsaBitsMin} are needed`)
    }
    if (modulusLength > limits.rsaBitsMax) {
      throw invalid(`has an RSA key of ${modulusLength} bits, at most ${limits.rsaBitsMax} are taken`)
    }
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

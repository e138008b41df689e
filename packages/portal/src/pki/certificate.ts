import type { KeyObject } from 'node:crypto'
import { bits, integer, integerBytes, raw, sequence, tagged, time, toDer } from './asn1.ts'
import {
  authorityKeyIdentifier,
  type Extension,
  encodeExtension,
  subjectKeyIdentifier,
} from './extensions.ts'
import { keyIdentifier, publicKeyDer, signatureAlgorithm, signDer } from './key.ts'
import { encodeName, type Name } from './name.ts'

/** Who signs: its subject name in DER, its private key. */
export interface Issuer {
  readonly name: Uint8Array
  readonly key: KeyObject
}

export interface CertificateContents {
  /** 8 bytes, the first one 01..7f. */
  readonly serial: Uint8Array
  readonly subject: Name
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /** Milliseconds since 1970, written in whole seconds. */
  readonly notBefore: number
  readonly notAfter: number
  /**
   * In the order in which they are written. The key identifiers of subject and issuer are named by place only:
   * their values come from the keys.
   */
  readonly extensions: readonly (Extension | 'subjectKeyIdentifier' | 'authorityKeyIdentifier')[]
}

/** Builds and signs an X.509 v3 certificate (RFC 5280 §4.1); DER. */
export function signCertificate(contents: CertificateContents, issuer: Issuer): Uint8Array {
  const extensions = contents.extensions.map((extension) => {
    if (extension === 'subjectKeyIdentifier') return subjectKeyIdentifier(keyIdentifier(contents.publicKey))
    if (extension === 'authorityKeyIdentifier') {
      return authorityKeyIdentifier(keyIdentifier(publicKeyDer(issuer.key)))
    }
    return extension
  })
  const algorithm = signatureAlgorithm(issuer.key)
  const signedPart = sequence(
    tagged(0, integer(2)), // version 3
    integerBytes(contents.serial),
    algorithm,
    raw(issuer.name),
    sequence(time(contents.notBefore), time(contents.notAfter)),
    encodeName(contents.subject),
    raw(contents.publicKey),
    tagged(3, sequence(...extensions.map(encodeExtension))),
  )
  const signature = signDer(toDer(signedPart), issuer.key)
  return toDer(sequence(signedPart, algorithm, bits(signature)))
}

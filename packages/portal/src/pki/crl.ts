import { bits, integer, integerBytes, raw, sequence, tagged, time, toDer } from './asn1.ts'
import type { Issuer } from './certificate.ts'
import { authorityKeyIdentifier, encodeExtension } from './extensions.ts'
import { keyIdentifier, publicKeyDer, signatureAlgorithm, signDer } from './key.ts'

export interface CrlContents {
  /** Rises with every list. */
  readonly number: number
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly revoked: readonly { readonly serial: Uint8Array; readonly at: number }[]
}

/** A certificate revocation list, version 2 (RFC 5280 §5.1); DER. Times are milliseconds since 1970. */
export function signCrl(contents: CrlContents, issuer: Issuer): Uint8Array {
  const algorithm = signatureAlgorithm(issuer.key)
  const entries = contents.revoked.map(({ serial, at }) => sequence(integerBytes(serial), time(at)))
  const extensions = sequence(
    encodeExtension(authorityKeyIdentifier(keyIdentifier(publicKeyDer(issuer.key)))),
    encodeExtension({ oid: '2.5.29.20', critical: false, value: integer(contents.number) }),
  )
  const signedPart = sequence(
    integer(1), // version 2
    algorithm,
    raw(issuer.name),
    time(contents.thisUpdate),
    time(contents.nextUpdate),
    ...(entries.length === 0 ? [] : [sequence(...entries)]), // RFC 5280 §5.1.2.6: absent when empty
    tagged(0, extensions),
  )
  const signature = signDer(toDer(signedPart), issuer.key)
  return toDer(sequence(signedPart, algorithm, bits(signature)))
}

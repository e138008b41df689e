import { bits, derSequence, integer, sequence, tagged, time, toDer } from './asn1.ts'
import type { Issuer } from './certificate.ts'
import { authorityKeyIdentifier, encodeExtension } from './extensions.ts'
import { keyIdentifier, publicKeyDer, signatureAlgorithm, signDer } from './key.ts'

export interface CrlContents {
  /** Rises with every list. */
  readonly number: number
  readonly thisUpdate: number
  readonly nextUpdate: number
  /** Serials as in certificates: 8 bytes, the first one 01..7f. */
  readonly revoked: readonly { readonly serial: Uint8Array; readonly at: number }[]
}

/** A certificate revocation list, version 2 (RFC 5280 §5.1); DER. Times are milliseconds since 1970. */
export function signCrl(contents: CrlContents, issuer: Issuer): Uint8Array {
  const algorithm = toDer(signatureAlgorithm(issuer.key))
  const entries = contents.revoked.map(({ serial, at }) => derSequence([serialNumber(serial), timeOf(at)]))
  const extensions = sequence(
    encodeExtension(authorityKeyIdentifier(keyIdentifier(publicKeyDer(issuer.key)))),
    encodeExtension({ oid: '2.5.29.20', critical: false, value: integer(contents.number) }),
  )
  const signedPart = derSequence([
    toDer(integer(1)), // version 2
    algorithm,
    issuer.name,
    timeOf(contents.thisUpdate),
    timeOf(contents.nextUpdate),
    ...(entries.length === 0 ? [] : [derSequence(entries)]), // RFC 5280 §5.1.2.6: absent when empty
    toDer(tagged(0, extensions)),
  ])
  return derSequence([signedPart, algorithm, toDer(bits(signDer(signedPart, issuer.key)))])
}

function serialNumber(serial: Uint8Array): Uint8Array {
  return Uint8Array.of(0x02, serial.length, ...serial)
}

function timeOf(milliseconds: number): Uint8Array {
  return toDer(time(milliseconds))
}

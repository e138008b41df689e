import { nameOid } from '@carillon/wire'
import { type Asn1, oid, printable, sequence, setOf, utf8 } from './asn1.ts'

/** A distinguished name: attributes in order, each one a relative name of its own. */
export type Name = readonly (readonly [keyof typeof nameOid, string])[]

/**
 * Encodes a name. Every attribute becomes a SET of one: pkijs would put all of them into a single multi-valued
 * relative name (`UID=…+CN=…`), which no verifier matches with what Apple issues.
 */
export function encodeName(name: Name): Asn1 {
  return sequence(
    ...name.map(([attribute, text]) =>
      // RFC 5280 appendix A: countryName is a PrintableString, everything else we write is UTF-8.
      setOf(sequence(oid(nameOid[attribute]), attribute === 'country' ? printable(text) : utf8(text))),
    ),
  )
}

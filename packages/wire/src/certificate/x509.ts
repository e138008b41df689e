import { WireError } from '../wire-error.ts'
import {
  type DerElement,
  derChildren,
  derIntegerHex,
  derOid,
  derTag,
  derText,
  derTime,
  expectDer,
  readDer,
} from './der.ts'

/*
 * RFC 5280 §4.1:
 *
 *   Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue BIT STRING }
 *   TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
 *                                 subjectPublicKeyInfo, [1] issuerUniqueID?, [2] subjectUniqueID?, [3] extensions? }
 */

export interface X509Facts {
  /** Serial number in lower-case hex, without a sign byte. */
  readonly serial: string
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
  /** The subject's attributes in order. */
  readonly subject: readonly { readonly oid: string; readonly text: string }[]
  /** The subject as it is encoded, DER: a view on the input. */
  readonly subjectDer: Uint8Array
  /** SubjectPublicKeyInfo, DER: a view on the input. */
  readonly publicKey: Uint8Array
  /** Extensions by OID; `value` is the DER inside the octet string, a view on the input. */
  readonly extensions: ReadonlyMap<string, { readonly critical: boolean; readonly value: Uint8Array }>
}

/** Attribute types that our certificates use, and the OIDs of RFC 4519. */
export const nameOid = {
  userId: '0.9.2342.19200300.100.1.1',
  commonName: '2.5.4.3',
  organizationalUnit: '2.5.4.11',
  organization: '2.5.4.10',
  country: '2.5.4.6',
} as const

/**
 * Reads an X.509 v3 certificate (DER, for example `getPeerCertificate().raw`). Checks the form only: whether the
 * signature is right is for the TLS layer. Throws `WireError` on anything that is not strict DER.
 */
export function readCertificate(der: Uint8Array): X509Facts {
  const outer = derChildren(expectDer(readDer(der), derTag.sequence, 'the certificate'))
  if (outer.length !== 3) throw corrupt('it does not have three parts')
  const fields = derChildren(expectDer(outer[0], derTag.sequence, 'the signed part'))
  if (fields[0]?.tag !== 0xa0) throw corrupt('it is not version 3')
  const version = derChildren(fields[0])
  if (version.length !== 1 || derIntegerHex(version[0], 'the version') !== '02') {
    throw corrupt('it is not version 3')
  }
  const [, serial, , , validity, subject, publicKey] = fields
  const times = derChildren(expectDer(validity, derTag.sequence, 'the validity'))
  if (times.length !== 2) throw corrupt('the validity does not have two times')
  return {
    serial: derIntegerHex(serial, 'the serial number'),
    notBefore: derTime(times[0]),
    notAfter: derTime(times[1]),
    subject: readName(subject),
    subjectDer: expectDer(subject, derTag.sequence, 'the subject').raw,
    publicKey: expectDer(publicKey, derTag.sequence, 'the public key').raw,
    extensions: readExtensions(fields.slice(7)),
  }
}

/** The first value of an attribute of the subject. */
export function subjectText(facts: X509Facts, oid: string): string | undefined {
  return facts.subject.find((attribute) => attribute.oid === oid)?.text
}

function readName(element: DerElement | undefined): { oid: string; text: string }[] {
  const relativeNames = derChildren(expectDer(element, derTag.sequence, 'the subject'))
  return relativeNames.flatMap((set) =>
    derChildren(expectDer(set, derTag.set, 'a part of the subject')).map((attribute) => {
      const pair = derChildren(expectDer(attribute, derTag.sequence, 'an attribute of the subject'))
      if (pair.length !== 2) throw corrupt('an attribute of the subject is not a pair')
      return { oid: derOid(pair[0]), text: derText(pair[1]) }
    }),
  )
}

function readExtensions(trailing: readonly DerElement[]) {
  const extensions = new Map<string, { critical: boolean; value: Uint8Array }>()
  const wrapper = trailing.find((element) => element.tag === 0xa3)
  if (wrapper === undefined) return extensions
  const list = derChildren(wrapper)
  if (list.length !== 1) throw corrupt('the extensions are not one list')
  for (const element of derChildren(expectDer(list[0], derTag.sequence, 'the list of extensions'))) {
    const parts = derChildren(expectDer(element, derTag.sequence, 'an extension'))
    const oid = derOid(parts[0])
    const flag = parts.length === 3 ? expectDer(parts[1], derTag.boolean, 'the critical flag') : undefined
    if (flag !== undefined && (flag.content.length !== 1 || flag.content[0] !== 0xff)) {
      throw corrupt('a critical flag is not TRUE in its DER form')
    }
    const value = expectDer(parts.at(-1), derTag.octetString, 'the value of an extension')
    if (parts.length > 3) throw corrupt('an extension has too many parts')
    // RFC 5280 §4.2: a certificate must not hold two of one extension.
    if (extensions.has(oid)) throw corrupt(`the extension ${oid} is there twice`)
    extensions.set(oid, { critical: flag !== undefined, value: value.content })
  }
  return extensions
}

function corrupt(message: string): WireError {
  return new WireError('certificate-invalid', `The certificate cannot be read: ${message}.`)
}

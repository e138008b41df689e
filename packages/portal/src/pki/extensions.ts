import { isIP } from 'node:net'
import { pushCertificateOid } from '@carillon/wire'
import {
  type Asn1,
  bits,
  boolean,
  ia5,
  integer,
  nothing,
  octets,
  oid,
  sequence,
  tagged,
  taggedBytes,
  toDer,
  utf8,
} from './asn1.ts'

export interface Extension {
  readonly oid: string
  readonly critical: boolean
  readonly value: Asn1
}

export function encodeExtension(extension: Extension): Asn1 {
  const value = octets(toDer(extension.value))
  // DER leaves out a value that is the default: FALSE is never written.
  return extension.critical
    ? sequence(oid(extension.oid), boolean(true), value)
    : sequence(oid(extension.oid), value)
}

// ---- RFC 5280 §4.2.1 ----

export function subjectKeyIdentifier(keyId: Uint8Array): Extension {
  return { oid: '2.5.29.14', critical: false, value: octets(keyId) }
}

export function authorityKeyIdentifier(keyId: Uint8Array): Extension {
  return { oid: '2.5.29.35', critical: false, value: sequence(taggedBytes(0, keyId)) }
}

export const notACa: Extension = { oid: '2.5.29.19', critical: true, value: sequence() }

export function certificateAuthority(intermediatesMax: number): Extension {
  return { oid: '2.5.29.19', critical: true, value: sequence(boolean(true), integer(intermediatesMax)) }
}

/** KeyUsage of everything that is no CA: bit 0, digitalSignature. */
export const digitalSignature: Extension = {
  oid: '2.5.29.15',
  critical: true,
  value: bits(Uint8Array.of(0x80), 7),
}

/** KeyUsage of a CA: bits 5 and 6, keyCertSign and cRLSign. */
export const signsCertificates: Extension = {
  oid: '2.5.29.15',
  critical: true,
  value: bits(Uint8Array.of(0x06), 1),
}

export const extendedUsage = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  emailProtection: '1.3.6.1.5.5.7.3.4',
} as const

export function extendedKeyUsage(usage: keyof typeof extendedUsage): Extension {
  return { oid: '2.5.29.37', critical: false, value: sequence(oid(extendedUsage[usage])) }
}

export function crlDistributionPoint(url: string): Extension {
  const name = tagged(0, tagged(0, taggedBytes(6, Buffer.from(url, 'ascii'))))
  return { oid: '2.5.29.31', critical: false, value: sequence(sequence(name)) }
}

/** One policy with a notice to read and the address of the practice statement, notice first as Apple has it. */
export function certificatePolicy(policy: string, notice: string, statementUrl: string): Extension {
  const userNotice = sequence(oid('1.3.6.1.5.5.7.2.2'), sequence(utf8(notice)))
  const statement = sequence(oid('1.3.6.1.5.5.7.2.1'), ia5(statementUrl))
  return {
    oid: '2.5.29.32',
    critical: false,
    value: sequence(sequence(oid(policy), sequence(userNotice, statement))),
  }
}

/** DNS names and IP addresses. */
export function subjectAlternativeNames(names: readonly string[]): Extension {
  const value = sequence(
    ...names.map((name) =>
      isIP(name) === 0 ? taggedBytes(2, Buffer.from(name, 'ascii')) : taggedBytes(7, addressBytes(name)),
    ),
  )
  return { oid: '2.5.29.17', critical: false, value }
}

// ---- push certificates ----

/** The mark of an environment: NULL. */
export function environmentMark(environment: 'sandbox' | 'production'): Extension {
  return { oid: pushCertificateOid[environment], critical: false, value: nothing() }
}

/** Topic, list of kinds, topic, list of kinds, … in one flat sequence. */
export function topicList(topics: readonly { topic: string; kinds: readonly string[] }[]): Extension {
  const value = sequence(
    ...topics.flatMap(({ topic, kinds }) => [utf8(topic), sequence(...kinds.map((kind) => utf8(kind)))]),
  )
  return { oid: pushCertificateOid.topics, critical: false, value }
}

/** 4 or 16 bytes of an address that `isIP` accepts. */
function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.'), Number)
  // The URL parser writes every IPv6 address in its canonical form, an embedded IPv4 address included.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return Uint8Array.from(
    groups.flatMap((group) => {
      const value = Number.parseInt(group, 16)
      return [value >> 8, value & 0xff]
    }),
  )
}

import { type KeyObject, X509Certificate } from 'node:crypto'
import { readDeviceCertificate, WireError } from '@carillon/wire'
import type { Authority } from '../authority.ts'

/** Who a device certificate speaks for. */
export interface DeviceIdentity {
  readonly deviceId: string
  readonly publicKey: KeyObject
  /** Of the certificate, lower-case hex; names it when it is revoked. */
  readonly serial: string
}

/** Why a certificate is not accepted, for counters and logs. */
export type DistrustReason =
  | 'certificate unreadable'
  | 'certificate of another authority'
  | 'certificate for another use'
  | 'certificate out of date'
  | 'certificate revoked'

/** Decides whether a certificate is one of our devices. */
export interface DeviceTrust {
  /** @param certificates DER, the device's own first */
  identify(certificates: readonly Uint8Array[], nowMs: number): DeviceIdentity | DistrustReason
}

/** Trusts what the device CA of the authority signed, within its dates, unless it was revoked. */
export class AuthorityDeviceTrust implements DeviceTrust {
  readonly #authority: Authority
  readonly #issuers: readonly Issuer[]

  constructor(authority: Authority) {
    this.#authority = authority
    const all = authority.deviceCaPem.flatMap(certificatesOf)
    // The root signs authorities, not devices; it stands alone only where there is one level.
    const below = all.filter((certificate) => !certificate.checkIssued(certificate))
    this.#issuers = (below.length > 0 ? below : all).map(issuerOf)
  }

  identify(certificates: readonly Uint8Array[], nowMs: number): DeviceIdentity | DistrustReason {
    const [der] = certificates
    if (der === undefined) return 'certificate unreadable'
    const read = readBoth(der)
    if (read === undefined) return 'certificate unreadable'
    const { certificate, facts, publicKey } = read
    const issuer = this.#issuers.find(
      (candidate) =>
        certificate.checkIssued(candidate.certificate) && certificate.verify(candidate.publicKey),
    )
    if (issuer === undefined || certificate.ca) return 'certificate of another authority'
    // RFC 5280 §4.2.1.12; Node calls the extended key usage `keyUsage`.
    if (certificate.keyUsage?.includes(clientAuth) === false) return 'certificate for another use'
    if (nowMs < facts.notBefore || nowMs > facts.notAfter || !isWithin(issuer, nowMs)) {
      return 'certificate out of date'
    }
    if (this.#authority.certificateStatus(facts.serial) === 'revoked') return 'certificate revoked'
    return { deviceId: facts.deviceId, publicKey, serial: facts.serial }
  }
}

const clientAuth = '1.3.6.1.5.5.7.3.2'

function readBoth(der: Uint8Array) {
  try {
    const certificate = new X509Certificate(der)
    return { certificate, facts: readDeviceCertificate(der), publicKey: certificate.publicKey }
  } catch (error) {
    // Bytes from the network: whatever they are, they are no device certificate.
    if (error instanceof WireError || error instanceof Error) return undefined
    throw error
  }
}

/** An authority's certificate with what would be parsed anew at each look. */
interface Issuer {
  readonly certificate: X509Certificate
  readonly publicKey: KeyObject
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

function issuerOf(certificate: X509Certificate): Issuer {
  return {
    certificate,
    publicKey: certificate.publicKey,
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
  }
}

function isWithin(issuer: Issuer, nowMs: number): boolean {
  return nowMs >= issuer.notBeforeMs && nowMs <= issuer.notAfterMs
}

/** Each certificate of a PEM text that may hold several. */
function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}

import { WireError } from '../wire-error.ts'
import { nameOid, readCertificate, subjectText } from './x509.ts'

export interface DeviceCertificateFacts {
  /** The subject's UID. */
  readonly udid: string
  /** The subject's CN: the id that the portal gave to the device. */
  readonly deviceId: string
  /** Serial number in lower-case hex, without a sign byte. */
  readonly serial: string
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
  /** SubjectPublicKeyInfo, DER: a view on the input. */
  readonly publicKey: Uint8Array
}

/**
 * Reads a device certificate of our portal (DER): subject UID = UDID, CN = device id. Throws `WireError` on
 * anything else. Does not check the signature, the chain or the dates.
 */
export function readDeviceCertificate(der: Uint8Array): DeviceCertificateFacts {
  const facts = readCertificate(der)
  const udid = subjectText(facts, nameOid.userId)
  const deviceId = subjectText(facts, nameOid.commonName)
  if (!udid || !deviceId) {
    throw new WireError(
      'certificate-kind-wrong',
      'The certificate is not a device certificate: its subject has no UID or no CN.',
    )
  }
  const { serial, notBefore, notAfter, publicKey } = facts
  return { udid, deviceId, serial, notBefore, notAfter, publicKey }
}

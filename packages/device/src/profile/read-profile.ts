import { X509Certificate } from 'node:crypto'
import { environmentOfApsEnvironment } from '@carillon/wire'
import { fromBER, OctetString } from 'asn1js'
import { Certificate, ContentInfo, ExtKeyUsage, SignedData } from 'pkijs'
import { parse } from 'plist'
import { DeviceError } from '../device-error.ts'
import { limits } from '../limits.ts'
import type { ProvisioningProfile } from './provisioning-profile.ts'

// RFC 5280 §4.2.1.12. The portal's profile signer has the usage emailProtection, as CMS signers do; a push or
// server certificate of the same CA has not, so that its key cannot sign profiles.
const extendedKeyUsageOid = '2.5.29.37'
const emailProtectionOid = '1.3.6.1.5.5.7.3.4'

/**
 * Reads a `.mobileprovision` (CMS SignedData around a property list, RFC 5652) after checking that the portal
 * behind `rootPem` signed it. Dates, device and App ID are checked by `checkProfile`.
 *
 * @param rootPem the root certificate that the signer's chain must lead to
 * @param nowMs milliseconds since 1970: the signer's certificate must be valid then
 * @throws DeviceError `PROFILE_UNREADABLE`, `PROFILE_UNTRUSTED`
 */
export async function readProfile(
  bytes: Uint8Array,
  rootPem: string,
  nowMs: number,
): Promise<ProvisioningProfile> {
  if (bytes.length > limits.profileBytesMax) throw unreadable(`it has ${bytes.length} bytes`)
  const { signed, content } = parseCms(bytes)
  await verify(signed, rootPem, nowMs)
  return profileOf(content)
}

function parseCms(bytes: Uint8Array): { signed: SignedData; content: string } {
  try {
    // BER, not only DER: profiles signed again by other tools have indefinite lengths.
    const parsed = fromBER(bytes.slice().buffer)
    if (parsed.offset === -1) throw new Error('not ASN.1')
    const info = new ContentInfo({ schema: parsed.result })
    const signed = new SignedData({ schema: info.content })
    const held = signed.encapContentInfo.eContent
    if (!held) throw new Error('the signature is detached')
    return { signed, content: Buffer.from(octetsOf(held)).toString('utf8') }
  } catch (cause) {
    throw unreadable('it is not a signed provisioning profile', cause)
  }
}

function octetsOf(held: OctetString): ArrayBuffer {
  // A constructed OCTET STRING (BER) is the concatenation of its parts.
  const parts = held.valueBlock.value.filter((part) => part instanceof OctetString)
  if (parts.length === 0) return held.valueBlock.valueHexView.slice().buffer
  return new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(octetsOf(part))))).buffer
}

async function verify(signed: SignedData, rootPem: string, nowMs: number): Promise<void> {
  const untrusted = (why: string, cause?: unknown) =>
    new DeviceError(
      'PROFILE_UNTRUSTED',
      `The provisioning profile was not signed by this system's portal (${why}).`,
      'Make it with `carillon portal profile create` on the same data directory.',
      cause,
    )
  const root = Certificate.fromBER(new Uint8Array(new X509Certificate(rootPem).raw).buffer)
  try {
    const answer = await signed.verify({
      signer: 0,
      trustedCerts: [root],
      checkChain: true,
      checkDate: new Date(nowMs),
      extendedMode: true,
    })
    if (!answer.signatureVerified || !answer.signerCertificateVerified)
      throw untrusted('its signature does not verify')
    if (!answer.signerCertificate || !maySignProfiles(answer.signerCertificate))
      throw untrusted('its signer may not sign profiles')
  } catch (error) {
    if (error instanceof DeviceError) throw error
    throw untrusted((error as { message?: string }).message || 'its chain does not verify', error)
  }
}

function maySignProfiles(certificate: Certificate): boolean {
  const usage = certificate.extensions?.find(
    (extension) => extension.extnID === extendedKeyUsageOid,
  )?.parsedValue
  return usage instanceof ExtKeyUsage && usage.keyPurposes.includes(emailProtectionOid)
}

function profileOf(text: string): ProvisioningProfile {
  const list = plistOf(text)
  const entitlements = (list.Entitlements ?? {}) as Record<string, unknown>
  const prefixes = list.ApplicationIdentifierPrefix
  const appId = entitlements['application-identifier']
  const teams = list.TeamIdentifier
  if (
    typeof appId !== 'string' ||
    typeof list.UUID !== 'string' ||
    !(list.ExpirationDate instanceof Date) ||
    !Array.isArray(prefixes) ||
    !Array.isArray(teams)
  )
    throw unreadable('its property list lacks the App ID, the UUID, the team or the expiration date')
  const prefix = prefixes.find(
    (candidate) => typeof candidate === 'string' && appId.startsWith(`${candidate}.`),
  )
  const devices = list.ProvisionedDevices
  return {
    uuid: list.UUID,
    name: typeof list.Name === 'string' ? list.Name : '',
    teamId: String(teams[0] ?? ''),
    bundleId: prefix === undefined ? appId : appId.slice(prefix.length + 1),
    expiresAtMs: list.ExpirationDate.getTime(),
    devices: Array.isArray(devices) ? devices.map(String) : undefined,
    allDevices: list.ProvisionsAllDevices === true,
    environment: environmentOfApsEnvironment(entitlements['aps-environment']),
  }
}

function plistOf(text: string): Record<string, unknown> {
  // The parser would write to stderr about what is no XML at all.
  if (!text.includes('<plist')) throw unreadable('its content is not a property list')
  try {
    const list = parse(text)
    if (typeof list === 'object' && list !== null && !Array.isArray(list))
      return list as Record<string, unknown>
  } catch (cause) {
    throw unreadable('its content is not a property list', cause)
  }
  throw unreadable('its content is not a dictionary')
}

function unreadable(why: string, cause?: unknown): DeviceError {
  return new DeviceError(
    'PROFILE_UNREADABLE',
    `The provisioning profile cannot be read: ${why}.`,
    'Name a .mobileprovision file that the portal made.',
    cause,
  )
}

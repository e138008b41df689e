import type { PushCertificateKind, Team } from '../operations.ts'
import type { CertificateContents } from './certificate.ts'
import {
  certificateAuthority,
  certificatePolicy,
  crlDistributionPoint,
  digitalSignature,
  environmentMark,
  extendedKeyUsage,
  notACa,
  signsCertificates,
  subjectAlternativeNames,
  topicList,
} from './extensions.ts'
import type { Name } from './name.ts'

/** What differs between the kinds of certificates: everything but serial number, public key and dates. */
export type CertificateLayout = Pick<CertificateContents, 'subject' | 'extensions'> & {
  readonly validityDays: number
}

/** Where the addresses inside certificates point, and whose certificates they are. */
export interface IssuanceContext {
  readonly team: Team
  /** Base of the CRL and policy addresses, without a slash at the end. */
  readonly publicUrl: string
}

export type AuthorityName = 'root' | 'issuing' | 'device'

const authorities = {
  root: { commonName: 'Carillon Root CA', years: 20, intermediatesMax: 1 },
  issuing: { commonName: 'Carillon Issuing CA', years: 10, intermediatesMax: 0 },
  device: { commonName: 'Carillon Device CA', years: 10, intermediatesMax: 0 },
} as const

/** Country, organization, unit, common name: the order of Apple's own CA names. */
export function authorityLayout(name: AuthorityName, { team }: IssuanceContext): CertificateLayout {
  const { commonName, years, intermediatesMax } = authorities[name]
  return {
    subject: [
      ['country', country],
      ['organization', team.name],
      ['organizationalUnit', team.teamId],
      ['commonName', commonName],
    ],
    validityDays: years * 365,
    extensions: [
      certificateAuthority(intermediatesMax),
      ...(name === 'root' ? [] : ['authorityKeyIdentifier' as const]),
      'subjectKeyIdentifier',
      signsCertificates,
    ],
  }
}

/** How the kinds of push certificates differ: name, whether the team's name is in the subject, marks, topics. */
const pushKinds = {
  sandbox: { commonName: 'Apple Development IOS Push Services: ', teamName: false, marks: ['sandbox'] },
  production: { commonName: 'Apple Production IOS Push Services: ', teamName: false, marks: ['production'] },
  universal: { commonName: 'Apple Push Services: ', teamName: true, marks: ['sandbox', 'production'] },
} as const satisfies Record<PushCertificateKind, unknown>

/**
 * A push certificate, field by field as on certificates that Apple issued: order of the subject's attributes,
 * order and criticality of the extensions, 13 months. The names keep Apple's words because client libraries
 * tell the environment from them.
 */
export function pushLayout(
  kind: PushCertificateKind,
  bundleId: string,
  { team, publicUrl }: IssuanceContext,
): CertificateLayout {
  const { commonName, teamName, marks } = pushKinds[kind]
  const subject: Name = [
    ['userId', bundleId],
    ['commonName', `${commonName}${bundleId}`],
    ['organizationalUnit', team.teamId],
    ...(teamName ? [['organization', team.name] as const] : []),
    ['country', country],
  ]
  return {
    subject,
    validityDays: 395,
    extensions: [
      'subjectKeyIdentifier',
      notACa,
      'authorityKeyIdentifier',
      certificatePolicy(pushPolicy, policyNotice, `${publicUrl}/v1/ca`),
      crlDistributionPoint(`${publicUrl}/crl/issuing.crl`),
      digitalSignature,
      extendedKeyUsage('clientAuth'),
      ...marks.map(environmentMark),
      ...(kind === 'universal' ? [topicList(topicsOf(bundleId))] : []),
    ],
  }
}

/** The topics that a universal certificate of an app lists. */
function topicsOf(bundleId: string): { topic: string; kinds: string[] }[] {
  return [
    { topic: bundleId, kinds: ['app'] },
    { topic: `${bundleId}.voip`, kinds: ['voip'] },
    { topic: `${bundleId}.complication`, kinds: ['complication'] },
  ]
}

export function serverLayout(
  names: readonly string[],
  validityDays: number,
  { team, publicUrl }: IssuanceContext,
): CertificateLayout {
  return {
    subject: [
      ['commonName', names[0] ?? 'localhost'],
      ['organizationalUnit', team.teamId],
      ['organization', team.name],
      ['country', country],
    ],
    validityDays,
    extensions: [
      'subjectKeyIdentifier',
      notACa,
      'authorityKeyIdentifier',
      subjectAlternativeNames(names),
      crlDistributionPoint(`${publicUrl}/crl/issuing.crl`),
      digitalSignature,
      extendedKeyUsage('serverAuth'),
    ],
  }
}

/** UID = UDID, CN = device id. */
export function deviceLayout(udid: string, deviceId: string, context: IssuanceContext): CertificateLayout {
  return {
    subject: [
      ['userId', udid],
      ['commonName', deviceId],
      ['organizationalUnit', 'Carillon Device'],
      ['country', country],
    ],
    validityDays: 5 * 365,
    extensions: [
      'subjectKeyIdentifier',
      notACa,
      'authorityKeyIdentifier',
      crlDistributionPoint(`${context.publicUrl}/crl/device.crl`),
      digitalSignature,
      extendedKeyUsage('clientAuth'),
    ],
  }
}

/** Its usage is what tells it from every other certificate of the issuing CA: a push key must not sign profiles. */
export function profileSignerLayout({ team, publicUrl }: IssuanceContext): CertificateLayout {
  return {
    subject: [
      ['commonName', 'Carillon Provisioning Profile Signing'],
      ['organizationalUnit', team.teamId],
      ['organization', team.name],
      ['country', country],
    ],
    validityDays: 9 * 365,
    extensions: [
      'subjectKeyIdentifier',
      notACa,
      'authorityKeyIdentifier',
      crlDistributionPoint(`${publicUrl}/crl/issuing.crl`),
      digitalSignature,
      extendedKeyUsage('emailProtection'),
    ],
  }
}

const country = 'US' // as in every certificate of Apple's portal
const pushPolicy = '1.2.840.113635.100.5.1' // the policy that Apple's push certificates name
const policyNotice =
  'Issued by the portal of a private Carillon system for its own push service. Apple neither issued nor trusts it.'

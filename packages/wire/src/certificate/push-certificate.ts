import { WireError } from '../wire-error.ts'
import { derChildren, derTag, derText, expectDer, readDer } from './der.ts'
import { nameOid, readCertificate, subjectText } from './x509.ts'

/** The extensions that make a client certificate a push certificate (read from certificates that Apple issued). */
export const pushCertificateOid = {
  /** NULL: the certificate may be used with the sandbox environment. */
  sandbox: '1.2.840.113635.100.6.3.1',
  /** NULL: the certificate may be used with the production environment. */
  production: '1.2.840.113635.100.6.3.2',
  /** SEQUENCE { (UTF8String topic, SEQUENCE { UTF8String kind … })* }, topic and kinds alternating. */
  topics: '1.2.840.113635.100.6.3.6',
} as const

export interface PushCertificateFacts {
  /** The app that the certificate was issued for: the subject's UID. */
  readonly bundleId: string
  /** The team that the certificate was issued to: the subject's organizational unit; '' where there is none. */
  readonly teamId: string
  /** What it may send to. Without a topic list in the certificate: the bundle id, kind `app`. */
  readonly topics: readonly { readonly topic: string; readonly kinds: readonly string[] }[]
  readonly environments: readonly ('sandbox' | 'production')[]
  /** Serial number in lower-case hex, without a sign byte. */
  readonly serial: string
  /** Milliseconds since 1970. */
  readonly notBefore: number
  readonly notAfter: number
  readonly subjectCommonName: string
}

/**
 * What a push certificate (DER) allows its holder to do. Throws `WireError` on anything that is not strict DER
 * and on certificates that are no push certificates (no UID, or neither environment). Does not check the
 * signature, the chain or the dates.
 */
export function readPushCertificate(der: Uint8Array): PushCertificateFacts {
  const facts = readCertificate(der)
  const bundleId = subjectText(facts, nameOid.userId)
  if (bundleId === undefined || bundleId === '') throw notPush('its subject has no UID')
  const environments: ('sandbox' | 'production')[] = []
  for (const environment of ['sandbox', 'production'] as const) {
    if (facts.extensions.has(pushCertificateOid[environment])) environments.push(environment)
  }
  if (environments.length === 0) throw notPush('it names neither the sandbox nor the production environment')
  const list = facts.extensions.get(pushCertificateOid.topics)
  return {
    bundleId,
    teamId: subjectText(facts, nameOid.organizationalUnit) ?? '',
    topics: list === undefined ? [{ topic: bundleId, kinds: ['app'] }] : readTopicList(list.value),
    environments,
    serial: facts.serial,
    notBefore: facts.notBefore,
    notAfter: facts.notAfter,
    subjectCommonName: subjectText(facts, nameOid.commonName) ?? '',
  }
}

function readTopicList(value: Uint8Array): { topic: string; kinds: string[] }[] {
  const elements = derChildren(expectDer(readDer(value), derTag.sequence, 'the topic list'))
  const topics: { topic: string; kinds: string[] }[] = []
  for (let index = 0; index < elements.length; index += 2) {
    const topic = derText(expectDer(elements[index], derTag.utf8String, 'a topic'))
    const kinds = derChildren(expectDer(elements[index + 1], derTag.sequence, 'the kinds of a topic'))
    topics.push({
      topic,
      kinds: kinds.map((kind) => derText(expectDer(kind, derTag.utf8String, 'the kind of a topic'))),
    })
  }
  return topics
}

function notPush(message: string): WireError {
  return new WireError('certificate-kind-wrong', `The certificate is not a push certificate: ${message}.`)
}

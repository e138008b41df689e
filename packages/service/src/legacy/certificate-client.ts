import { bundleIdOf, type PushCertificateFacts } from '@carillon/wire'
import type { Authority } from '../authority.ts'
import {
  type CertificateCheck,
  type ClientCertificate,
  checkCertificate,
  isInForce,
  isOfTeam,
  pushCertificateOf,
} from '../gateway/client-certificate.ts'

/** A client of the original protocol: its certificate says who it is, there is nothing else. */
export interface CertificateClient {
  readonly facts: PushCertificateFacts
  /** The topics of the certificate whose App ID has push; never empty. */
  readonly topics: readonly string[]
}

/** What the answer depends on beside the certificate. */
export interface ClientCheck extends CertificateCheck {
  readonly authority: Pick<Authority, 'app' | 'certificateStatus'>
  readonly now: () => number
}

/**
 * The client behind a certificate; undefined where there is none, where it is not trusted, expired, revoked or
 * unknown to the portal, of the other environment, no push certificate, or of apps without push.
 */
export function certificateClientOf(
  certificate: ClientCertificate | undefined,
  check: ClientCheck,
): CertificateClient | undefined {
  const facts = certificate && pushCertificateOf(certificate)
  return facts && examineClient(facts, check)
}

/** The same for a client that was let in before: its certificate may have been revoked or expired meanwhile. */
export function examineClient(
  facts: PushCertificateFacts,
  check: ClientCheck,
): CertificateClient | undefined {
  if (!isInForce(facts, check.now()) || checkCertificate(facts, check) !== undefined) return undefined
  const topics = facts.topics
    .map(({ topic }) => topic)
    .filter((topic) => {
      const app = check.authority.app(bundleIdOf(topic) ?? '')
      return app?.pushEnabled === true && isOfTeam(facts, app.teamId)
    })
  return topics.length === 0 ? undefined : { facts, topics }
}

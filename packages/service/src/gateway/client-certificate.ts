import type { TLSSocket } from 'node:tls'
import {
  type Environment,
  type PushCertificateFacts,
  type Reason,
  readPushCertificate,
  reasons,
  WireError,
} from '@carillon/wire'
import type { Authority } from '../authority.ts'

/** What the TLS layer found out about a client certificate. */
export interface ClientCertificate {
  readonly der: Uint8Array
  /** The chain leads to a push CA of the authority and every date in it holds. */
  readonly isTrusted: boolean
}

/** What the worth of a push certificate depends on, beside its dates. */
export interface CertificateCheck {
  readonly environment: Environment
  readonly authority: Pick<Authority, 'certificateStatus'>
}

/** The client certificate of a connection whose handshake is done; undefined where there was none. */
export function clientCertificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? undefined : { der: certificate.raw, isTrusted: socket.authorized }
}

/** What a push certificate says; undefined where it is not trusted, or is for something else than push. */
export function pushCertificateOf({ der, isTrusted }: ClientCertificate): PushCertificateFacts | undefined {
  if (!isTrusted) return undefined
  try {
    return readPushCertificate(der)
  } catch (cause) {
    // Signed by the CA, but no push certificate.
    if (cause instanceof WireError) return undefined
    throw cause
  }
}

/** Why the portal does not let the certificate push here; holds until the authority tells of a change. */
export function checkCertificate(
  { serial, environments }: PushCertificateFacts,
  { environment, authority }: CertificateCheck,
): Reason | undefined {
  // The registry of certificates decides, not a revocation list: an unknown serial is no certificate of ours.
  if (authority.certificateStatus(serial) !== 'good') return reasons.BadCertificate
  return environments.includes(environment) ? undefined : reasons.BadCertificateEnvironment
}

/** A connection may outlive its certificate, so this is asked again and again. */
export function isInForce({ notBefore, notAfter }: PushCertificateFacts, nowMs: number): boolean {
  return nowMs >= notBefore && nowMs <= notAfter
}

/** Whether an app of that team is meant: an App ID may have been taken up by another one since. */
export function isOfTeam(facts: PushCertificateFacts, teamId: string): boolean {
  return facts.teamId === '' || facts.teamId === teamId
}

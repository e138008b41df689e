import type { TLSSocket } from 'node:tls'
import {
  type PushCertificateFacts,
  type PushType,
  pushTypes,
  type Reason,
  readPushCertificate,
  reasons,
  WireError,
} from '@carillon/wire'
import type { Credentials } from './credentials.ts'
import type { Gateway } from './gateway.ts'

/** What the TLS layer found out about a client certificate. */
export interface ClientCertificate {
  readonly der: Uint8Array
  /** The chain leads to a push CA of the authority and every date in it holds. */
  readonly isTrusted: boolean
}

/** The client certificate of a connection whose handshake is done; undefined where there was none. */
export function clientCertificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? undefined : { der: certificate.raw, isTrusted: socket.authorized }
}

/** A connection with a client certificate. `authorization` means nothing on it. */
export class CertificateCredentials implements Credentials {
  readonly defaultTopic: string
  readonly grant: object = this
  readonly #gateway: Gateway
  readonly #facts: PushCertificateFacts | undefined
  #changes = -1
  #rejection: Reason | undefined

  constructor(gateway: Gateway, certificate: ClientCertificate) {
    this.#gateway = gateway
    this.#facts = certificate.isTrusted ? factsOf(certificate.der) : undefined
    const topics = this.#facts?.topics ?? []
    // Apple: "Handling notification responses": with several topics in the certificate the header is needed.
    this.defaultTopic = topics.length === 1 ? topics[0]!.topic : ''
  }

  authenticate(_authorization: string, nowMs: number): Reason | undefined {
    if (this.#changes !== this.#gateway.changes) {
      this.#changes = this.#gateway.changes
      this.#rejection = this.#examine()
    }
    if (this.#rejection !== undefined) return this.#rejection
    // A connection may outlive its certificate.
    const facts = this.#facts!
    return nowMs < facts.notBefore || nowMs > facts.notAfter ? reasons.BadCertificate : undefined
  }

  allowsTopic(topic: string, _bundleId: string, _teamId: string, pushType: PushType | undefined): boolean {
    // Apple: "Sending notification requests to APNs": some push types need token-based authentication.
    if (pushType !== undefined && pushTypes[pushType].authentication === 'token') return false
    return this.#facts?.topics.some((listed) => listed.topic === topic) === true
  }

  #examine(): Reason | undefined {
    const facts = this.#facts
    if (facts === undefined) return reasons.BadCertificate
    // The registry of certificates decides, not a revocation list: an unknown serial is no certificate of ours.
    if (this.#gateway.authority.certificateStatus(facts.serial) !== 'good') return reasons.BadCertificate
    if (!facts.environments.includes(this.#gateway.environment)) return reasons.BadCertificateEnvironment
    return undefined
  }
}

function factsOf(der: Uint8Array): PushCertificateFacts | undefined {
  try {
    return readPushCertificate(der)
  } catch (cause) {
    // Signed by the CA, but for something else than push: every request is answered BadCertificate.
    if (cause instanceof WireError) return undefined
    throw cause
  }
}

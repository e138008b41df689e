import { type PushCertificateFacts, type PushType, pushTypes, type Reason, reasons } from '@carillon/wire'
import type { AuthorityChange } from '../authority.ts'
import {
  type ClientCertificate,
  checkCertificate,
  isInForce,
  isOfTeam,
  pushCertificateOf,
} from './client-certificate.ts'
import type { Credentials } from './credentials.ts'
import type { Gateway } from './gateway.ts'
import type { ProviderIdentity } from './provider-connection.ts'

/** A connection with a client certificate. `authorization` means nothing on it. */
export class CertificateCredentials implements Credentials {
  readonly defaultTopic: string
  readonly grant: object = this
  readonly #gateway: Gateway
  readonly #facts: PushCertificateFacts | undefined
  #changes = -1
  #rejection: Reason | undefined
  #wasAccepted = false

  constructor(gateway: Gateway, certificate: ClientCertificate) {
    this.#gateway = gateway
    this.#facts = pushCertificateOf(certificate)
    const topics = this.#facts?.topics ?? []
    // Apple: "Handling notification responses": with several topics in the certificate the header is needed.
    this.defaultTopic = topics.length === 1 ? topics[0]!.topic : ''
  }

  get identity(): ProviderIdentity {
    if (this.#facts === undefined) return {}
    const { serial, teamId, bundleId } = this.#facts
    return { certificateSerial: serial, bundleId, ...(teamId === '' ? {} : { teamId }) }
  }

  authenticate(_authorization: string, nowMs: number): Reason | undefined {
    if (this.#changes !== this.#gateway.changes) {
      this.#changes = this.#gateway.changes
      this.#rejection =
        this.#facts === undefined ? reasons.BadCertificate : checkCertificate(this.#facts, this.#gateway)
    }
    if (this.#rejection !== undefined) return this.#rejection
    if (!isInForce(this.#facts!, nowMs)) return reasons.BadCertificate
    this.#wasAccepted = true
    return undefined
  }

  allowsTopic(topic: string, _bundleId: string, teamId: string, pushType: PushType | undefined): boolean {
    const facts = this.#facts
    if (facts === undefined || !isOfTeam(facts, teamId)) return false
    const listed = facts.topics.find((each) => each.topic === topic)
    if (listed === undefined) return false
    if (pushType === undefined) return true
    const { authentication, certificateKind } = pushTypes[pushType]
    // Apple: "Sending notification requests to APNs": some push types need token-based authentication.
    if (authentication === 'token') return false
    return certificateKind === undefined || listed.kinds.includes(certificateKind)
  }

  isOver(nowMs: number): Reason | undefined {
    return this.#wasAccepted ? this.authenticate('', nowMs) : undefined
  }

  restsOn(change: AuthorityChange): boolean {
    return change.kind === 'certificate' && change.serial === this.#facts?.serial
  }
}

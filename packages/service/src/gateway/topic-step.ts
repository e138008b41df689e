import { bundleIdOf, checkTopic, type PushHeaders, type PushType, type Reason, reasons } from '@carillon/wire'
import type { Credentials } from './credentials.ts'
import type { Gateway } from './gateway.ts'

/**
 * Step "topic": it has the right form, agrees with the push type, belongs to an App ID with push, and the key or
 * certificate covers it. Remembers the last topic, because most connections push to one.
 */
export class TopicStep {
  readonly #gateway: Gateway
  readonly #credentials: Credentials
  #topic: string | undefined
  #pushType: PushType | undefined
  #grant: object | undefined
  #changes = -1
  #rejection: Reason | undefined

  constructor(gateway: Gateway, credentials: Credentials) {
    this.#gateway = gateway
    this.#credentials = credentials
  }

  check(headers: PushHeaders): Reason | undefined {
    // An empty header counts as none.
    if (headers.topic === '') headers.topic = this.#credentials.defaultTopic
    const { topic, pushType } = headers
    const isSame =
      topic === this.#topic &&
      pushType === this.#pushType &&
      this.#credentials.grant === this.#grant &&
      this.#gateway.changes === this.#changes
    if (!isSame) {
      this.#topic = topic
      this.#pushType = pushType
      this.#grant = this.#credentials.grant
      this.#changes = this.#gateway.changes
      this.#rejection = checkTopic(topic, pushType) ?? this.#checkAllowed(topic, pushType)
    }
    return this.#rejection
  }

  /** One reason for unknown and foreign apps, so that nobody learns which ones exist in other teams. */
  #checkAllowed(topic: string, pushType: PushType | undefined): Reason | undefined {
    const bundleId = bundleIdOf(topic, pushType)
    const app = bundleId === undefined ? undefined : this.#gateway.authority.app(bundleId)
    if (app === undefined || !this.#credentials.allowsTopic(topic, app.bundleId, app.teamId, pushType)) {
      return reasons.TopicDisallowed
    }
    // Unverified against Apple: what is Forbidden there. Here: the right key or certificate, but the push
    // capability of the App ID is switched off.
    return app.pushEnabled ? undefined : reasons.Forbidden
  }
}

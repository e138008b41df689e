import {
  bundleIdOf,
  checkTopic,
  headerBit,
  type PushHeaders,
  type PushType,
  type Reason,
  reasons,
} from '@carillon/wire'
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
    if (!headers.has(headerBit.topic)) headers.topic = this.#credentials.defaultTopic
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

  /** One reason for all of it, so that nobody learns which apps exist in other teams. */
  #checkAllowed(topic: string, pushType: PushType | undefined): Reason | undefined {
    const bundleId = bundleIdOf(topic, pushType)
    const app = bundleId === undefined ? undefined : this.#gateway.authority.app(bundleId)
    if (app === undefined || !app.pushEnabled) return reasons.TopicDisallowed
    return this.#credentials.allowsTopic(topic, app.bundleId, app.teamId, pushType)
      ? undefined
      : reasons.TopicDisallowed
  }
}

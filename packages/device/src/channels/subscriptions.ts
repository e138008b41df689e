import {
  base64Bytes,
  type ChannelTopic,
  courierAckStatus,
  type Environment,
  encodeChannelId,
  isChannelId,
  type MessageOf,
} from '@carillon/wire'
import { closedError } from '../device-error.ts'
import type { Tell } from '../events.ts'
import { limits } from '../limits.ts'
import type { CourierSession } from '../session/courier-session.ts'
import type { DeviceState } from '../state/device-state.ts'
import {
  channelAppMissing,
  channelInvalid,
  channelRefused,
  channelsFull,
  channelUnanswered,
} from './channel-error.ts'
import type { ChannelList, ListedChannel } from './channel-list.ts'

/** What subscriptions need of their device. */
export interface SubscriptionHost {
  readonly state: DeviceState
  readonly list: ChannelList
  /** The session with an environment's courier, while it is connected. */
  session(environment: Environment): CourierSession | undefined
  /** Calls back once after so many milliseconds; returns how to prevent that. */
  after(ms: number, callback: () => void): () => void
  readonly tell: Tell
  failed(error: unknown): void
}

/** A Live Activity that was started with a channel. */
export interface ActivityStart {
  /** UNIX seconds; 0 where the payload had none. */
  readonly activityTimestamp: number
}

/** What a courier was told and has not answered. */
interface Asked {
  readonly environment: Environment
  readonly channels: readonly ListedChannel[]
}

interface Waiting {
  readonly bundleId: string
  readonly channelId: string
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Tells couriers which channels the apps listen to: the whole list on each connection, then what changes. */
export class ChannelSubscriptions {
  readonly #host: SubscriptionHost
  readonly #asked = new Map<number, Asked>()
  readonly #waiting = new Set<Waiting>()
  /** Channels that a courier has taken since the device started. */
  readonly #confirmed = new Set<string>()
  #lastId = 0
  #closed = false

  constructor(host: SubscriptionHost) {
    this.#host = host
  }

  /**
   * Listens to a channel, from now on and after restarts. Resolves when the courier has confirmed it.
   *
   * @param joinedBy for an activity: when it was started, by its `aps.timestamp`; what is older is not shown
   * @throws DeviceError `CHANNEL_UNKNOWN`, `CHANNEL_UNANSWERED` (it is confirmed later), `CHANNEL_INVALID`,
   *   `CHANNEL_LIMIT`, `CHANNEL_APP_MISSING`, `DEVICE_CLOSED`
   */
  async subscribe(bundleId: string, id: string, joinedBy: 'app' | ActivityStart = 'app'): Promise<void> {
    const { list, state } = this.#host
    if (this.#closed) throw closedError()
    const app = state.app(bundleId)
    if (!app) throw channelAppMissing(bundleId)
    if (!isChannelId(id)) throw channelInvalid(id)
    const channelId = encodeChannelId(base64Bytes(id))
    const key = { environment: app.environment, bundleId, channelId }
    if (!list.find(key) && list.size >= limits.channelsMax) throw channelsFull()
    const added =
      joinedBy === 'app' ? list.add(key, 'app') : list.add(key, 'activity', joinedBy.activityTimestamp)
    // Waited for from now on: a connection that comes up while the disk is busy names the channel, too.
    const confirmed = this.#confirmation(bundleId, channelId)
    const asked = added.then(() => {
      const listed = list.find(key)
      if (listed && !this.#confirmed.has(confirmationKey(listed))) this.#ask(app.environment, [listed], false)
      else if (listed) this.#confirm(listed)
    })
    await Promise.all([asked, confirmed])
  }

  /** Listens no more. Resolves when the device cannot forget that. */
  async unsubscribe(bundleId: string, channelId: string): Promise<void> {
    const { list } = this.#host
    const listed = list.of(bundleId).filter((channel) => channel.channelId === channelId)
    const removed = list.remove(...listed)
    for (const channel of listed) {
      const { environment } = channel
      this.#confirmed.delete(confirmationKey(channel))
      const mark = { channelId: base64Bytes(channelId), lastMessageNs: 0n }
      const topic = { topic: bundleId, subscribe: [], unsubscribe: [mark] }
      this.#host.session(environment)?.setChannels(this.#nextId(), { topics: [topic], replace: false })
    }
    this.#refuse(bundleId, channelId, channelRefused(channelId))
    await removed
  }

  /** A connection is up: the courier knows of no channel yet. */
  announce(environment: Environment): void {
    const channels = this.#host.list.all(environment)
    if (channels.length > 0) this.#ask(environment, channels, true)
  }

  /** What was asked on a connection is not answered on another one. */
  disconnected(environment: Environment): void {
    for (const [id, asked] of this.#asked) if (asked.environment === environment) this.#asked.delete(id)
  }

  replied(reply: MessageOf<'channelsReply'>): void {
    const asked = this.#asked.get(reply.id)
    if (!asked) return
    this.#asked.delete(reply.id)
    const { environment, channels } = asked
    if ((reply.status ?? courierAckStatus.ok) === courierAckStatus.ok) {
      for (const channel of channels) this.#confirm(channel)
    } else if (channels.length === 1) {
      this.#gone(channels[0]!)
    } else {
      // One of them, nobody says which.
      for (const channel of channels) this.#ask(environment, [channel], false)
    }
  }

  /** The app was installed: what it listened to in the other environment does not exist in this one. */
  installed(bundleId: string, environment: Environment): Promise<void> {
    const { list } = this.#host
    const left = list.of(bundleId).filter((channel) => channel.environment !== environment)
    for (const channel of left) this.#confirmed.delete(confirmationKey(channel))
    return list.remove(...left)
  }

  async removed(bundleId: string): Promise<void> {
    const channels = this.#host.list.of(bundleId)
    await Promise.all(channels.map(({ channelId }) => this.unsubscribe(bundleId, channelId)))
  }

  close(): void {
    this.#closed = true
    for (const waiting of this.#waiting) waiting.reject(closedError())
    this.#waiting.clear()
  }

  /** Resolves when the courier has taken the channel. */
  #confirmation(bundleId: string, channelId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settled = () => {
        stopTimer()
        this.#waiting.delete(waiting)
      }
      const waiting: Waiting = {
        bundleId,
        channelId,
        resolve: () => {
          settled()
          resolve()
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      }
      const stopTimer = this.#host.after(limits.registerMsMax, () =>
        waiting.reject(channelUnanswered(channelId)),
      )
      this.#waiting.add(waiting)
    })
  }

  #ask(environment: Environment, channels: readonly ListedChannel[], replace: boolean): void {
    const session = this.#host.session(environment)
    if (!session) return
    const id = this.#nextId()
    this.#asked.set(id, { environment, channels })
    session.setChannels(id, { topics: topicsOf(channels), replace })
  }

  #confirm(channel: ListedChannel): void {
    const { bundleId, channelId } = channel
    if (!this.#host.list.find(channel)) return
    const key = confirmationKey(channel)
    if (!this.#confirmed.has(key)) {
      this.#confirmed.add(key)
      this.#host.tell({ event: 'subscribed', bundleId, channelId })
    }
    for (const waiting of this.#waitingFor(bundleId, channelId)) waiting.resolve()
  }

  /** The channel does not exist any more, and will not come back. */
  #gone(channel: ListedChannel): void {
    const { bundleId, channelId } = channel
    this.#confirmed.delete(confirmationKey(channel))
    this.#host.list.remove(channel).catch((error) => this.#host.failed(error))
    this.#host.tell({ event: 'channelGone', bundleId, channelId })
    this.#refuse(bundleId, channelId, channelRefused(channelId))
  }

  #refuse(bundleId: string, channelId: string, error: unknown): void {
    for (const waiting of this.#waitingFor(bundleId, channelId)) waiting.reject(error)
  }

  #waitingFor(bundleId: string, channelId: string): Waiting[] {
    return [...this.#waiting].filter((one) => one.bundleId === bundleId && one.channelId === channelId)
  }

  #nextId(): number {
    this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1
    return this.#lastId
  }
}

function confirmationKey({ environment, bundleId, channelId }: ListedChannel): string {
  return `${environment} ${bundleId} ${channelId}`
}

function topicsOf(channels: readonly ListedChannel[]): ChannelTopic[] {
  const topics = new Map<string, ChannelTopic>()
  for (const { bundleId, channelId, seenNs } of channels) {
    let topic = topics.get(bundleId)
    if (!topic) {
      topic = { topic: bundleId, subscribe: [], unsubscribe: [] }
      topics.set(bundleId, topic)
    }
    topic.subscribe.push({ channelId: base64Bytes(channelId), lastMessageNs: BigInt(seenNs) })
  }
  return [...topics.values()]
}

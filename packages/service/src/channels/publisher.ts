import { channelStoredSecondsMax, type Priority, type Reason, reasons } from '@carillon/wire'
import { limits } from '../limits.ts'
import type { Trace } from '../trace/trace.ts'
import type { Broadcast } from './broadcast.ts'
import type { Channel } from './channel.ts'
import type { ChannelCounters } from './channel-counters.ts'
import type { ChannelTable } from './channel-table.ts'
import type { FanOut } from './fan-out.ts'
import type { StoredBroadcasts } from './stored-broadcasts.ts'

/** What a provider publishes to a channel. */
export interface Publication {
  readonly payload: Uint8Array
  readonly priority: Priority
  /** UNIX seconds. */
  readonly expiration: number
  /** 16 bytes. */
  readonly requestId: Uint8Array
}

export interface PublisherParts {
  readonly table: Pick<ChannelTable, 'keep'>
  readonly stored: StoredBroadcasts
  readonly fanOut: FanOut
  readonly now: () => number
  readonly trace: Pick<Trace, 'broadcast'>
  readonly countersOf: (app: string) => ChannelCounters
}

/** Where a message is until it is handed out; nowhere once its channel is gone. */
type Place = 'disk' | 'memory' | 'none'

/** The way of a broadcast: its place in the channel, the disk, the subscribers. */
export class Publisher {
  readonly #parts: PublisherParts
  /** Broadcasts that were taken and are not handed out yet. */
  #publishing = 0

  constructor(parts: PublisherParts) {
    this.#parts = parts
  }

  /**
   * Takes a message. Resolves when it is on disk where the channel stores it, else when it was handed to every
   * subscriber that is connected; with a reason where it is refused.
   */
  async publish(channel: Channel, publication: Publication): Promise<Reason | undefined> {
    if (channel.publishing >= limits.broadcastsPerChannelMax) return reasons.TooManyRequests
    if (this.#publishing >= limits.broadcastsMax) return reasons.ServiceUnavailable
    const nowMs = this.#parts.now()
    const { app, idBytes: channelId } = channel
    const broadcast: Broadcast = { app, channelId, publishedUs: channel.nextPlace(nowMs), ...publication }
    channel.publishing++
    this.#publishing++
    let place: Place = 'none'
    try {
      const keeping = this.#keep(channel, broadcast, Math.floor(nowMs / 1000))
      const before = channel.onItsWay
      channel.onItsWay = Promise.allSettled([before, keeping]).then(nothing)
      await before
      place = await keeping
    } finally {
      if (place === 'none') this.#published(channel)
    }
    // Deleted while its message was on its way to the disk.
    if (place === 'none') return reasons.ChannelNotRegistered
    this.#parts.trace.broadcast(broadcast, 'received', 0, nowMs)
    if (place === 'disk') this.#parts.trace.broadcast(broadcast, 'stored', 0, this.#parts.now())
    const handedOut = this.#handOut(channel, broadcast)
    if (channel.policy === 0) await handedOut
    return undefined
  }

  /** Puts a message on disk where its channel stores it. */
  async #keep(channel: Channel, broadcast: Broadcast, nowSeconds: number): Promise<Place> {
    const until = Math.min(broadcast.expiration, nowSeconds + channelStoredSecondsMax)
    if (channel.policy === 0 || until <= nowSeconds) return channel.isRegistered ? 'memory' : 'none'
    if (!(await this.#parts.table.keep(broadcast, until))) return 'none'
    channel.storedUs = broadcast.publishedUs
    channel.storedUntil = until
    this.#parts.stored.keep(channel, broadcast)
    return 'disk'
  }

  #handOut(channel: Channel, broadcast: Broadcast): Promise<void> {
    const counters = this.#parts.countersOf(channel.app)
    counters.published++
    return new Promise((resolve) => {
      this.#parts.fanOut.add(channel, broadcast, (delivered) => {
        counters.delivered += delivered
        this.#parts.trace.broadcast(broadcast, 'sent', delivered, this.#parts.now())
        this.#published(channel)
        resolve()
      })
    })
  }

  #published(channel: Channel): void {
    channel.publishing--
    this.#publishing--
  }
}

/** What settled promises gave would otherwise be kept, each inside the next. */
const nothing = () => {}

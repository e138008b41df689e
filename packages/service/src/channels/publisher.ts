import { channelStoredSecondsMax, type Priority, type Reason, reasons } from '@carillon/wire'
import { limits } from '../limits.ts'
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
  readonly countersOf: (app: string) => ChannelCounters
}

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
    let isKept = false
    try {
      const keeping = this.#keep(channel, broadcast, Math.floor(nowMs / 1000))
      const before = channel.onItsWay
      channel.onItsWay = Promise.allSettled([before, keeping]).then(nothing)
      await before
      isKept = await keeping
    } finally {
      if (!isKept) this.#published(channel)
    }
    // Deleted while its message was on its way to the disk.
    if (!isKept) return reasons.ChannelNotRegistered
    const handedOut = this.#handOut(channel, broadcast)
    if (channel.policy === 0) await handedOut
    return undefined
  }

  /** Puts a message on disk where its channel stores it. @returns false where the channel is gone */
  async #keep(channel: Channel, broadcast: Broadcast, nowSeconds: number): Promise<boolean> {
    const until = Math.min(broadcast.expiration, nowSeconds + channelStoredSecondsMax)
    if (channel.policy === 0 || until <= nowSeconds) return channel.isRegistered
    if (!(await this.#parts.table.keep(broadcast, until))) return false
    channel.storedUs = broadcast.publishedUs
    channel.storedUntil = until
    this.#parts.stored.keep(channel, broadcast)
    return true
  }

  #handOut(channel: Channel, broadcast: Broadcast): Promise<void> {
    const counters = this.#parts.countersOf(channel.app)
    counters.published++
    return new Promise((resolve) => {
      this.#parts.fanOut.add(channel, broadcast, (delivered) => {
        counters.delivered += delivered
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

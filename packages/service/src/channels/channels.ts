import type { Database } from '@carillon/database'
import {
  channelIdBytes,
  channelsPerAppMax,
  encodeChannelId,
  type MessageStoragePolicy,
  type Reason,
  reasons,
} from '@carillon/wire'
import type { Authority } from '../authority.ts'
import { limits } from '../limits.ts'
import { type Trace, untraced } from '../trace/trace.ts'
import { AppChannels } from './app-channels.ts'
import { Channel } from './channel.ts'
import { type ChannelCounters, newChannelCounters } from './channel-counters.ts'
import { ChannelError } from './channel-error.ts'
import { ChannelTable } from './channel-table.ts'
import { FanOut } from './fan-out.ts'
import { type Publication, Publisher } from './publisher.ts'
import { StoredBroadcasts } from './stored-broadcasts.ts'

export interface ChannelsOptions {
  /** Open, with the migrations of this package applied. Not closed here. */
  readonly database: Database
  readonly authority: Pick<Authority, 'app' | 'onChange'>
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** Told what becomes of broadcasts; nobody where absent. */
  readonly trace?: Pick<Trace, 'broadcast'>
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (run: () => void) => void
  /** Told what could not be done, in one sentence. */
  readonly onTrouble: (sentence: string, cause: unknown) => void
}

/**
 * The broadcast channels of one environment: every channel in memory and on disk, messages on disk. Whatever
 * resolves is durable. Rejects only where the database fails.
 */
export class Channels {
  readonly stored: StoredBroadcasts
  readonly #options: ChannelsOptions
  readonly #table: ChannelTable
  readonly #publisher: Publisher
  readonly #apps = new Map<string, AppChannels>()
  /** By app; they outlive its channels. */
  readonly #counters = new Map<string, ChannelCounters>()
  /** All channels by id: ids do not repeat among apps either. */
  readonly #byId = new Map<string, Channel>()
  /** Apps whose channels could not be deleted on disk yet, and when that was wanted. */
  readonly #purging = new Map<string, number>()
  readonly #stopFollowing: () => void
  #creating = 0
  #sweptAtMs = 0
  #sweeping: Promise<void> = Promise.resolve()

  private constructor(options: ChannelsOptions) {
    this.#options = options
    this.#table = new ChannelTable(options.database)
    this.stored = new StoredBroadcasts(this.#table)
    this.#publisher = new Publisher({
      table: this.#table,
      stored: this.stored,
      fanOut: new FanOut(options.nextTurn),
      now: options.now,
      trace: options.trace ?? untraced,
      countersOf: (app) => this.#countersOf(app),
    })
    this.#stopFollowing = options.authority.onChange((change) => {
      if (change.kind === 'app' && !this.isEnabled(change.bundleId)) this.#deleteAll(change.bundleId)
    })
  }

  /** Reads every channel; those of apps whose capability was switched off while nobody looked are deleted. */
  static async open(options: ChannelsOptions): Promise<Channels> {
    const channels = new Channels(options)
    await channels.#table.load((channel) => {
      if (channels.isEnabled(channel.app)) channels.#remember(channels.#appOf(channel.app), channel)
      else channels.#purging.set(channel.app, options.now())
    })
    await channels.#purgeAgain()
    return channels
  }

  /** Whether the App ID has the broadcast capability, which only push can have. */
  isEnabled(app: string): boolean {
    const settings = this.#options.authority.app(app)
    return settings?.pushEnabled === true && settings.broadcastEnabled
  }

  /** @param id standard base64 */
  find(app: string, id: string): Channel | undefined {
    const channel = this.#byId.get(id)
    return channel?.app === app ? channel : undefined
  }

  /** Why `find` found nothing: the id never existed, or its channel was deleted. */
  async whyUnknown(app: string, id: string): Promise<Reason> {
    const idBytes = Buffer.from(id, 'base64')
    // Base64 writes some bytes in several ways, of which an id has one.
    const isKnown = encodeChannelId(idBytes) === id && (await this.#table.isKnown(app, idBytes))
    return isKnown ? reasons.ChannelNotRegistered : reasons.BadChannelId
  }

  /** The ids of an app's channels, sorted. */
  list(app: string): string[] {
    return [...(this.#apps.get(app)?.byId.keys() ?? [])].sort()
  }

  /** Counted since the start; undefined for an app that has had no channel since. */
  countersOf(app: string): Readonly<ChannelCounters> | undefined {
    return this.#counters.get(app)
  }

  /** The same for every app that has had a channel since, with how many it has. */
  byApp(): (readonly [app: string, Readonly<ChannelCounters> & { readonly channels: number }])[] {
    return Array.from(this.#counters, ([app, counters]) => {
      return [app, { ...counters, channels: this.#apps.get(app)?.byId.size ?? 0 }] as const
    })
  }

  /** The same for all apps together. */
  get counters(): ChannelCounters {
    const sum = newChannelCounters()
    for (const counters of this.#counters.values()) {
      for (const name of Object.keys(sum) as (keyof ChannelCounters)[]) sum[name] += counters[name]
    }
    return sum
  }

  get size(): number {
    return this.#byId.size
  }

  async create(app: string, policy: MessageStoragePolicy): Promise<Channel | Reason> {
    const own = this.#appOf(app)
    if (own.byId.size + own.creating >= channelsPerAppMax) return reasons.CannotCreateChannelConfig
    if (this.#byId.size + this.#creating >= limits.channelsMax) return reasons.CannotCreateChannelConfig
    own.creating++
    this.#creating++
    try {
      const channel = await this.#add(app, policy)
      // All channels of the app were deleted while this one was on its way, and it with them.
      if (this.#apps.get(app) !== own) return reasons.BroadcastFeatureNotEnabled
      own.counters.created++
      this.#remember(own, channel)
      return channel
    } finally {
      own.creating--
      this.#creating--
    }
  }

  /** False where the channel was deleted by somebody else first. */
  async remove(channel: Channel): Promise<boolean> {
    const removed = await this.#table.remove(channel, this.#options.now())
    if (channel.isRegistered) this.#forget(channel)
    return removed
  }

  /** Takes a message; see `Publisher`. */
  publish(channel: Channel, publication: Publication): Promise<Reason | undefined> {
    return this.#publisher.publish(channel, publication)
  }

  /** Counts a device that begins (1) or ceases (-1) to listen. */
  countSubscription(channel: Channel, change: 1 | -1): void {
    if (!channel.isRegistered) return
    const counters = this.#countersOf(channel.app)
    counters.subscriptions += change
    counters.subscriptionsPeak = Math.max(counters.subscriptionsPeak, counters.subscriptions)
  }

  /** Counts a stored message that was sent to a device that came later. */
  countFromStorage(channel: Channel): void {
    const counters = this.#countersOf(channel.app)
    counters.delivered++
    counters.deliveredFromStorage++
  }

  /** Once a second or so: drops from the disk what is past its time. */
  tick(nowMs: number): void {
    if (Math.abs(nowMs - this.#sweptAtMs) < sweepMs) return
    this.#sweptAtMs = nowMs
    this.#sweeping = this.#sweeping
      .then(() => this.#purgeAgain())
      .then(() => this.#table.sweep(nowMs))
      .catch((cause: unknown) => {
        this.#options.onTrouble('Old broadcast messages could not be deleted; they are tried again.', cause)
      })
  }

  /** Resolves when nothing is being deleted any more. */
  swept(): Promise<void> {
    return this.#sweeping
  }

  /** The database may be closed afterwards. */
  async close(): Promise<void> {
    this.#stopFollowing()
    await this.#sweeping
  }

  async #add(app: string, policy: MessageStoragePolicy): Promise<Channel> {
    for (let attempt = 0; attempt < idAttemptsMax; attempt++) {
      const idBytes = this.#options.random(channelIdBytes)
      const channel = new Channel(encodeChannelId(idBytes), idBytes, app, policy)
      if (await this.#table.add(channel, this.#options.now())) return channel
    }
    throw new ChannelError('CHANNEL_IDS_REPEAT', 'the source of randomness gives the same channel ids again')
  }

  #appOf(app: string): AppChannels {
    let own = this.#apps.get(app)
    if (own === undefined) {
      own = new AppChannels(this.#countersOf(app))
      this.#apps.set(app, own)
    }
    return own
  }

  #countersOf(app: string): ChannelCounters {
    let counters = this.#counters.get(app)
    if (counters === undefined) {
      counters = newChannelCounters()
      this.#counters.set(app, counters)
    }
    return counters
  }

  #remember(own: AppChannels, channel: Channel): void {
    own.add(channel)
    this.#byId.set(channel.id, channel)
  }

  #forget(channel: Channel): void {
    this.#apps.get(channel.app)?.remove(channel)
    this.#byId.delete(channel.id)
    this.stored.forget(channel)
  }

  /** Apple: "Setting up broadcast push notifications": switching the capability off deletes all channels. */
  #deleteAll(app: string): void {
    const own = this.#apps.get(app)
    if (own === undefined) return
    for (const channel of own.byId.values()) this.#forget(channel)
    this.#apps.delete(app)
    const nowMs = this.#options.now()
    this.#table.removeApp(app, nowMs).catch((cause: unknown) => {
      this.#purging.set(app, nowMs)
      this.#options.onTrouble(`The channels of ${app} could not be deleted; it is tried again.`, cause)
    })
  }

  async #purgeAgain(): Promise<void> {
    for (const [app, wantedMs] of this.#purging) {
      await this.#table.removeApp(app, this.#options.now(), wantedMs)
      this.#purging.delete(app)
    }
  }
}

/** How often the disk is looked at for messages past their time. */
const sweepMs = 60_000

/** Ids drawn for one channel: with 16 random bytes the first is as good as certain to be new. */
const idAttemptsMax = 4

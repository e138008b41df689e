import type { Channel } from './channel.ts'
import type { ChannelCounters } from './channel-counters.ts'

/** The channels of one app. Another object takes its place when they were all deleted at once. */
export class AppChannels {
  readonly byId = new Map<string, Channel>()
  readonly counters: ChannelCounters
  /** On their way to the disk. */
  creating = 0

  constructor(counters: ChannelCounters) {
    this.counters = counters
  }

  add(channel: Channel): void {
    this.byId.set(channel.id, channel)
  }

  /** From now on nobody finds the channel, and nobody listens to it. */
  remove(channel: Channel): void {
    if (!this.byId.delete(channel.id)) return
    channel.isRegistered = false
    this.counters.subscriptions -= channel.subscribers.size
    this.counters.deleted++
    channel.subscribers.clear()
  }
}

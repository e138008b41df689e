import type { SharedMessage } from '@carillon/wire'
import { limits } from '../limits.ts'
import { RecentMap } from '../recent-map.ts'
import { type Broadcast, sharedBroadcast } from './broadcast.ts'
import type { Channel } from './channel.ts'
import type { ChannelTable } from './channel-table.ts'

interface Kept {
  readonly broadcast: Broadcast
  /** Made for the first device that comes for it. */
  message: SharedMessage | undefined
}

/**
 * Stored messages ready to be sent, for devices that come later: a bounded number in memory, the others on disk. However
 * many devices come for one at a time, it is read once and encoded once.
 */
export class StoredBroadcasts {
  readonly #table: Pick<ChannelTable, 'read'>
  readonly #recent = new RecentMap<Channel, Kept>(limits.storedBroadcastsCachedMax)
  readonly #reading = new Map<Channel, Promise<Broadcast | undefined>>()

  constructor(table: Pick<ChannelTable, 'read'>) {
    this.#table = table
  }

  /** The message was put on disk. */
  keep(channel: Channel, broadcast: Broadcast): void {
    this.#recent.set(channel, { broadcast, message: undefined })
  }

  forget(channel: Channel): void {
    this.#recent.delete(channel)
  }

  /** Calls back at once where memory has it; with undefined where the message is gone. */
  get(
    channel: Channel,
    found: (message: SharedMessage | undefined, publishedUs: number) => void,
  ): Promise<void> {
    const kept = this.#recent.get(channel)
    if (kept !== undefined) {
      found(messageOf(kept), kept.broadcast.publishedUs)
      return Promise.resolve()
    }
    return this.#read(channel).then((broadcast) => {
      if (broadcast === undefined) return found(undefined, 0)
      let read = this.#recent.get(channel)
      // One that was published meanwhile is newer than what was read.
      if (read === undefined || read.broadcast.publishedUs < broadcast.publishedUs) {
        read = { broadcast, message: undefined }
        if (channel.isRegistered) this.#recent.set(channel, read)
      }
      found(messageOf(read), read.broadcast.publishedUs)
    })
  }

  #read(channel: Channel): Promise<Broadcast | undefined> {
    let reading = this.#reading.get(channel)
    if (reading === undefined) {
      const done = () => this.#reading.delete(channel)
      reading = this.#table.read(channel).finally(done)
      this.#reading.set(channel, reading)
    }
    return reading
  }
}

function messageOf(kept: Kept): SharedMessage {
  kept.message ??= sharedBroadcast(kept.broadcast, 'storage')
  return kept.message
}

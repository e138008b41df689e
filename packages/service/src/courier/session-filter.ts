import type { MessageOf } from '@carillon/wire'
import type { TopicWish } from '../delivery/device-link.ts'
import type { TopicHashes } from './topic-hashes.ts'

/** From topic hashes to topics, as far as they are known. */
export type TopicOf = (hash: Uint8Array) => { readonly topic: string } | undefined

/** `opportunistic`: delivered while the device is awake, or together with something else. */
export type FilterWish = TopicWish | 'opportunistic'

/** The topics that a device has named, by the list it put them in. Absent topics are held. */
export class SessionFilter {
  /** By topic; by hash for topics of no App ID yet. */
  readonly #wishes = new Map<string, FilterWish>()
  #hasUnknown = false
  #hasOpportunistic = false

  /** The whole set: a filter replaces the one before it. */
  static from(message: MessageOf<'filter'>, topicOf: TopicOf): SessionFilter {
    const filter = new SessionFilter()
    // A topic in two lists: the later of these lines wins, the one that delivers last.
    filter.#add(message.paused, 'hold', topicOf)
    filter.#add(message.pausedMore, 'hold', topicOf)
    filter.#add(message.ignored, 'drop', topicOf)
    filter.#add(message.ignoredMore, 'drop', topicOf)
    filter.#add(message.opportunistic, 'opportunistic', topicOf)
    filter.#add(message.opportunisticMore, 'opportunistic', topicOf)
    // What does not wake the device is handed to it like the rest: its daemon decides.
    filter.#add(message.nonWaking, 'deliver', topicOf)
    filter.#add(message.nonWakingMore, 'deliver', topicOf)
    filter.#add(message.enabled, 'deliver', topicOf)
    filter.#add(message.enabledMore, 'deliver', topicOf)
    return filter
  }

  get hasOpportunistic(): boolean {
    return this.#hasOpportunistic
  }

  wishFor(topic: string, hashes: TopicHashes): FilterWish {
    const wish = this.#wishes.get(topic)
    if (wish !== undefined) return wish
    return (this.#hasUnknown ? this.#wishes.get(keyOf(hashes.of(topic))) : undefined) ?? 'hold'
  }

  #add(list: readonly Uint8Array[] | undefined, wish: FilterWish, topicOf: TopicOf): void {
    if (list === undefined) return
    if (wish === 'opportunistic' && list.length > 0) this.#hasOpportunistic = true
    for (const hash of list) {
      if (hash.length !== 20) continue
      const known = topicOf(hash)
      if (known === undefined) this.#hasUnknown = true
      this.#wishes.set(known?.topic ?? keyOf(hash), wish)
    }
  }
}

/** A hash as a map key that no topic can be: topics are no 20 characters with a leading space. */
function keyOf(hash: Uint8Array): string {
  return ` ${Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('latin1')}`
}

import { topicHash } from '@carillon/wire'
import { limits } from '../limits.ts'
import { RecentMap } from '../recent-map.ts'

/** The hashes of topics, kept ready for the next message of the same topic. */
export class TopicHashes {
  readonly #byTopic = new RecentMap<string, Uint8Array>(limits.topicHashesCachedMax)

  /** 20 bytes. */
  of(topic: string): Uint8Array {
    const known = this.#byTopic.get(topic)
    if (known !== undefined) return known
    const hash = topicHash(topic)
    this.#byTopic.set(topic, hash)
    return hash
  }
}

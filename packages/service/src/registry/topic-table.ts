import { pushTypeTable, topicHash } from '@carillon/wire'
import type { Authority } from '../authority.ts'

/** What a topic hash stands for. */
export interface KnownTopic {
  readonly bundleId: string
  /** The bundle id, with or without the suffix of a push type. */
  readonly topic: string
}

/**
 * From the SHA-1 hashes that devices send to topics: every App ID with push, bare and with every suffix of the
 * push type table. Follows the changes of the authority until `close`.
 */
export class TopicTable {
  readonly #byHash = new Map<string, KnownTopic>()
  readonly #authority: Authority
  readonly close: () => void

  constructor(authority: Authority) {
    this.#authority = authority
    for (const app of authority.apps()) this.#refresh(app.bundleId)
    this.close = authority.onChange((change) => {
      if (change.kind === 'app') this.#refresh(change.bundleId)
    })
  }

  topicOf(hash: Uint8Array): KnownTopic | undefined {
    return this.#byHash.get(keyOf(hash))
  }

  #refresh(bundleId: string): void {
    const hasPush = this.#authority.app(bundleId)?.pushEnabled === true
    for (const suffix of suffixes) {
      const topic = bundleId + suffix
      const key = keyOf(topicHash(topic))
      if (hasPush) this.#byHash.set(key, { bundleId, topic })
      else this.#byHash.delete(key)
    }
  }
}

/** '' is among them: the bare bundle id. The topic of mdm is no bundle id and has no tokens here. */
const suffixes: readonly string[] = [
  ...new Set(pushTypeTable.filter((row) => row.topicBase === 'bundleId').map((row) => row.suffix)),
]

/** 20 bytes as 20 one-byte characters: the cheapest key of a Map. */
function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('latin1')
}

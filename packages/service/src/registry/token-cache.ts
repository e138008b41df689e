import type { TokenRecord } from './registry.ts'
import { TokenTable, wantToken } from './token-table.ts'
import type { KnownTopic } from './topic-table.ts'

/** Slots of the first table: what a small system needs. */
const firstSlots = 1024

/**
 * The tokens that were used lately, in two generations: a full table becomes the old one and a new table takes
 * over, twice as large until the limit is reached. What is found in the old one moves to the new one. So the
 * cache grows and forgets without ever stopping to move everything.
 */
export class TokenCache {
  readonly #slotsMax: number
  readonly #topics: KnownTopic[] = []
  readonly #topicPlaces = new Map<string, number>()
  #young: TokenTable
  #old: TokenTable

  /** @param entriesMax about how many tokens both generations hold together */
  constructor(entriesMax: number) {
    // Each generation is full at three quarters of its slots.
    this.#slotsMax = Math.max(2, 2 ** Math.floor(Math.log2(entriesMax / 1.5)))
    this.#old = new TokenTable(2, this.#topics)
    this.#young = new TokenTable(Math.min(firstSlots, this.#slotsMax), this.#topics)
  }

  /** @param token hex of either case */
  get(token: string): TokenRecord | undefined {
    if (!wantToken(token)) return undefined
    const young = this.#young.find()
    if (young >= 0) return this.#young.recordAt(young)
    const old = this.#old.find()
    if (old < 0) return undefined
    const record = this.#old.recordAt(old)
    if (this.#young.isFull) this.set(record)
    else this.#young.copy(this.#old, old)
    return record
  }

  set(record: TokenRecord): void {
    // Row numbers above 32 bits do not fit into a slot; such tokens are read from the database each time.
    if (!wantToken(record.token) || record.device > 0xffff_ffff) return
    if (this.#young.isFull) {
      this.#old = this.#young
      this.#young = new TokenTable(Math.min(this.#old.slots * 2, this.#slotsMax), this.#topics)
    }
    this.#young.put(record.device, this.#placeOf(record), record.inactiveSinceMs, record.askedDay)
  }

  delete(token: string): void {
    if (!wantToken(token)) return
    this.#young.remove()
    this.#old.remove()
  }

  #placeOf(record: TokenRecord): number {
    const key = `${record.bundleId} ${record.topic}`
    let place = this.#topicPlaces.get(key)
    if (place === undefined) {
      place = this.#topics.push({ bundleId: record.bundleId, topic: record.topic }) - 1
      this.#topicPlaces.set(key, place)
    }
    return place
  }
}

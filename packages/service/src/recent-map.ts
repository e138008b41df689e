/**
 * A map that holds at most `entriesMax` entries and forgets what was not asked for lately. Two generations
 * instead of a linked list: a look-up in the young one costs one map access and moves nothing. When the young
 * generation has half of the limit, it becomes the old one and the former old one is dropped.
 */
export class RecentMap<Key, Value> {
  readonly #generationMax: number
  #young = new Map<Key, Value>()
  #old = new Map<Key, Value>()

  constructor(entriesMax: number) {
    this.#generationMax = Math.max(1, entriesMax >> 1)
  }

  /** An upper bound: an entry that was set anew may be counted in both generations. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(key: Key): Value | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: Key, value: Value): void {
    if (this.#young.size >= this.#generationMax && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }

  delete(key: Key): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }
}

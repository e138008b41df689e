import { bytesEqual } from '../../bytes/compare.ts'
import { packedKeysMax } from '../../limits.ts'

/** What each value of a table costs beside its encoded bytes. */
const entryOverheadBytes = 32

interface Entry<T> {
  readonly value: T
  readonly cost: number
  older: Entry<T> | undefined
}

/**
 * A list whose newest entry has place 0. Most connections keep a few entries for a long time, so it is linked: an
 * array would reserve room for many. What leaves at the old end is cut off when the next frame begins; until then
 * `undo` can take everything back.
 */
class RecentList<T> {
  protected size = 0
  protected newest: Entry<T> | undefined
  #sizeBefore = 0
  #newestBefore: Entry<T> | undefined

  at(place: number): T | undefined {
    return this.entryAt(place)?.value
  }

  /** A frame begins; `undo` comes back to here. */
  begin(): void {
    const hasLeft = this.newest !== this.#newestBefore && this.size <= this.#sizeBefore
    if (hasLeft) {
      const oldest = this.entryAt(this.size - 1)
      if (oldest === undefined) this.newest = undefined
      else oldest.older = undefined
    }
    this.#newestBefore = this.newest
    this.#sizeBefore = this.size
  }

  undo(): void {
    this.newest = this.#newestBefore
    this.size = this.#sizeBefore
  }

  protected entryAt(place: number): Entry<T> | undefined {
    if (place < 0 || place >= this.size) return undefined
    let entry = this.newest
    for (let left = place; left > 0; left--) entry = entry?.older
    return entry
  }

  protected push(value: T, cost: number): void {
    this.newest = { value, cost, older: this.newest }
    this.size++
  }
}

/** The last keys used. Keys are compared as text with one character a byte. */
export class KeyTable extends RecentList<string> {
  indexOf(key: string): number {
    let entry = this.newest
    for (let place = 0; place < this.size; place++, entry = entry?.older) {
      if (entry?.value === key) return place
    }
    return -1
  }

  add(key: string): void {
    this.push(key, 0)
    if (this.size > packedKeysMax) this.size--
  }
}

/**
 * The last cached values within a limit of bytes; the oldest leave. Both ends keep the same table by doing the same
 * steps in the same order.
 */
export class ValueTable<T> extends RecentList<T> {
  readonly #bytesMax: number
  #bytes = 0
  #bytesBefore = 0

  constructor(bytesMax: number) {
    super()
    this.#bytesMax = bytesMax
  }

  /** Whether a value of so many encoded bytes may be cached at all. */
  fits(encodedBytes: number): boolean {
    return encodedBytes + entryOverheadBytes <= this.#bytesMax
  }

  add(value: T, encodedBytes: number): void {
    const cost = encodedBytes + entryOverheadBytes
    this.push(value, cost)
    this.#bytes += cost
    while (this.#bytes > this.#bytesMax) {
      this.#bytes -= this.entryAt(this.size - 1)!.cost
      this.size--
    }
  }

  override begin(): void {
    super.begin()
    this.#bytesBefore = this.#bytes
  }

  override undo(): void {
    super.undo()
    this.#bytes = this.#bytesBefore
  }
}

/** The values of an encoder, as they are encoded. */
export class EncodedTable extends ValueTable<Uint8Array> {
  /** The place of an encoded value, −1 where it is not there. */
  placeOf(encoded: Uint8Array): number {
    let entry = this.newest
    for (let place = 0; place < this.size; place++, entry = entry?.older) {
      if (bytesEqual(entry!.value, encoded)) return place
    }
    return -1
  }
}

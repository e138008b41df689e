import type { NameRecord } from './name-records.ts'

/** What each entry costs beyond its text (RFC 7541 §4.1). */
export const ENTRY_OVERHEAD = 32

/** The table size that holds before any SETTINGS (RFC 9113 §6.5.2). */
const INITIAL_SIZE = 4096

/** The dynamic table of a decoder (RFC 7541 §2.3.2): a ring, the newest entry has index 1. */
export class DecoderTable {
  readonly names: (NameRecord | undefined)[] = []
  readonly values: string[] = []
  readonly wrong: Uint8Array
  /** Bytes held, with the overhead. */
  bytes = 0
  /** Counts insertions and size changes: equal versions mean equal tables. */
  version = 0
  /** Our SETTINGS lowered the limit below the size in use: the next block must begin with an update. */
  mustShrink = false

  readonly #mask: number
  readonly #setting: number
  #limit: number
  #size = INITIAL_SIZE
  #count = 0
  #newest = -1

  constructor(setting: number) {
    this.#setting = setting
    this.#limit = Math.max(setting, INITIAL_SIZE)
    let places = 1
    while (places < this.#limit / ENTRY_OVERHEAD) places *= 2
    this.#mask = places - 1
    this.wrong = new Uint8Array(places)
  }

  settingsAcknowledged(): void {
    this.#limit = this.#setting
    this.mustShrink = this.#size > this.#limit
    // A block that was fine before is not now: it has no update at its beginning.
    if (this.mustShrink) this.version += 1
  }

  /** The place of an entry by its index from 1 (newest), -1 where there is none. */
  slot(index: number): number {
    return index > this.#count ? -1 : (this.#newest - index + 1) & this.#mask
  }

  /** A size update of the peer; false where it is above our limit. */
  resize(size: number): boolean {
    if (size > this.#limit) return false
    this.#size = size
    this.mustShrink = false
    this.version += 1
    this.#evict(size)
    return true
  }

  insert(name: NameRecord, value: string, wrong: boolean): void {
    const bytes = name.text.length + value.length + ENTRY_OVERHEAD
    this.version += 1
    // RFC 7541 §4.4: an entry above the table's size empties the table, and is no error.
    this.#evict(Math.max(0, this.#size - bytes))
    if (bytes > this.#size) return
    this.#newest = (this.#newest + 1) & this.#mask
    this.names[this.#newest] = name
    this.values[this.#newest] = value
    this.wrong[this.#newest] = wrong ? 1 : 0
    this.#count += 1
    this.bytes += bytes
  }

  #evict(bytesMax: number): void {
    while (this.bytes > bytesMax) {
      const oldest = (this.#newest - this.#count + 1) & this.#mask
      this.bytes -= this.names[oldest]!.text.length + this.values[oldest]!.length + ENTRY_OVERHEAD
      this.names[oldest] = undefined
      this.values[oldest] = ''
      this.#count -= 1
    }
  }
}

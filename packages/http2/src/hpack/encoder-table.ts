import type { IndexingPolicy } from '../types.ts'
import { ENTRY_OVERHEAD } from './decoder-table.ts'
import { STATIC_COUNT, staticFieldIndex } from './static-table.ts'

/** A value above this share of the table would push out too much else. */
const ENTRY_SHARE_MAX = 0.5
/** A name whose values never repeat stops entering the table: after so many in a row only every 16th does. */
const FRUITLESS_MAX = 16

/** What the encoder knows of one header name. */
export interface FieldName {
  readonly text: string
  readonly policy: IndexingPolicy
  /** Lowest static index with the name, 0 without. */
  readonly staticIndex: number
  /** Number of the newest dynamic entry with the name, 0 without. */
  newest: number
  /** The value last found or inserted, and its number (dynamic) or negative static index. */
  lastValue: string | undefined
  lastNumber: number
  /** Numbers of all live dynamic entries by value. */
  readonly numbers: Map<string, number>
  /** Values in a row that were inserted and not found again. */
  fruitless: number
}

interface Entry {
  readonly name: FieldName
  readonly value: string
  readonly bytes: number
}

/**
 * The dynamic table of an encoder (RFC 7541 §2.3.2). Entries are numbered in the order of insertion, from 1;
 * an entry is alive while its number is above `evicted`.
 */
export class EncoderTable {
  size: number
  /** Entries ever inserted. */
  inserted = 0
  #evicted = 0
  #bytes = 0
  readonly #entries = new Map<number, Entry>()

  constructor(size: number) {
    this.size = size
  }

  name(text: string, policy: IndexingPolicy, staticIndex: number): FieldName {
    return {
      text,
      policy,
      staticIndex,
      newest: 0,
      lastValue: undefined,
      lastNumber: 0,
      numbers: new Map(),
      fruitless: 0,
    }
  }

  /** The HPACK index of a field, 0 where it is in no table. */
  find(name: FieldName, value: string): number {
    if (name.lastValue === value) {
      const number = name.lastNumber
      if (number < 0) return -number
      if (number > this.#evicted) {
        name.fruitless = 0
        return STATIC_COUNT + 1 + this.inserted - number
      }
    }
    return this.#search(name, value)
  }

  /** The HPACK index of an entry with the name, 0 without. */
  findName(name: FieldName): number {
    if (name.staticIndex !== 0) return name.staticIndex
    return name.newest > this.#evicted ? STATIC_COUNT + 1 + this.inserted - name.newest : 0
  }

  isWorthwhile(name: FieldName, value: string): boolean {
    if (name.text.length + value.length + ENTRY_OVERHEAD > this.size * ENTRY_SHARE_MAX) return false
    name.fruitless += 1
    return name.fruitless <= FRUITLESS_MAX || name.fruitless % 16 === 0
  }

  insert(name: FieldName, value: string): void {
    const bytes = name.text.length + value.length + ENTRY_OVERHEAD
    this.#evict(this.size - bytes)
    this.inserted += 1
    this.#bytes += bytes
    this.#entries.set(this.inserted, { name, value, bytes })
    name.numbers.set(value, this.inserted)
    name.newest = this.inserted
    name.lastValue = value
    name.lastNumber = this.inserted
  }

  resize(size: number): void {
    this.size = size
    this.#evict(size)
  }

  /** Drops all entries; the caller tells the peer by a size update to 0. */
  clear(): void {
    this.#evict(0)
  }

  #search(name: FieldName, value: string): number {
    const number = name.numbers.get(value)
    if (number !== undefined) {
      name.lastValue = value
      name.lastNumber = number
      name.fruitless = 0
      return STATIC_COUNT + 1 + this.inserted - number
    }
    if (name.staticIndex === 0) return 0
    const index = staticFieldIndex(name.text, value)
    if (index !== 0) {
      name.lastValue = value
      name.lastNumber = -index
    }
    return index
  }

  #evict(bytesMax: number): void {
    while (this.#bytes > bytesMax) {
      this.#evicted += 1
      const entry = this.#entries.get(this.#evicted)!
      this.#entries.delete(this.#evicted)
      this.#bytes -= entry.bytes
      if (entry.name.numbers.get(entry.value) === this.#evicted) entry.name.numbers.delete(entry.value)
    }
  }
}

import { bytesEqual } from '../../bytes/compare.ts'
import { packedKeysMax } from '../../limits.ts'

/** What each value of a table costs beside its encoded bytes. */
const entryOverheadBytes = 32

/** The last keys used, newest first. Keys are compared as text with one character a byte. */
export class KeyTable {
  #keys: string[] = []

  indexOf(key: string): number {
    return this.#keys.indexOf(key)
  }

  at(index: number): string | undefined {
    return this.#keys[index]
  }

  add(key: string): void {
    this.#keys.unshift(key)
    if (this.#keys.length > packedKeysMax) this.#keys.pop()
  }

  snapshot(): () => void {
    const keys = this.#keys.slice()
    return () => {
      this.#keys = keys
    }
  }
}

interface Entry<T> {
  value: T
  cost: number
}

/**
 * The last cached values, newest first, within a limit of bytes; the oldest leave. Both ends keep the same
 * table by doing the same steps in the same order.
 */
export class ValueTable<T> {
  readonly #bytesMax: number
  #entries: Entry<T>[] = []
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Whether a value of so many encoded bytes may be cached at all. */
  fits(encodedBytes: number): boolean {
    return encodedBytes + entryOverheadBytes <= this.#bytesMax
  }

  at(index: number): T | undefined {
    return this.#entries[index]?.value
  }

  find(wanted: (value: T) => boolean): number {
    return this.#entries.findIndex((entry) => wanted(entry.value))
  }

  add(value: T, encodedBytes: number): void {
    const cost = encodedBytes + entryOverheadBytes
    this.#entries.unshift({ value, cost })
    this.#bytes += cost
    while (this.#bytes > this.#bytesMax) this.#bytes -= this.#entries.pop()!.cost
  }

  snapshot(): () => void {
    const entries = this.#entries.slice()
    const bytes = this.#bytes
    return () => {
      this.#entries = entries
      this.#bytes = bytes
    }
  }
}

/** The place of an encoded value in an encoder's table, −1 where it is not. */
export function indexOfEncoded(table: ValueTable<Uint8Array>, encoded: Uint8Array): number {
  return table.find((value) => bytesEqual(value, encoded))
}

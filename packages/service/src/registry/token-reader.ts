import type { Database, Statement } from '@carillon/database'
import { limits } from '../limits.ts'
import type { TokenRecord } from './registry.ts'
import { RegistryError } from './registry-error.ts'
import { TokenCache } from './token-cache.ts'
import { tokenColumns, tokenOfRow } from './token-row.ts'

type Found = (error: Error | undefined, record: TokenRecord | undefined) => void

/** One read that is under way, and everybody who waits for it. */
interface Reading {
  readonly waiting: Found[]
  /** The row was changed after the read began: what it brings is not to be believed. */
  isStale: boolean
}

/** Tokens by their hex, from memory where they were used lately, else from the database. */
export class TokenReader {
  readonly #database: Database
  readonly #findToken: Statement
  readonly #cache = new TokenCache(limits.tokensCachedMax)
  readonly #reading = new Map<string, Reading>()
  #waiting = 0

  constructor(database: Database) {
    this.#database = database
    this.#findToken = database.prepare(`SELECT ${tokenColumns} FROM tokens WHERE token = ?`)
  }

  cached(token: string): TokenRecord | undefined {
    return this.#cache.get(token)
  }

  /** Calls back before it returns where the token is in memory. */
  find(token: string, found: Found): void {
    const cached = this.#cache.get(token)
    if (cached !== undefined) {
      found(undefined, cached)
      return
    }
    if (this.#waiting >= limits.tokenReadsWaitingMax) {
      found(new RegistryError('REGISTRY_BUSY', 'too many token look-ups wait for the database'), undefined)
      return
    }
    this.#waiting += 1
    const reading = this.#reading.get(token)
    if (reading !== undefined) {
      reading.waiting.push(found)
      return
    }
    const started: Reading = { waiting: [found], isStale: false }
    this.#reading.set(token, started)
    void this.#read(token, started)
  }

  /** A token that was just written. */
  add(record: TokenRecord): void {
    this.#cache.set(record)
  }

  /** Forgets a token whose row has changed. */
  changed(token: string): void {
    this.#cache.delete(token)
    const reading = this.#reading.get(token)
    if (reading !== undefined) reading.isStale = true
  }

  async #read(token: string, reading: Reading): Promise<void> {
    let record: TokenRecord | undefined
    let failure: Error | undefined
    try {
      do {
        reading.isStale = false
        const row = await this.#database.get(this.#findToken, [Buffer.from(token, 'hex')])
        record = row === undefined ? undefined : tokenOfRow(row).record
      } while (reading.isStale)
    } catch (cause) {
      failure = cause instanceof Error ? cause : new Error(String(cause))
    }
    this.#reading.delete(token)
    this.#waiting -= reading.waiting.length
    if (record !== undefined) this.#cache.set(record)
    for (const found of reading.waiting) found(failure, record)
  }
}

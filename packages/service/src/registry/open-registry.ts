import type { Database, Write } from '@carillon/database'
import { deviceTokenBytes } from '@carillon/wire'
import type { Authority } from '../authority.ts'
import { listGoneTokenSql } from '../feedback/feedback-list.ts'
import { KeyedQueue } from './keyed-queue.ts'
import { type DeviceRecord, dayMs, type Registry, type TokenRecord } from './registry.ts'
import { TokenReader } from './token-reader.ts'
import { deviceOfRow, type StoredToken, tokenColumns, tokenOfRow, tokenRecord } from './token-row.ts'
import { type KnownTopic, TopicTable } from './topic-table.ts'

export interface RegistryOptions {
  /** Open, with the migrations of this package applied. The registry does not close it. */
  readonly database: Database
  readonly authority: Authority
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** Days after which a token ends that its app has not asked for; never where it is 0 or absent. */
  readonly tokenLifeDays?: number
}

/** A registry that can stop following the authority. */
export interface OpenRegistry extends Registry {
  close(): void
}

export function openRegistry(options: RegistryOptions): OpenRegistry {
  return new DatabaseRegistry(options)
}

class DatabaseRegistry implements OpenRegistry {
  readonly #database: Database
  readonly #now: () => number
  readonly #random: (bytes: number) => Uint8Array
  readonly #tokenLifeDays: number
  readonly #topics: TopicTable
  readonly #reader: TokenReader
  /** Issuing looks first and writes then: requests for the same token must not overtake each other. */
  readonly #issuing = new KeyedQueue()
  readonly #enrolling = new KeyedQueue()
  /** Tokens on their way to be inactive: reads do not see it before it is on disk. */
  readonly #ending = new Map<string, Promise<unknown>>()
  /** Tokens that became inactive while somebody looked: what was read may be from before. */
  readonly #endedMeanwhile = new Set<string>()
  #looking = 0
  readonly #statements

  constructor(options: RegistryOptions) {
    this.#database = options.database
    this.#now = options.now
    this.#random = options.random
    this.#tokenLifeDays = options.tokenLifeDays ?? 0
    this.#topics = new TopicTable(options.authority)
    this.#reader = new TokenReader(options.database)
    this.#statements = prepare(options.database)
  }

  cachedToken(token: string): TokenRecord | undefined {
    return this.#reader.cached(token)
  }

  findToken(token: string, found: (error: Error | undefined, record: TokenRecord | undefined) => void): void {
    this.#reader.find(token, found)
  }

  topicOf(topicHash: Uint8Array): KnownTopic | undefined {
    return this.#topics.topicOf(topicHash)
  }

  enrolDevice(deviceId: string): Promise<DeviceRecord> {
    return this.#enrolling.run(deviceId, async () => {
      const known = await this.#database.get(this.#statements.findDevice, [deviceId])
      if (known !== undefined) return deviceOfRow(known)
      const parameters = [deviceId, this.#random(deviceTokenBytes), this.#now()]
      const [row] = await this.#database.returning(this.#statements.addDevice, parameters)
      return deviceOfRow(row!)
    })
  }

  issueToken(
    device: number,
    topicHash: Uint8Array,
    installation?: Uint8Array,
  ): Promise<TokenRecord | undefined> {
    const known = this.#topics.topicOf(topicHash)
    if (known === undefined) return Promise.resolve(undefined)
    return this.#issuing.run(`${device} ${known.topic}`, () => this.#issue(device, known, installation))
  }

  async deactivateToken(token: string, atMs: number): Promise<void> {
    const ending = this.#database.transaction(this.#ends(Buffer.from(token, 'hex'), Math.max(1, atMs)))
    this.#ending.set(token, ending)
    try {
      await ending
    } finally {
      if (this.#ending.get(token) === ending) this.#ending.delete(token)
      if (this.#looking > 0) this.#endedMeanwhile.add(token)
    }
    this.#reader.changed(token)
  }

  close(): void {
    this.#topics.close()
  }

  /** The token becomes inactive, and the feedback service is to tell of it. */
  #ends(token: Uint8Array, atMs: number): Write[] {
    return [
      { statement: this.#statements.deactivate, parameters: [atMs, token] },
      { statement: this.#statements.listGoneToken, parameters: [token, atMs] },
    ]
  }

  async #issue(device: number, known: KnownTopic, installation?: Uint8Array): Promise<TokenRecord> {
    const stored = await this.#findActive(device, known)
    if (stored === undefined) return this.#add(device, known, installation)
    const idleDays = Math.floor(this.#now() / dayMs) - stored.record.askedDay
    if (this.#tokenLifeDays > 0 && idleDays > this.#tokenLifeDays) {
      return this.#replace(stored.record, installation)
    }
    if (idleDays > 0) await this.#noteAsked(stored.record)
    if (installation === undefined || isSame(stored.installation, installation)) return stored.record
    if (stored.installation === undefined) {
      // Issued to a client that does not tell its installation; from now on it does.
      await this.#database.run(this.#statements.setInstallation, [installation, stored.record.tokenBytes])
      return stored.record
    }
    return this.#replace(stored.record, installation)
  }

  /** Once a day for each token. */
  async #noteAsked(record: TokenRecord): Promise<void> {
    await this.#database.run(this.#statements.setAsked, [this.#now(), record.tokenBytes])
    this.#reader.changed(record.token)
  }

  /** The active token of an app, but none that is being made inactive: it would be dead a moment later. */
  async #findActive(device: number, known: KnownTopic): Promise<StoredToken | undefined> {
    this.#looking++
    try {
      for (;;) {
        const row = await this.#database.get(this.#statements.findActive, [device, known.topic])
        if (row === undefined) return undefined
        const stored = tokenOfRow(row)
        const { token } = stored.record
        const ending = this.#ending.get(token)
        if (ending === undefined && !this.#endedMeanwhile.delete(token)) return stored
        // Whether it could be made inactive is told to the caller of `deactivateToken`; here the next look tells.
        await ending?.catch(() => undefined)
      }
    } finally {
      if (--this.#looking === 0) this.#endedMeanwhile.clear()
    }
  }

  async #add(device: number, known: KnownTopic, installation?: Uint8Array): Promise<TokenRecord> {
    const tokenBytes = this.#random(deviceTokenBytes)
    const now = this.#now()
    const parameters = [tokenBytes, device, known.bundleId, known.topic, installation ?? null, now]
    await this.#database.run(this.#statements.addToken, parameters)
    const record = tokenRecord(tokenBytes, device, known.bundleId, known.topic, 0, now)
    this.#reader.add(record)
    return record
  }

  /** The app was installed anew, or its token has expired: the old one ends where the new one begins. */
  async #replace(old: TokenRecord, installation: Uint8Array | undefined): Promise<TokenRecord> {
    const now = this.#now()
    const tokenBytes = this.#random(deviceTokenBytes)
    await this.#database.transaction([
      ...this.#ends(old.tokenBytes, now),
      {
        statement: this.#statements.addToken,
        parameters: [tokenBytes, old.device, old.bundleId, old.topic, installation ?? null, now],
      },
    ])
    this.#reader.changed(old.token)
    const record = tokenRecord(tokenBytes, old.device, old.bundleId, old.topic, 0, now)
    this.#reader.add(record)
    return record
  }
}

function prepare(database: Database) {
  return {
    findDevice: database.prepare('SELECT id, device_id, base_token FROM devices WHERE device_id = ?'),
    // Another process may have enrolled the device since it was looked for; its row is the one that counts.
    addDevice: database.prepare(
      `INSERT INTO devices (device_id, base_token, enrolled_at) VALUES (?, ?, ?)
       ON CONFLICT (device_id) DO UPDATE SET device_id = excluded.device_id
       RETURNING id, device_id, base_token`,
    ),
    findActive: database.prepare(
      `SELECT ${tokenColumns} FROM tokens WHERE device = ? AND topic = ? AND inactive_since = 0`,
    ),
    addToken: database.prepare(
      `INSERT INTO tokens (token, device, bundle_id, topic, installation, issued_at) VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    setInstallation: database.prepare('UPDATE tokens SET installation = ? WHERE token = ?'),
    setAsked: database.prepare('UPDATE tokens SET asked_at = ? WHERE token = ?'),
    deactivate: database.prepare(
      'UPDATE tokens SET inactive_since = ? WHERE token = ? AND inactive_since = 0',
    ),
    listGoneToken: database.prepare(listGoneTokenSql),
  }
}

function isSame(left: Uint8Array | undefined, right: Uint8Array): boolean {
  return left !== undefined && Buffer.compare(left, right) === 0
}

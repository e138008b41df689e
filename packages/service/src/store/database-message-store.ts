import type { Database, Write } from '@carillon/database'
import { limits } from '../limits.ts'
import { decodeMessageRecord, encodeMessageRecord } from './message-record.ts'
import type { AddDone, InboxMessage, MessageStore, StoredPage, StoreTicket } from './message-store.ts'
import { OutstandingWrites } from './outstanding-writes.ts'
import { RemovalQueue } from './removal-queue.ts'
import { StoreError } from './store-error.ts'
import type { StoredMessage } from './stored-message.ts'

export interface MessageStoreOptions {
  /** Open, with the migrations of this package applied. The store does not close it. */
  readonly database: Database
  /** Told of a stored message that cannot be read, in one sentence; it is left out and stays until it expires. */
  readonly onTrouble?: (sentence: string, cause: unknown) => void
}

/** Opens the message store in a database; continues the order of acceptance where the last run ended. */
export async function openMessageStore(options: MessageStoreOptions): Promise<MessageStore> {
  const { database } = options
  // Deleted numbers may come again: an order is only needed among what is stored.
  const last = await database.get<{ last: number | null }>(
    database.prepare('SELECT max(seq) AS last FROM messages'),
  )
  return new DatabaseMessageStore(database, last?.last ?? 0, options.onTrouble ?? (() => {}))
}

type Trouble = NonNullable<MessageStoreOptions['onTrouble']>

class DatabaseMessageStore implements MessageStore {
  lastSeq: number
  readonly #database: Database
  readonly #statements
  readonly #outstanding = new OutstandingWrites()
  readonly #removals: RemovalQueue
  readonly #onTrouble: Trouble
  #sweepAfterSeq = 0
  #isSweeping = false

  constructor(database: Database, lastSeq: number, onTrouble: Trouble) {
    this.#database = database
    this.#onTrouble = onTrouble
    this.lastSeq = lastSeq
    this.#statements = prepare(database)
    this.#removals = new RemovalQueue(database)
  }

  nextSeq(): number {
    return ++this.lastSeq
  }

  addSent(message: StoredMessage, done: AddDone): StoreTicket {
    const { device, seq } = message
    this.#removals.flushBehindWrite()
    // A refusal is told twice: by ticket 0, which we heed, and later through `done`.
    const ticket = this.#database.write(this.#statements.insert, insertParameters(message, 0), (error) => {
      if (ticket === 0) return
      this.#outstanding.settled(device, seq)
      done(error === undefined ? 'stored' : 'failed')
    })
    if (ticket !== 0) this.#outstanding.added(device)
    return ticket
  }

  addToInbox(message: StoredMessage, inboxMax: number, done: AddDone): StoreTicket {
    const { device, seq } = message
    const keep = Math.min(Math.max(1, inboxMax), limits.inboxPerAppMax)
    const writes = this.#replacements(message, keep)
    writes.push({ statement: this.#statements.insert, parameters: insertParameters(message, keep) })
    this.#removals.flushBehindWrite()
    const ticket = this.#database.writeUnit(writes, (error) => {
      if (ticket === 0) return
      this.#outstanding.settled(device, seq)
      done(error === undefined ? 'stored' : 'failed')
    })
    if (ticket !== 0) this.#outstanding.added(device)
    return ticket
  }

  cancel(ticket: StoreTicket, message: StoredMessage): boolean {
    if (!this.#database.cancel(ticket)) return false
    this.#outstanding.settled(message.device, message.seq)
    return true
  }

  protect(messages: readonly StoredMessage[]): void {
    for (const { seq } of messages) this.#database.write(this.#statements.protect, [seq])
  }

  remove(seq: number): void {
    this.#removals.add(seq)
  }

  async read(device: number, afterSeq: number, throughSeq: number): Promise<StoredPage> {
    await this.#outstanding.whenSettled(device, this.lastSeq)
    this.#removals.readBegins()
    try {
      return await this.#readPage(device, afterSeq, throughSeq)
    } finally {
      this.#removals.readEnds()
    }
  }

  tick(nowMs: number): void {
    this.#removals.flush()
    if (this.#isSweeping) return
    this.#isSweeping = true
    this.#sweep(Math.floor(nowMs / 1000)).then(
      () => {
        this.#isSweeping = false
      },
      () => {
        // Busy or closing. Nothing is lost: expired messages are not sent, and the next tick looks again.
        this.#isSweeping = false
      },
    )
  }

  async close(): Promise<void> {
    this.#removals.flush(Number.POSITIVE_INFINITY)
    await this.#removals.whenIdle()
  }

  async #readPage(device: number, afterSeq: number, throughSeq: number): Promise<StoredPage> {
    // One row more than a page, to know whether there is more.
    const rows = await this.#database.all<MessageRow>(this.#statements.read, [
      device,
      afterSeq,
      throughSeq,
      limits.storedPageRowsMax + 1,
    ])
    const hasMore = rows.length > limits.storedPageRowsMax
    if (hasMore) rows.pop()
    const messages: InboxMessage[] = []
    for (const row of rows) {
      const message = this.#removals.has(row.seq) ? undefined : this.#messageOf(row)
      if (message !== undefined) messages.push(message)
    }
    return { messages, hasMore, throughSeq: rows.at(-1)?.seq ?? throughSeq }
  }

  /** One message that is damaged must not keep its device from all the others. */
  #messageOf(row: MessageRow): InboxMessage | undefined {
    try {
      return messageOfRow(row)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      this.#onTrouble(`Stored message ${row.seq} for device ${row.device} cannot be read.`, error)
      return undefined
    }
  }

  /** Goes through the table in order of acceptance, a piece per call, and starts again at its end. */
  async #sweep(nowSeconds: number): Promise<void> {
    const { sweepEnd, sweep } = this.#statements
    const from = this.#sweepAfterSeq
    const row = await this.#database.get<{ end: number | null }>(sweepEnd, [from, limits.sweptPerTickMax])
    const end = row?.end ?? null
    this.#sweepAfterSeq = end ?? 0
    if (end !== null) await this.#database.run(sweep, [from, end, nowSeconds])
  }

  /** What the inbox rule removes to make room for a message. */
  #replacements(message: StoredMessage, keep: number): Write[] {
    const { replaceOne, replaceOneOrCollapsed, collapse, trimQueue } = this.#statements
    const { device, app, collapseId } = message
    if (keep === 1) {
      if (collapseId === '') return [{ statement: replaceOne, parameters: [device, app] }]
      return [{ statement: replaceOneOrCollapsed, parameters: [device, app, collapseId] }]
    }
    const now = Math.floor(message.receivedAtMs / 1000)
    const trim = { statement: trimQueue, parameters: [device, app, device, app, now, keep - 1] }
    return collapseId === '' ? [trim] : [{ statement: collapse, parameters: [device, app, collapseId] }, trim]
  }
}

function prepare(database: Database) {
  return {
    insert: database.prepare(
      `INSERT INTO messages (seq, device, app, collapse_id, inbox, expires, record) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    replaceOne: database.prepare('DELETE FROM messages WHERE device = ? AND app = ? AND inbox > 0'),
    replaceOneOrCollapsed: database.prepare(
      'DELETE FROM messages WHERE device = ? AND app = ? AND (inbox > 0 OR collapse_id = ?)',
    ),
    collapse: database.prepare('DELETE FROM messages WHERE device = ? AND app = ? AND collapse_id = ?'),
    // Room for one more: of those that still count, the newest stay, the one after them and all older ones go.
    trimQueue: database.prepare(
      `DELETE FROM messages WHERE device = ? AND app = ? AND inbox > 0 AND seq <= (
         SELECT seq FROM messages WHERE device = ? AND app = ? AND inbox > 0 AND expires > ?
         ORDER BY seq DESC LIMIT 1 OFFSET ?)`,
    ),
    protect: database.prepare('UPDATE messages SET inbox = 0 WHERE seq = ?'),
    // The places come from the index alone, so that only the rows of this page are looked at.
    read: database.prepare(
      `SELECT seq, device, app, collapse_id, inbox, expires, record FROM messages
       WHERE seq IN (
         SELECT seq FROM messages WHERE device = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?)
       ORDER BY seq`,
    ),
    sweepEnd: database.prepare(
      `SELECT max(seq) AS "end" FROM (SELECT seq FROM messages WHERE seq > ? ORDER BY seq LIMIT ?) AS piece`,
    ),
    sweep: database.prepare('DELETE FROM messages WHERE seq > ? AND seq <= ? AND expires <= ?'),
  }
}

function insertParameters(message: StoredMessage, inboxMax: number) {
  const { seq, device, app, collapseId, expiration } = message
  return [seq, device, app, collapseId, inboxMax, expiration, encodeMessageRecord(message)]
}

interface MessageRow {
  readonly seq: number
  readonly device: number
  readonly app: string
  readonly collapse_id: string
  readonly inbox: number
  readonly expires: number
  readonly record: Uint8Array
}

function messageOfRow(row: MessageRow): InboxMessage {
  return {
    seq: row.seq,
    device: row.device,
    app: row.app,
    collapseId: row.collapse_id,
    inboxMax: row.inbox,
    expiration: row.expires,
    ...decodeMessageRecord(row.record),
  }
}

import type { Database, DatabaseError, Row, Write } from '@carillon/database'
import { limits } from '../limits.ts'
import { CommitWatch } from './commit-watch.ts'
import { encodeMessageRecord } from './message-record.ts'
import { type MessageRow, messageOfRow, type RemovedRow, removedOfRow, type SweptRow } from './message-row.ts'
import type {
  AddDone,
  InboxMessage,
  MessageStore,
  RemovedMessage,
  StoredPage,
  StoreListener,
  StoreTicket,
} from './message-store.ts'
import { type KnownMessage, OnlyWaiting } from './only-waiting.ts'
import { OutstandingWrites } from './outstanding-writes.ts'
import { RemovalQueue } from './removal-queue.ts'
import { StoreError } from './store-error.ts'
import { prepareStatements } from './store-statements.ts'
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
  listener: StoreListener | undefined
  readonly #database: Database
  readonly #statements
  readonly #outstanding = new OutstandingWrites()
  readonly #only = new OnlyWaiting()
  readonly #removals: RemovalQueue
  readonly #watch: CommitWatch
  readonly #onTrouble: Trouble
  /** Sent messages that the inbox rule could still drop, because the queue was full. */
  #toProtect: number[] = []
  #sweepAfterSeq = 0
  #isSweeping = false

  constructor(database: Database, lastSeq: number, onTrouble: Trouble) {
    this.#database = database
    this.#onTrouble = onTrouble
    this.lastSeq = lastSeq
    this.#statements = prepareStatements(database)
    this.#removals = new RemovalQueue(database)
    this.#watch = new CommitWatch(() => database.statistics(), onTrouble)
  }

  nextSeq(): number {
    return ++this.lastSeq
  }

  addSent(message: StoredMessage, done: AddDone): StoreTicket {
    if (this.#watch.isStuck) return 0
    if (message.collapseId !== '') {
      const { device, app, collapseId } = message
      const collapse = { statement: this.#statements.collapse, parameters: [device, app, collapseId] }
      return this.#addReplacing(message, 0, [collapse], done)
    }
    const { device } = message
    this.#removals.flushBehindWrite()
    // A refusal is told twice: by ticket 0, which we heed, and later through `done`.
    const ticket = this.#database.write(this.#statements.insert, insertParameters(message, 0), (error) => {
      if (ticket === 0) return
      this.#outstanding.settled(device, ticket)
      done(error === undefined ? 'stored' : 'failed')
    })
    if (ticket !== 0) this.#outstanding.added(device, ticket)
    return ticket
  }

  addToInbox(message: StoredMessage, inboxMax: number, done: AddDone): StoreTicket {
    if (this.#watch.isStuck) return 0
    // What was sent must be out of the rule's reach before the rule is applied.
    if (!this.#protectNow()) return 0
    const keep = Math.min(Math.max(1, inboxMax), limits.inboxPerAppMax)
    if (keep === 1) return this.#addOnly(message, done)
    this.#only.forget(message.device, message.app)
    return this.#addReplacing(message, keep, this.#queueReplacements(message, keep), done)
  }

  cancel(ticket: StoreTicket, message: StoredMessage): boolean {
    if (!this.#database.cancel(ticket)) return false
    this.#only.forget(message.device, message.app)
    this.#outstanding.settled(message.device, ticket)
    return true
  }

  protect(messages: readonly StoredMessage[]): void {
    for (const { seq } of messages) {
      if (this.#toProtect.length < limits.protectionsWaitingMax) this.#toProtect.push(seq)
    }
    this.#protectNow()
  }

  remove(seq: number): void {
    this.#removals.add(seq)
  }

  removeExpired(message: StoredMessage): void {
    if (this.#removals.has(message.seq)) return
    // Refused where the queue is full: the sweep finds it.
    this.#database.write(this.#statements.removeOne, [message.seq], (error, changes) => {
      if (error === undefined && changes > 0 && !this.#removals.has(message.seq)) {
        this.listener?.expired(message)
      }
    })
  }

  async read(device: number, afterSeq: number, throughSeq: number): Promise<StoredPage> {
    await this.#outstanding.whenSettled(device)
    this.#removals.readBegins()
    try {
      return await this.#readPage(device, afterSeq, throughSeq)
    } finally {
      this.#removals.readEnds()
    }
  }

  tick(nowMs: number): void {
    this.#watch.tick(nowMs)
    this.#protectNow()
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
    if (end === null) return
    const write = { statement: sweep, parameters: [from, end, nowSeconds] }
    await new Promise<void>((resolve, reject) => {
      const done = (error: DatabaseError | undefined, _changes: number, rows?: readonly Row[]) => {
        if (error !== undefined) return reject(error)
        if (rows !== undefined) this.#tellSwept(rows)
        resolve()
      }
      this.#database.writeUnit([write], done, true)
    })
  }

  /** @returns false where the queue is still full */
  #protectNow(): boolean {
    while (this.#toProtect.length > 0) {
      const ticket = this.#database.write(this.#statements.protect, [this.#toProtect.at(-1)!], ignore)
      if (ticket === 0) return false
      this.#toProtect.pop()
    }
    return true
  }

  /** Writes a message that is to be the only one that waits for its app on its device. */
  #addOnly(message: StoredMessage, done: AddDone): StoreTicket {
    const { device, app } = message
    const slot = this.#only.slotOf(device, app)
    const before = message.collapseId === '' ? this.#only.at(slot, device, app) : undefined
    const ticket =
      before === undefined
        ? this.#addReplacing(message, 1, this.#replacements(message), done)
        : this.#addInPlaceOf(before, message, done)
    if (ticket !== 0) this.#only.added(slot, message)
    return ticket
  }

  /** Writes a message and, in the same atomic unit, deletes the only one that can be in its way. */
  #addInPlaceOf(before: KnownMessage, message: StoredMessage, done: AddDone): StoreTicket {
    const { replaceKnown, insert } = this.#statements
    const { seq, device, app, apnsId, receivedAtMs } = message
    const writes = [
      { statement: replaceKnown, parameters: [before.seq] },
      { statement: insert, parameters: insertParameters(message, 1) },
    ]
    this.#removals.flushBehindWrite()
    const written = (error: DatabaseError | undefined, changes: number) => {
      if (ticket === 0) return
      this.#outstanding.settled(device, ticket)
      // The message itself is one change; the other says that what it replaces was still there.
      if (changes === 2) this.#tellReplaced(before, before.expiration, apnsId, receivedAtMs)
      if (error !== undefined) this.#failed(seq, device, app, receivedAtMs)
      done(error === undefined ? 'stored' : 'failed')
    }
    const ticket = this.#database.writeUnit(writes, written)
    if (ticket !== 0) this.#outstanding.added(device, ticket)
    return ticket
  }

  /** Writes a message and, in the same atomic unit, what is removed for it. */
  #addReplacing(message: StoredMessage, inboxMax: number, writes: Write[], done: AddDone): StoreTicket {
    // The message itself is not kept until its commit: thousands of them would outlive the young generation.
    const { seq, device, app, apnsId, receivedAtMs } = message
    writes.push({ statement: this.#statements.insert, parameters: insertParameters(message, inboxMax) })
    this.#removals.flushBehindWrite()
    const written = (error: DatabaseError | undefined, _changes: number, rows?: readonly Row[]) => {
      if (ticket === 0) return
      this.#outstanding.settled(device, ticket)
      if (rows !== undefined) this.#tellReplacedRows(rows, device, app, apnsId, receivedAtMs)
      if (error !== undefined) this.#failed(seq, device, app, receivedAtMs)
      done(error === undefined ? 'stored' : 'failed')
    }
    const ticket = this.#database.writeUnit(writes, written, true)
    if (ticket !== 0) this.#outstanding.added(device, ticket)
    return ticket
  }

  /** What a message that was not written was to replace still waits, also beside one that was written in its place. */
  #failed(seq: number, device: number, app: string, nowMs: number): void {
    const newest = this.#only.forget(device, app)
    if (newest === undefined || newest.seq === seq) return
    const parameters = [device, app, device, app, Math.floor(nowMs / 1000), 1]
    const trimmed = (_error: DatabaseError | undefined, _changes: number, rows?: readonly Row[]) => {
      if (rows !== undefined) this.#tellReplacedRows(rows, device, app, newest.apnsId, nowMs)
    }
    this.#database.writeUnit([{ statement: this.#statements.trimQueue, parameters }], trimmed, true)
  }

  #tellReplacedRows(rows: readonly Row[], device: number, app: string, by: Uint8Array, nowMs: number): void {
    for (const row of rows as unknown as readonly RemovedRow[]) {
      const message = removedOfRow(row, device, app)
      if (message !== undefined) this.#tellReplaced(message, row.expires, by, nowMs)
    }
  }

  /** @param by what took the place of this message of the same device and app */
  #tellReplaced(message: RemovedMessage, expires: number, by: Uint8Array, nowMs: number): void {
    if (!this.#isTold(message.seq)) return
    if (expires * 1000 <= nowMs) this.listener?.expired(message)
    else this.listener?.replaced(message, by)
  }

  #tellSwept(rows: readonly Row[]): void {
    for (const row of rows as unknown as readonly SweptRow[]) {
      const message = removedOfRow(row, row.device, row.app)
      if (message !== undefined && this.#isTold(message.seq)) this.listener?.expired(message)
    }
  }

  /** Whether the listener is to hear of a message that was deleted. */
  #isTold(seq: number): boolean {
    // Acknowledged already, and only not deleted yet.
    if (this.#removals.has(seq)) return false
    this.#removals.wasDeleted(seq)
    return true
  }

  /** What makes room for a message that is to be the only one. */
  #replacements({ device, app, collapseId }: StoredMessage): Write[] {
    const { waiting, replaceOne, replaceOneOrCollapsed } = this.#statements
    if (collapseId !== '') {
      return [{ statement: replaceOneOrCollapsed, parameters: [device, app, collapseId] }]
    }
    const parameters = [device, app]
    return [
      { statement: waiting, parameters },
      { statement: replaceOne, parameters },
    ]
  }

  /** What makes room for a message in a queue. */
  #queueReplacements(message: StoredMessage, keep: number): Write[] {
    const { collapse, trimQueue } = this.#statements
    const { device, app, collapseId } = message
    const now = Math.floor(message.receivedAtMs / 1000)
    const trim = { statement: trimQueue, parameters: [device, app, device, app, now, keep - 1] }
    return collapseId === '' ? [trim] : [{ statement: collapse, parameters: [device, app, collapseId] }, trim]
  }
}

/** A refusal is heard by its ticket; another failure fails what is written after it, too. */
function ignore(): void {}

function insertParameters(message: StoredMessage, inboxMax: number) {
  const { seq, device, app, collapseId, expiration } = message
  return [seq, device, app, collapseId, inboxMax, expiration, encodeMessageRecord(message)]
}

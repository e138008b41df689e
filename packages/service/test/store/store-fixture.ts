import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '@carillon/database'
import { onTestFinished } from 'vitest'
import { migrations } from '../../src/migrations.ts'
import { openMessageStore } from '../../src/store/database-message-store.ts'
import type { MessageStore } from '../../src/store/message-store.ts'
import type { StoredMessage } from '../../src/store/stored-message.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

export const nowMs = Date.UTC(2026, 10, 21, 12)
export const nowSeconds = nowMs / 1000

export interface StoreFixture {
  readonly file: string
  readonly database: Database
  readonly store: MessageStore
  /** Closes store and database and opens them again. */
  reopen(): Promise<StoreFixture>
}

/** A store on a database file of its own, gone when the test is over. */
export async function openStoreFixture(): Promise<StoreFixture> {
  return openAt(join(temporaryDirectory(), 'service.db'))
}

/** The same for a whole file of tests, to be closed by it. */
export async function openDatabaseFixture(): Promise<DatabaseFixture> {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-store-'))
  const database = await openDatabase({ engine: 'sqlite', file: join(directory, 'service.db'), migrations })
  const store = await openMessageStore({ database })
  return {
    store,
    async close() {
      await store.close()
      await database.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export interface DatabaseFixture {
  readonly store: MessageStore
  close(): Promise<void>
}

async function openAt(file: string): Promise<StoreFixture> {
  const database = await openDatabase({ engine: 'sqlite', file, migrations })
  const store = await openMessageStore({ database })
  let isOpen = true
  const close = async () => {
    if (!isOpen) return
    isOpen = false
    await store.close()
    await database.close()
  }
  onTestFinished(close)
  return { file, database, store, reopen: () => close().then(() => openAt(file)) }
}

/** A message with what the test does not care about filled in. */
export function messageFor(
  store: Pick<MessageStore, 'nextSeq'>,
  fields: Partial<StoredMessage> = {},
): StoredMessage {
  const seq = store.nextSeq()
  return {
    seq,
    device: 1,
    app: 'dev.example.app',
    topic: 'dev.example.app',
    token: new Uint8Array(32).fill(7),
    apnsId: new Uint8Array(16).fill(seq),
    payload: new TextEncoder().encode(`{"aps":{"badge":${seq}}}`),
    priority: 10,
    pushType: 'alert',
    collapseId: '',
    expiration: nowSeconds + 3600,
    receivedAtMs: nowMs,
    ...fields,
  }
}

/** Adds by the inbox rule; resolves with the message when it is on disk. */
export function keep(
  store: MessageStore,
  inboxMax: number,
  fields: Partial<StoredMessage> = {},
): Promise<StoredMessage> {
  return new Promise((resolve, reject) => {
    const message = messageFor(store, fields)
    const ticket = store.addToInbox(message, inboxMax, (outcome) => {
      if (outcome === 'stored') resolve(message)
      else reject(new Error('the store failed'))
    })
    if (ticket === 0) reject(new Error('the store is full'))
  })
}

/** Adds as sent; resolves with the message when it is on disk. */
export function keepSent(store: MessageStore, fields: Partial<StoredMessage> = {}): Promise<StoredMessage> {
  return new Promise((resolve, reject) => {
    const message = messageFor(store, fields)
    store.addSent(message, (outcome) => {
      if (outcome === 'stored') resolve(message)
      else reject(new Error('the store failed'))
    })
  })
}

/** The places in the order of acceptance of all that is stored for a device. */
export async function storedSeqs(store: MessageStore, device = 1): Promise<number[]> {
  const page = await store.read(device, 0, Number.MAX_SAFE_INTEGER)
  return page.messages.map((message) => message.seq)
}

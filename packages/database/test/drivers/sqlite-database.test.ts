import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, expect, test, vi } from 'vitest'
import { databaseLimits, openDatabase } from '../../src/index.ts'
import { describeDatabase, migrations } from '../contract.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const directory = mkdtempSync(join(tmpdir(), 'carillon-database-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
let files = 0

describeDatabase('SQLite', () =>
  openDatabase({ engine: 'sqlite', file: join(directory, `${files++}.sqlite`), migrations }),
)

const insertSql = 'INSERT INTO message (id, token, body, stored_at) VALUES (?, ?, ?, ?)'

test('what was closed opens again with everything in it', async () => {
  const file = join(temporaryDirectory(), 'store.sqlite')
  const first = await openDatabase({ engine: 'sqlite', file, migrations })
  await first.run(first.prepare(insertSql), [1, null, 'kept', 0])
  await first.close()
  const again = await openDatabase({ engine: 'sqlite', file, migrations })
  expect(await again.all(again.prepare('SELECT id, body FROM message'))).toEqual([{ id: 1, body: 'kept' }])
  await again.close()
})

test('the reader cannot write', async () => {
  const file = join(temporaryDirectory(), 'store.sqlite')
  const database = await openDatabase({ engine: 'sqlite', file, migrations })
  await expect(database.all(database.prepare(insertSql), [1, null, '', 0])).rejects.toMatchObject({
    code: 'DATABASE_UNREADABLE',
  })
  await database.close()
})

test('a read of too many rows is refused, not gathered', async () => {
  const file = join(temporaryDirectory(), 'store.sqlite')
  const database = await openDatabase({ engine: 'sqlite', file, migrations })
  const count = database.prepare(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n',
  )
  expect(await database.all(count, [databaseLimits.rowsPerReadMax])).toHaveLength(
    databaseLimits.rowsPerReadMax,
  )
  await expect(database.all(count, [1e9])).rejects.toMatchObject({ code: 'DATABASE_TOO_MANY_ROWS' })
  expect(await database.get(count, [1e9])).toEqual({ i: 1 })
  await database.close()
})

test('the write-ahead log does not grow without bound', async () => {
  const file = join(temporaryDirectory(), 'store.sqlite')
  const database = await openDatabase({ engine: 'sqlite', file, migrations })
  const insert = database.prepare(insertSql)
  const remove = database.prepare('DELETE FROM message WHERE id = ?')
  const body = 'x'.repeat(2000)
  let largest = 0
  for (let round = 0; round < 60; round++) {
    const first = round * 1000
    const all: Promise<number>[] = []
    for (let id = first; id < first + 1000; id++) all.push(database.run(insert, [id, null, body, 0]))
    await Promise.all(all)
    // A reader at work is what would keep the log from being moved.
    await database.all(database.prepare('SELECT count(*) FROM message'))
    for (let id = first; id < first + 1000; id++) database.write(remove, [id])
    largest = Math.max(largest, statSync(`${file}-wal`).size)
  }
  // 60 rounds write some 200 MB into the log.
  expect(largest).toBeLessThan(databaseLimits.walBytesKept * 1.5)
  await database.close()
  expect(() => statSync(`${file}-wal`)).toThrow()
})

test('a transaction that never ends is undone after its time, and the writer goes on', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const file = join(temporaryDirectory(), 'store.sqlite')
  const database = await openDatabase<{ message: { id: number; body: string; stored_at: number } }>({
    engine: 'sqlite',
    file,
    migrations,
  })
  const transaction = await (await database.query()).startTransaction().execute()
  await transaction.insertInto('message').values({ id: 1, body: 'undone', stored_at: 0 }).execute()
  const hot = database.run(database.prepare(insertSql), [2, null, 'hot', 0])
  vi.advanceTimersByTime(databaseLimits.interactiveTransactionMsMax)
  await hot
  await expect(
    transaction.insertInto('message').values({ id: 3, body: 'late', stored_at: 0 }).execute(),
  ).rejects.toMatchObject({ code: 'DATABASE_TRANSACTION_TOO_LONG' })
  await transaction
    .rollback()
    .execute()
    .catch(() => undefined)
  expect(await database.all(database.prepare('SELECT id FROM message'))).toEqual([{ id: 2 }])
  await database.close()
  vi.useRealTimers()
})

test('a full disk fails what does not fit, and nothing else', async () => {
  const file = join(temporaryDirectory(), 'store.sqlite')
  const database = await openDatabase({ engine: 'sqlite', file, migrations })
  const insert = database.prepare(insertSql)
  await database.run(insert, [1, null, 'before', 0])
  await sql`PRAGMA max_page_count = 20`.execute(await database.query())
  const [large, small] = await Promise.allSettled([
    database.run(insert, [2, null, 'x'.repeat(200_000), 0]),
    database.run(insert, [3, null, 'small', 0]),
  ])
  expect(large).toMatchObject({ status: 'rejected', reason: { code: 'DATABASE_FULL' } })
  await sql`PRAGMA max_page_count = 1000000`.execute(await database.query())
  await database.run(insert, [4, null, 'after', 0])
  const ids = await database.all(database.prepare('SELECT id FROM message ORDER BY id'))
  // SQLite may end the whole transaction when the disk is full; then its other units are told the same.
  expect(ids).toEqual([{ id: 1 }, ...(small.status === 'fulfilled' ? [{ id: 3 }] : []), { id: 4 }])
  await database.close()
})

test('a failed write without a listener is told to the database', async () => {
  const file = join(temporaryDirectory(), 'store.sqlite')
  const heard: string[] = []
  const database = await openDatabase({
    engine: 'sqlite',
    file,
    migrations,
    onWriteFailed: (error) => heard.push(error.code),
  })
  const insert = database.prepare(insertSql)
  database.write(insert, [1, null, 'a', 0])
  database.write(insert, [1, null, 'again', 0])
  await database.close()
  expect(heard).toEqual(['DATABASE_CONSTRAINT'])
})

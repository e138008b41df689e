import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { openDatabase } from '../../src/index.ts'
import { describeDatabase, migrations } from '../contract.ts'

const url = process.env.PGURL ?? 'postgres://postgres@127.0.0.1:5432/test'
const prefix = `carillon_${randomBytes(6).toString('hex')}`
let schemas = 0
const nextSchema = () => `${prefix}_${schemas++}`

afterAll(async () => {
  const client = new pg.Client(url)
  await client.connect()
  for (let index = 0; index < schemas; index++)
    await client.query(`DROP SCHEMA IF EXISTS ${prefix}_${index} CASCADE`)
  await client.end()
})

describeDatabase('PostgreSQL', () =>
  openDatabase({ engine: 'postgres', url, schema: nextSchema(), migrations }),
)

test('what was closed opens again, and a newer schema is refused', async () => {
  const schema = nextSchema()
  const more = [...migrations, { name: 'later', up: 'CREATE TABLE later (id BIGINT)' }]
  const first = await openDatabase({ engine: 'postgres', url, schema, migrations: more })
  await first.run(first.prepare('INSERT INTO later VALUES (?)'), [7])
  await first.close()
  const again = await openDatabase({ engine: 'postgres', url, schema, migrations: more })
  expect(await again.all(again.prepare('SELECT id FROM later'))).toEqual([{ id: 7 }])
  await expect(again.backup('anywhere')).rejects.toMatchObject({ code: 'DATABASE_UNSUPPORTED' })
  await again.close()
  await expect(openDatabase({ engine: 'postgres', url, schema, migrations })).rejects.toMatchObject({
    code: 'DATABASE_TOO_NEW',
  })
})

test('several that open one schema at once migrate it once', async () => {
  const schema = nextSchema()
  const all = await Promise.all(
    Array.from({ length: 4 }, () => openDatabase({ engine: 'postgres', url, schema, migrations })),
  )
  await all[0]!.run(all[0]!.prepare('INSERT INTO message VALUES (?, ?, ?, ?)'), [1, null, 'x', 0])
  expect(await all[3]!.get(all[3]!.prepare('SELECT id FROM message'))).toEqual({ id: 1 })
  for (const one of all) await one.close()
})

test('a failed migration is undone, and names itself', async () => {
  const schema = nextSchema()
  const bad = { name: 'half', up: 'CREATE TABLE half (id BIGINT); INSERT INTO nowhere VALUES (1)' }
  await expect(
    openDatabase({ engine: 'postgres', url, schema, migrations: [...migrations, bad] }),
  ).rejects.toMatchObject({ code: 'DATABASE_MIGRATION_FAILED', message: expect.stringContaining('"half"') })
  const good = { name: 'half', up: 'CREATE TABLE half (id BIGINT)' }
  const database = await openDatabase({ engine: 'postgres', url, schema, migrations: [...migrations, good] })
  await database.close()
})

test('after its connection was cut the writer makes a new one', async () => {
  const schema = nextSchema()
  const database = await openDatabase({ engine: 'postgres', url, schema, migrations })
  const insert = database.prepare('INSERT INTO message VALUES (?, ?, ?, ?)')
  const cut = database.prepare('SELECT pg_terminate_backend(pg_backend_pid())')
  await database.run(insert, [1, null, 'before', 0])
  await expect(database.run(cut)).rejects.toMatchObject({ name: 'DatabaseError' })
  await database.run(insert, [2, null, 'after', 0])
  expect(await database.all(database.prepare('SELECT id FROM message ORDER BY id'))).toEqual([
    { id: 1 },
    { id: 2 },
  ])
  await database.close()
})

test.each([
  ['an address that nobody listens at', 'postgres://postgres@127.0.0.1:1/test', 'cannot be reached'],
  ['a database that is missing', url.replace(/\/[^/]*$/, '/no_such_database'), 'cannot be reached'],
  ['no address at all', 'not an address', 'is not a URL'],
])('%s: one plain sentence', async (_name, wrongUrl, sentence) => {
  await expect(openDatabase({ engine: 'postgres', url: wrongUrl, migrations })).rejects.toMatchObject({
    code: 'DATABASE_UNREACHABLE',
    message: expect.stringContaining(sentence),
  })
})

test('a writer whose session was ended goes on with a new one, with the statements from before', async () => {
  const database = await openDatabase({ engine: 'postgres', url, schema: nextSchema(), migrations })
  const backend = database.prepare('SELECT pg_backend_pid() AS pid')
  const sleep = database.prepare('SELECT pg_sleep(?)')
  const end = database.prepare('SELECT pg_terminate_backend(?)')
  const [session] = await database.returning<{ pid: number }>(backend)
  // During a commit: whoever waited for it hears that it is lost.
  const lost = database.returning(sleep, [60])
  await database.all(end, [session!.pid])
  await expect(lost).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' })
  const [next] = await database.returning<{ pid: number }>(backend)
  expect(next!.pid).not.toBe(session!.pid)
  // Between two commits.
  await database.all(end, [next!.pid])
  const pids = await Promise.allSettled([1, 2, 3].map(() => database.returning<{ pid: number }>(backend)))
  expect(pids.length).toBe(3)
  const [last] = await database.returning<{ pid: number }>(backend)
  expect(last!.pid).not.toBe(next!.pid)
  await database.close()
})

import { type Kysely, sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Database, databaseLimits, type Migration, type Write } from '../src/index.ts'

interface Tables {
  message: { id: number; token: Uint8Array | null; body: string; stored_at: number }
}

export const migrations: readonly Migration[] = [
  {
    name: 'messages',
    up: ({ integer, blob }) => `
      CREATE TABLE message (id ${integer} PRIMARY KEY, token ${blob}, body TEXT NOT NULL, stored_at ${integer} NOT NULL);
      CREATE INDEX message_stored_at ON message (stored_at);
    `,
  },
]

/** What both engines promise. */
export function describeDatabase(name: string, open: () => Promise<Database<Tables>>): void {
  describe(name, () => {
    let database: Database<Tables>
    const prepare = () => ({
      insert: database.prepare('INSERT INTO message (id, token, body, stored_at) VALUES (?, ?, ?, ?)'),
      remove: database.prepare('DELETE FROM message WHERE id = ?'),
      byId: database.prepare('SELECT * FROM message WHERE id = ?'),
      ids: database.prepare('SELECT id FROM message ORDER BY id'),
    })
    const ids = async () => (await database.all<{ id: number }>(prepare().ids)).map((row) => row.id)

    beforeEach(async () => {
      database = await open()
    })
    afterEach(() => database.close())

    test('a confirmed write is read back as it was given', async () => {
      const { insert, byId } = prepare()
      const row = {
        id: 2 ** 40,
        token: Uint8Array.of(0, 255, 7),
        body: "Grüße, ? 'quoted' 🛎",
        stored_at: 1_790_000_000_123,
      }
      expect(await database.run(insert, [row.id, row.token, row.body, row.stored_at])).toBe(1)
      const read = await database.get<typeof row>(byId, [row.id])
      expect({ ...read, token: Uint8Array.from(read!.token) }).toEqual(row)
      expect(await database.get(byId, [5])).toBeUndefined()
      await database.run(insert, [3, null, '', -1])
      expect(await database.get(byId, [3])).toEqual({ id: 3, token: null, body: '', stored_at: -1 })
    })

    test('done hears after the commit: a read started inside it sees the write', async () => {
      const { insert } = prepare()
      const seen: number[] = []
      for (let id = 1; id <= 50; id++) {
        const rows = await new Promise<number[]>((resolve, reject) =>
          database.write(insert, [id, null, 'x', 0], (error) => (error ? reject(error) : resolve(ids()))),
        )
        seen.push(rows.length)
      }
      expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
    })

    test('a unit hears the rows that its statements return, and nothing where they return none', async () => {
      const { insert, remove } = prepare()
      const take = database.prepare('DELETE FROM message WHERE stored_at = ? RETURNING id, token')
      await database.run(insert, [1, Uint8Array.of(7), 'a', 5])
      await database.run(insert, [2, null, 'b', 6])
      type Heard = readonly [changes: number, rows: readonly unknown[] | undefined]
      const unit = (writes: Write[]) =>
        new Promise<Heard>((resolve, reject) =>
          database.writeUnit(
            writes,
            (error, changes, rows) => (error ? reject(error) : resolve([changes, rows])),
            true,
          ),
        )
      const [empty, , full] = await Promise.all([
        unit([{ statement: take, parameters: [99] }]),
        database.run(remove, [77]),
        unit([
          { statement: take, parameters: [6] },
          { statement: take, parameters: [99] },
          { statement: insert, parameters: [3, null, 'c', 7] },
          { statement: take, parameters: [5] },
        ]),
      ])
      expect(empty).toEqual([0, undefined])
      const blob = { id: 1, token: expect.objectContaining({ 0: 7, length: 1 }) }
      expect(full).toEqual([3, [{ id: 2, token: null }, blob]])
      expect(await ids()).toEqual([3])
    })

    test('a unit that fails fails alone; the others of its commit are written', async () => {
      const { insert, remove } = prepare()
      const outcomes = await Promise.allSettled([
        database.run(insert, [1, null, 'a', 0]),
        database.run(insert, [1, null, 'again', 0]),
        database.transaction([
          { statement: insert, parameters: [2, null, 'undone with its unit', 0] },
          { statement: insert, parameters: [1, null, 'fails', 0] },
        ]),
        database.run(insert, [3, null, 'c', 0]),
        database.transaction([
          { statement: insert, parameters: [4, null, 'd', 0] },
          { statement: remove, parameters: [3] },
          { statement: remove, parameters: [77] },
        ]),
      ])
      expect(outcomes.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.code))).toEqual([
        1,
        'DATABASE_CONSTRAINT',
        'DATABASE_CONSTRAINT',
        1,
        [1, 1, 0],
      ])
      expect(await ids()).toEqual([1, 4])
    })

    test.each([
      ['SQL that is none', 'INSRT INTO message', [], 'DATABASE_STATEMENT'],
      ['an unknown table', 'DELETE FROM nowhere WHERE id = ?', [1], 'DATABASE_STATEMENT'],
      ['too many parameters', 'DELETE FROM message WHERE id = ?', [1, 2], 'DATABASE_STATEMENT'],
      ['not null', 'INSERT INTO message (id, stored_at) VALUES (?, 0)', [1], 'DATABASE_CONSTRAINT'],
    ])('%s is reported to its unit', async (_name, text, parameters, code) => {
      const { insert } = prepare()
      const [bad, good] = await Promise.allSettled([
        database.run(database.prepare(text), parameters),
        database.run(insert, [9, null, 'good', 0]),
      ])
      expect(bad).toMatchObject({ status: 'rejected', reason: { name: 'DatabaseError' } })
      expect(bad).toMatchObject({ reason: { code } })
      expect(good).toEqual({ status: 'fulfilled', value: 1 })
      await expect(database.all(database.prepare(text), parameters)).rejects.toMatchObject({
        name: 'DatabaseError',
      })
    })

    test('a cancelled write is not written', async () => {
      const { insert } = prepare()
      const first = database.run(insert, [1, null, 'a', 0])
      const ticket = database.write(insert, [2, null, 'b', 0], () => expect.unreachable())
      const last = database.run(insert, [3, null, 'c', 0])
      expect(database.cancel(ticket)).toBe(true)
      await Promise.all([first, last])
      expect(await ids()).toEqual([1, 3])
      expect(database.cancel(ticket)).toBe(false)
    })

    test('above its limit the queue refuses, and takes again later', async () => {
      const { insert } = prepare()
      const body = 'x'.repeat(1024 * 1024)
      const refused: unknown[] = []
      let taken = 0
      const told: Promise<void>[] = []
      for (let id = 1; id <= 70; id++) {
        told.push(
          new Promise((resolve) => {
            const ticket = database.write(insert, [id, null, body, 0], (error) => {
              if (error) refused.push(error.code)
              resolve()
            })
            if (ticket !== 0) taken++
          }),
        )
      }
      await Promise.all(told)
      expect(taken).toBe(databaseLimits.bytesWaitingMax / 1024 / 1024)
      expect(refused).toEqual(Array.from({ length: 70 - taken }, () => 'DATABASE_BUSY'))
      expect(await ids()).toHaveLength(taken)
      await database.run(insert, [1000, null, 'again', 0])
    })

    test('returning gives the rows of a write', async () => {
      const { insert } = prepare()
      for (const id of [1, 2, 3]) await database.run(insert, [id, Uint8Array.of(id), `body ${id}`, id])
      const claim = database.prepare(
        'UPDATE message SET stored_at = ? WHERE id >= ? RETURNING id, body, token',
      )
      const [rows, other] = await Promise.all([
        database.returning<{ id: number; body: string; token: Uint8Array }>(claim, [50, 2]),
        database.returning(database.prepare('DELETE FROM message WHERE id = ? RETURNING id'), [99]),
      ])
      expect(rows.sort((a, b) => a.id - b.id).map((row) => [row.id, row.body, [...row.token]])).toEqual([
        [2, 'body 2', [2]],
        [3, 'body 3', [3]],
      ])
      expect(other).toEqual([])
      await expect(
        database.returning(database.prepare('INSERT INTO message (id) VALUES (?) RETURNING id'), [1]),
      ).rejects.toMatchObject({ code: 'DATABASE_CONSTRAINT' })
    })

    test('queries are typed and see confirmed writes', async () => {
      const { insert } = prepare()
      const query = await database.query()
      await database.run(insert, [1, null, 'a', 10])
      await query.insertInto('message').values({ id: 2, token: null, body: 'b', stored_at: 20 }).execute()
      const rows = await query.selectFrom('message').select(['id', 'body']).orderBy('id', 'desc').execute()
      expect(rows).toEqual([
        { id: 2, body: 'b' },
        { id: 1, body: 'a' },
      ])
      const { numUpdatedRows } = await query
        .updateTable('message')
        .set({ body: 'both' })
        .where('id', 'in', [1, 2])
        .executeTakeFirst()
      expect(numUpdatedRows).toBe(2n)
      const deleted = await query.deleteFrom('message').where('id', '=', 1).returning('body').execute()
      expect(deleted).toEqual([{ body: 'both' }])
      await expect(
        query.insertInto('message').values({ id: 2, token: null, body: '', stored_at: 0 }).execute(),
      ).rejects.toThrow()
    })

    test('an interactive transaction is whole or undone, and hot writes go on around it', async () => {
      const { insert } = prepare()
      const query = await database.query()
      const count = async (query: Kysely<Tables>) =>
        Number(
          (await query.selectFrom('message').select(sql<number>`count(*)`.as('n')).executeTakeFirstOrThrow())
            .n,
        )
      let hot: Promise<number> | undefined
      const inside = await query.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('message')
          .values({ id: 1, token: null, body: 'a', stored_at: 0 })
          .execute()
        hot = database.run(insert, [2, null, 'hot', 0])
        await transaction
          .insertInto('message')
          .values({ id: 3, token: null, body: 'c', stored_at: 0 })
          .execute()
        return count(transaction)
      })
      await hot
      // PostgreSQL commits the hot write on its own connection, which the transaction may see.
      expect(inside).toBeGreaterThanOrEqual(2)
      expect(await ids()).toEqual([1, 2, 3])
      const undone = query.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('message').execute()
        expect(await count(transaction)).toBe(0)
        throw new Error('changed my mind')
      })
      await expect(undone).rejects.toThrow('changed my mind')
      expect(await ids()).toEqual([1, 2, 3])
    })

    test('many transactions that read and write what they read do not lose an update', async () => {
      const { insert } = prepare()
      await database.run(insert, [1, null, 'counter', 0])
      const query = await database.query()
      const increment = async () =>
        query.transaction().execute(async (transaction) => {
          const select = transaction.selectFrom('message').select('stored_at').where('id', '=', 1)
          const row = await (database.engine === 'postgres'
            ? select.forUpdate()
            : select
          ).executeTakeFirstOrThrow()
          await transaction
            .updateTable('message')
            .set({ stored_at: row.stored_at + 1 })
            .where('id', '=', 1)
            .execute()
        })
      await Promise.all(Array.from({ length: 30 }, increment))
      expect(await database.get(prepare().byId, [1])).toMatchObject({ stored_at: 30 })
    })

    test('close commits what was accepted; then every call says that it was closed', async () => {
      const { insert, ids } = prepare()
      const heard: unknown[] = []
      for (let id = 1; id <= 100; id++) {
        database.write(insert, [id, null, 'x', 0], (error, changes) => heard.push(error ?? changes))
      }
      const read = database.all(ids)
      await database.close()
      expect(heard).toEqual(Array.from({ length: 100 }, () => 1))
      await expect(read).resolves.toBeInstanceOf(Array)
      expect(database.write(insert, [1, null, 'x', 0], () => undefined)).toBe(0)
      for (const late of [
        () => database.run(insert, [1, null, 'x', 0]),
        () => database.all(ids),
        () => database.get(ids),
        () => database.returning(ids),
        () => database.transaction([]),
        async () => (await database.query()).selectFrom('message').selectAll().execute(),
        async () => (await database.query()).deleteFrom('message').execute(),
      ]) {
        await expect(late()).rejects.toThrow(/closed|after calling end/)
      }
      await database.close()
    })
  })
}

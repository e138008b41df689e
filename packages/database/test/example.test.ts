import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDatabase } from '../src/index.ts'
import { temporaryDirectory } from './temporary-directory.ts'

test('the example of the README', async () => {
  const directory = temporaryDirectory()
  const told: string[] = []

  const database = await openDatabase({
    engine: 'sqlite',
    file: join(directory, 'store.sqlite'),
    migrations: [
      {
        name: 'messages',
        up: ({ integer, blob }) =>
          `CREATE TABLE message (id ${integer} PRIMARY KEY, payload ${blob} NOT NULL)`,
      },
    ],
  })
  const insert = database.prepare('INSERT INTO message (id, payload) VALUES (?, ?)')
  const remove = database.prepare('DELETE FROM message WHERE id = ?')

  const ticket = database.write(insert, [1, new TextEncoder().encode('{"aps":{}}')], (error) => {
    // On disk, or refused: DATABASE_BUSY is the gateway's 503.
    told.push(error === undefined ? 'stored' : error.code)
  })
  // The device acknowledged before the commit began: the message never touches the disk.
  if (!database.cancel(ticket)) database.write(remove, [1])

  await database.transaction([
    { statement: insert, parameters: [2, new Uint8Array(4)] },
    { statement: insert, parameters: [3, new Uint8Array(4)] },
  ])
  const rows = await database.all<{ id: number }>(database.prepare('SELECT id FROM message ORDER BY id'))
  await database.close()

  expect(rows).toEqual([{ id: 2 }, { id: 3 }])
  expect(told).toEqual([])
})

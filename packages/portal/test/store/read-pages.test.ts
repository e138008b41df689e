import { join } from 'node:path'
import { openDatabase } from '@carillon/database'
import { expect, test } from 'vitest'
import { readPages } from '../../src/store/read-pages.ts'
import { afterTest, temporaryDirectory } from '../support/temporary-portal.ts'

test('every row of a large table is read once, in the order of the column', async () => {
  const database = await openDatabase({
    engine: 'sqlite',
    file: join(await temporaryDirectory(), 'pages.db'),
    migrations: [{ name: '1', up: 'CREATE TABLE items (id TEXT PRIMARY KEY, value INTEGER NOT NULL)' }],
  })
  afterTest(() => database.close())
  const fill = database.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO items SELECT printf('id%08d', i), i FROM n`,
  )
  for (const count of [0, 20_000, 25_001]) {
    await database.run(database.prepare('DELETE FROM items'))
    if (count > 0) await database.run(fill, [count])
    const rows = await readPages(database, 'SELECT * FROM items', 'id')
    expect(rows.length).toBe(count)
    expect(rows.every((row, index) => row.value === index + 1)).toBe(true)
  }
})

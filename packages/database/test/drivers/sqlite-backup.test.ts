import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { openDatabase } from '../../src/index.ts'
import { migrations } from '../contract.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

test('a backup made while writing holds every write confirmed before it, whole units only', async () => {
  const directory = temporaryDirectory()
  const database = await openDatabase({ engine: 'sqlite', file: join(directory, 'store'), migrations })
  const insert = database.prepare('INSERT INTO message (id, token, body, stored_at) VALUES (?, ?, ?, ?)')
  let next = 1
  // Rows come in pairs: a backup with an odd number of them would have cut a unit in two.
  const writePair = () => {
    const parameters = [next++, next++].map((id) => [id, null, 'x'.repeat(300), id])
    return database.transaction(parameters.map((values) => ({ statement: insert, parameters: values })))
  }
  for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 250 }, writePair))
  const confirmed = next - 1

  let copied = false
  const copy = join(directory, 'copy')
  const backup = database.backup(copy).finally(() => {
    copied = true
  })
  let during = 0
  while (!copied) {
    await Promise.all(Array.from({ length: 20 }, writePair))
    during++
  }
  await backup
  await database.close()
  expect(during).toBeGreaterThan(0)

  const read = new DatabaseSync(copy, { readOnly: true })
  expect(read.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  const { rows, last } = read
    .prepare('SELECT count(*) AS rows, max(id) AS last FROM message')
    .get() as Record<string, number>
  read.close()
  expect(rows).toBe(last)
  expect(rows! % 2).toBe(0)
  expect(rows).toBeGreaterThanOrEqual(confirmed)
  expect(statSync(copy).mode & 0o777).toBe(0o600)

  const restored = await openDatabase({ engine: 'sqlite', file: copy, migrations })
  await restored.run(restored.prepare('DELETE FROM message'))
  await restored.close()
})

test('a backup never overwrites, and one that fails leaves nothing behind', async () => {
  const directory = temporaryDirectory()
  const database = await openDatabase({ engine: 'sqlite', file: join(directory, 'store'), migrations })
  writeFileSync(join(directory, 'precious'), 'mine')
  await expect(database.backup(join(directory, 'precious'))).rejects.toMatchObject({
    code: 'DATABASE_UNREADABLE',
    message: expect.stringContaining('exists already'),
  })
  await expect(database.backup(join(directory, 'missing', 'copy'))).rejects.toMatchObject({
    name: 'DatabaseError',
  })
  await database.close()
})

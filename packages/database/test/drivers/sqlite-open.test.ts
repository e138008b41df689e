import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../src/index.ts'
import { migrations } from '../contract.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const isRoot = process.getuid?.() === 0

const cannotOpen: [string, (directory: string) => string, string, string][] = [
  [
    'a directory that is missing',
    (directory) => join(directory, 'no', 'store'),
    'DATABASE_UNREADABLE',
    'does not exist; create it',
  ],
  [
    'a directory that is a file',
    (directory) => {
      writeFileSync(join(directory, 'file'), '')
      return join(directory, 'file', 'store')
    },
    'DATABASE_UNREADABLE',
    'file',
  ],
  [
    'a file that is a directory',
    (directory) => {
      mkdirSync(join(directory, 'store'))
      return join(directory, 'store')
    },
    'DATABASE_UNREADABLE',
    'cannot be opened',
  ],
  [
    'a file that is no database',
    (directory) => {
      writeFileSync(join(directory, 'store'), 'Dear diary, '.repeat(1000))
      return join(directory, 'store')
    },
    'DATABASE_NOT_A_DATABASE',
    'is not an intact SQLite database',
  ],
]

test.each(cannotOpen)('%s: one plain sentence', async (_name, prepare, code, sentence) => {
  const file = prepare(temporaryDirectory())
  const error = await openDatabase({ engine: 'sqlite', file, migrations }).then(
    () => expect.unreachable('it opened'),
    (reason: Error) => reason,
  )
  expect(error).toMatchObject({ name: 'DatabaseError', code })
  expect(error.message).toContain(sentence)
  expect(error.message).not.toContain('\n')
})

test.skipIf(isRoot)('a directory without permission: one plain sentence', async () => {
  const directory = temporaryDirectory()
  chmodSync(directory, 0o500)
  await expect(
    openDatabase({ engine: 'sqlite', file: join(directory, 'store'), migrations }),
  ).rejects.toMatchObject({
    code: 'DATABASE_UNREADABLE',
    message: expect.stringContaining('check the permissions'),
  })
})

test('files are private to their owner', async () => {
  const directory = temporaryDirectory()
  const database = await openDatabase({ engine: 'sqlite', file: join(directory, 'store'), migrations })
  const names = readdirSync(directory).sort()
  expect(names).toEqual(['store', 'store-shm', 'store-wal', 'store.lock'])
  for (const name of names) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
  await database.close()
})

test('a failed migration is undone, and names itself', async () => {
  const file = join(temporaryDirectory(), 'store')
  const bad = { name: 'half', up: 'CREATE TABLE half (id INTEGER); INSERT INTO nowhere VALUES (1)' }
  await expect(
    openDatabase({ engine: 'sqlite', file, migrations: [...migrations, bad] }),
  ).rejects.toMatchObject({
    code: 'DATABASE_MIGRATION_FAILED',
    message: expect.stringContaining('"half"'),
  })
  const good = { name: 'half', up: 'CREATE TABLE half (id INTEGER)' }
  const database = await openDatabase({ engine: 'sqlite', file, migrations: [...migrations, good] })
  await database.run(database.prepare('INSERT INTO half VALUES (1)'))
  await database.close()
  await expect(openDatabase({ engine: 'sqlite', file, migrations })).rejects.toMatchObject({
    code: 'DATABASE_TOO_NEW',
    message: expect.stringContaining('update the program'),
  })
})

test('a second opening is refused, here and in another process, until the first is closed or killed', async () => {
  const file = join(temporaryDirectory(), 'store')
  const here = await openDatabase({ engine: 'sqlite', file, migrations: [] })
  await expect(openDatabase({ engine: 'sqlite', file, migrations: [] })).rejects.toMatchObject({
    code: 'DATABASE_LOCKED',
    message: expect.stringContaining('in use by another running system'),
  })
  // The refusal must not have loosened the lock of the one that holds it.
  expect(await openElsewhere(file).says).toBe('DATABASE_LOCKED')
  await here.close()

  const elsewhere = openElsewhere(file)
  expect(await elsewhere.says).toBe('open')
  await expect(openDatabase({ engine: 'sqlite', file, migrations: [] })).rejects.toMatchObject({
    code: 'DATABASE_LOCKED',
  })
  const exited = once(elsewhere.child, 'exit')
  elsewhere.child.kill('SIGKILL')
  await exited
  const again = await openDatabase({ engine: 'sqlite', file, migrations: [] })
  await again.close()
})

function openElsewhere(file: string) {
  const script = fileURLToPath(new URL('./open-and-wait.ts', import.meta.url))
  const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const says = once(createInterface(child.stdout), 'line').then(([line]) => line as string)
  return { child, says }
}

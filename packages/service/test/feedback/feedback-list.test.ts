import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '@carillon/database'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFeedbackList } from '../../src/feedback/feedback-list.ts'
import { FeedbackReading } from '../../src/feedback/feedback-reading.ts'
import { migrations } from '../../src/migrations.ts'
import { seedTokens } from '../../src/registry/seed.ts'
import { linesBeforeKill } from '../lines-before-kill.ts'
import { bundleId } from '../memory-authority.ts'

let directory: string
let file: string
let database: Database | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'carillon-feedback-'))
  file = join(directory, 'push.sqlite')
})
afterEach(async () => {
  await database?.close()
  rmSync(directory, { recursive: true })
})

/** The tokens that a client would be told of, as hex. */
async function listed(): Promise<string[]> {
  const list = openFeedbackList({ database: database!, onTrouble: () => {} })
  const tokens: string[] = []
  const last = await list.lastPlace()
  for (let after = 0; after < last; ) {
    const page = await list.read(bundleId, after, last)
    if (page.length === 0) break
    tokens.push(...page.map(({ token }) => Buffer.from(token).toString('hex')))
    after = page.at(-1)!.place
  }
  return tokens
}

test.each([1, 40, 300])('kill -9 after %i tokens became inactive: each of them is listed', async (count) => {
  const script = new URL('deactivate-and-tell.ts', import.meta.url)
  const told = await linesBeforeKill(script, file, count)
  database = await openDatabase({ engine: 'sqlite', file, migrations })
  const inactive = await database.all(database.prepare('SELECT token FROM tokens WHERE inactive_since > 0'))
  const tokens = await listed()
  expect(tokens).toEqual(expect.arrayContaining(told))
  // The two tables never differ: both are written, or neither.
  expect(tokens.toSorted()).toEqual(
    inactive.map(({ token }) => Buffer.from(token as Uint8Array).toString('hex')).toSorted(),
  )
})

test('a database of the release before: tokens that were inactive then are listed, in their order', async () => {
  const before = migrations.slice(
    0,
    migrations.findIndex(({ name }) => name === 'feedback'),
  )
  database = await openDatabase({ engine: 'sqlite', file, migrations: before })
  const random = (bytes: number) => randomBytes(bytes)
  const tokens = await seedTokens(database, { count: 4, bundleId, topic: bundleId, now: 1, random })
  const end = database.prepare('UPDATE tokens SET inactive_since = ? WHERE token = ?')
  for (const [index, at] of [3000, 1000, 2000].entries()) {
    await database.run(end, [at, Buffer.from(tokens[index]!, 'hex')])
  }
  await database.close()
  database = await openDatabase({ engine: 'sqlite', file, migrations })
  expect(await listed()).toEqual([tokens[1], tokens[2], tokens[0]])
})

test('what is being cleared is not read again meanwhile, and a list that cannot be cleared stays', async () => {
  database = await openDatabase({ engine: 'sqlite', file, migrations })
  const random = (bytes: number) => randomBytes(bytes)
  const [token] = await seedTokens(database, { count: 1, bundleId, topic: bundleId, now: 1, random })
  const list = openFeedbackList({ database, onTrouble: () => {} })
  await database.run(database.prepare('UPDATE tokens SET inactive_since = 5'))
  const gone = { tokenBytes: Buffer.from(token!, 'hex'), inactiveSinceMs: 5 }
  await new Promise<void>((resolve) => list.listAgain(gone, resolve))
  const first = new FeedbackReading(list, [bundleId])
  expect(await first.next()).toHaveLength(38)
  expect(await first.next()).toBeUndefined()
  const refuse = "CREATE TRIGGER refuse BEFORE DELETE ON feedback BEGIN SELECT RAISE(ABORT, 'no'); END"
  await database.run(database.prepare(refuse))
  await expect(first.clear()).rejects.toThrow()
  expect(await new FeedbackReading(list, [bundleId]).next()).toHaveLength(38)
  await database.run(database.prepare('DROP TRIGGER refuse'))
  const clearing = first.clear()
  expect(await new FeedbackReading(list, [bundleId]).next()).toBeUndefined()
  await clearing
})

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '@carillon/database'
import { expect, onTestFinished, test } from 'vitest'
import { migrations } from '../src/migrations.ts'
import { openRegistry } from '../src/registry/open-registry.ts'
import { openMessageStore } from '../src/store/database-message-store.ts'
import { encodeMessageRecord } from '../src/store/message-record.ts'
import { bundleId, MemoryAuthority } from './memory-authority.ts'
import { messageFor, nowMs, nowSeconds } from './store/store-fixture.ts'

/** How many steps the schema of the first release had. */
const stepsOfFirstRelease = 2

/** A database as the first release left it, written by its statements: two devices, their tokens, three messages. */
async function firstRelease(file: string): Promise<{ tokens: string[] }> {
  const database = await openDatabase({
    engine: 'sqlite',
    file,
    migrations: migrations.slice(0, stepsOfFirstRelease),
  })
  const run = (sql: string, parameters: Parameters<Database['run']>[1]) =>
    database.run(database.prepare(sql), parameters)
  const tokens: string[] = []
  for (const device of [1, 2]) {
    const token = randomBytes(32)
    tokens.push(token.toString('hex'))
    await run('INSERT INTO devices (device_id, base_token, enrolled_at) VALUES (?, ?, ?)', [
      `device-${device}`,
      randomBytes(32),
      nowMs,
    ])
    await run('INSERT INTO tokens (token, device, bundle_id, topic, issued_at) VALUES (?, ?, ?, ?, ?)', [
      token,
      device,
      bundleId,
      bundleId,
      nowMs,
    ])
  }
  let seq = 0
  for (const [device, inbox] of [
    [1, 0],
    [1, 1],
    [2, 1],
  ] as const) {
    const message = messageFor({ nextSeq: () => ++seq }, { device, app: bundleId, topic: bundleId })
    await run(
      'INSERT INTO messages (seq, device, app, collapse_id, inbox, expires, record) VALUES (?, ?, ?, ?, ?, ?, ?)',
      [seq, device, bundleId, '', inbox, nowSeconds + 3600, encodeMessageRecord(message)],
    )
  }
  await database.close()
  return { tokens }
}

test('a database of the first release is brought up to date, with all that is in it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-upgrade-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'service.db')
  const { tokens } = await firstRelease(file)

  const database = await openDatabase({ engine: 'sqlite', file, migrations })
  onTestFinished(() => database.close())
  const authority = new MemoryAuthority()
  authority.setApp(bundleId, { inboxMax: 1 })
  const registry = openRegistry({ database, authority, now: () => nowMs, random: randomBytes })
  onTestFinished(() => registry.close())
  for (const [index, token] of tokens.entries()) {
    const record = await new Promise((resolve) =>
      registry.findToken(token, (_error, found) => resolve(found)),
    )
    expect(record).toMatchObject({ token, device: index + 1, topic: bundleId, inactiveSinceMs: 0 })
    expect(await registry.enrolDevice(`device-${index + 1}`)).toMatchObject({ id: index + 1 })
  }

  const store = await openMessageStore({ database })
  const seqsOf = async (device: number) =>
    (await store.read(device, 0, store.lastSeq)).messages.map(({ seq, inboxMax }) => [seq, inboxMax])
  expect([await seqsOf(1), await seqsOf(2)]).toEqual([
    [
      [1, 0],
      [2, 1],
    ],
    [[3, 1]],
  ])
  // The inbox rule goes on: what was sent stays, what waited is replaced.
  const newer = messageFor(store, { app: bundleId, topic: bundleId })
  await new Promise((resolve) => store.addToInbox(newer, 1, resolve))
  expect(await seqsOf(1)).toEqual([
    [1, 0],
    [4, 1],
  ])
})

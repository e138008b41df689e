import { randomBytes } from 'node:crypto'
import { openDatabase } from '@carillon/database'
import { expect, onTestFinished, test } from 'vitest'
import { Channels } from '../../src/channels/channels.ts'
import { nextTurn } from '../../src/channels/drivers/next-turn.ts'
import { migrations } from '../../src/migrations.ts'
import { bundleId, MemoryAuthority } from '../memory-authority.ts'
import { decoded } from './channel-world.ts'

const url = process.env.PGURL ?? 'postgres://postgres@127.0.0.1:5432/test'

test('channels and their messages on PostgreSQL', async () => {
  const schema = `carillon_channels_${randomBytes(6).toString('hex')}`
  // Only the tables of channels: those of other parts are tested with them.
  const own = migrations.filter(({ name }) => name === 'channels')
  const database = await openDatabase({ engine: 'postgres', url, schema, migrations: own })
  onTestFinished(async () => {
    await database.run(database.prepare(`DROP SCHEMA ${schema} CASCADE`))
    await database.close()
  })
  const authority = new MemoryAuthority()
  authority.setApp(bundleId)
  let nowMs = Date.now()
  const open = () =>
    Channels.open({
      ...{ database, authority, nextTurn },
      now: () => nowMs,
      random: (bytes) => randomBytes(bytes),
      onTrouble: (sentence) => expect.fail(sentence),
    })
  const channels = await open()
  const made = await Promise.all([channels.create(bundleId, 1), channels.create(bundleId, 0)])
  const [stored, other] = made.map((channel) => ('id' in channel ? channel : expect.fail('not created')))
  const publication = {
    payload: Buffer.from('{"aps":{"event":"update"}}'),
    priority: 5,
    expiration: Math.floor(nowMs / 1000) + 60,
    requestId: randomBytes(16),
  } as const
  expect(await channels.publish(stored!, publication)).toBeUndefined()
  expect(await channels.publish(stored!, { ...publication, payload: Buffer.from('{}') })).toBeUndefined()
  expect(await channels.remove(other!)).toBe(true)
  expect(await channels.remove(other!)).toBe(false)
  expect(await channels.whyUnknown(bundleId, other!.id)).toMatchObject({ text: 'ChannelNotRegistered' })

  await channels.close()

  const again = await open()
  expect(again.list(bundleId)).toEqual([stored!.id])
  const found = again.find(bundleId, stored!.id)!
  expect(found).toMatchObject({
    policy: 1,
    storedUs: stored!.publishedUs,
    storedUntil: publication.expiration,
  })
  await again.stored.get(found, (message) => {
    expect(decoded(message!)).toMatchObject({ priority: 5 })
    expect(Buffer.from(decoded(message!).payload).toString()).toBe('{}')
  })
  nowMs += 120_000
  again.tick(nowMs)
  await again.swept()
  const left = await database.get(database.prepare('SELECT count(*) AS stored FROM channel_messages'))
  expect(Number(left?.stored)).toBe(0)
  await again.close()
  authority.setApp(bundleId, { broadcastEnabled: false })
  const emptied = await open()
  expect(emptied.size).toBe(0)
  await emptied.close()
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '@carillon/database'
import { pushTypeTable, topicHash } from '@carillon/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { migrations } from '../../src/migrations.ts'
import { type OpenRegistry, openRegistry } from '../../src/registry/open-registry.ts'
import { dayMs, type TokenRecord } from '../../src/registry/registry.ts'
import { seedTokens } from '../../src/registry/seed.ts'
import { bundleId, MemoryAuthority } from '../memory-authority.ts'

let directory: string
let database: Database
let authority: MemoryAuthority
let registry: OpenRegistry
let drawn: number
let nowMs: number

/** Repeatable randomness: each draw differs from all before it. */
function random(bytes: number): Uint8Array {
  drawn += 1
  const drawnBytes = new Uint8Array(bytes)
  new DataView(drawnBytes.buffer).setUint32(0, drawn)
  return drawnBytes
}

async function open(options: { readonly tokenLifeDays?: number } = {}): Promise<void> {
  database = await openDatabase({ engine: 'sqlite', file: join(directory, 'push.sqlite'), migrations })
  registry = openRegistry({ database, authority, now: () => nowMs, random, ...options })
}

async function reopen(options?: Parameters<typeof open>[0]): Promise<void> {
  registry.close()
  await database.close()
  await open(options)
}

/** All that a record says, whatever it is made of. */
function said(record: TokenRecord | undefined): TokenRecord {
  const { token, device, bundleId, topic, inactiveSinceMs, askedDay } = record!
  const tokenBytes = new Uint8Array(record!.tokenBytes)
  return { token, tokenBytes, device, bundleId, topic, inactiveSinceMs, askedDay }
}

function find(token: string): Promise<TokenRecord | undefined> {
  return new Promise((resolve, reject) => {
    registry.findToken(token, (error, record) => (error === undefined ? resolve(record) : reject(error)))
  })
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'carillon-registry-'))
  authority = new MemoryAuthority()
  authority.setApp(bundleId)
  drawn = 0
  nowMs = 1_700_000_000_000
  await open()
})

afterEach(async () => {
  registry.close()
  await database.close()
  rmSync(directory, { recursive: true })
})

describe('devices', () => {
  test('a device is enrolled once and keeps its base token', async () => {
    const first = await registry.enrolDevice('device-1')
    expect(first.baseToken).toHaveLength(32)
    expect(await registry.enrolDevice('device-1')).toEqual(first)
    await reopen()
    expect(await registry.enrolDevice('device-1')).toEqual(first)
    const other = await registry.enrolDevice('device-2')
    expect(other.id).not.toBe(first.id)
    expect(other.baseToken).not.toEqual(first.baseToken)
  })

  test('many enrolments at the same time make one device', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => registry.enrolDevice('device-1')))
    expect(new Set(all.map((device) => device.id)).size).toBe(1)
  })
})

describe('tokens', () => {
  const hash = topicHash(bundleId)
  const installationA = new Uint8Array(8).fill(1)
  const installationB = new Uint8Array(8).fill(2)

  async function issue(installation?: Uint8Array): Promise<TokenRecord> {
    const device = await registry.enrolDevice('device-1')
    const record = await registry.issueToken(device.id, hash, installation)
    expect(record).toBeDefined()
    return record!
  }

  test('a token is 32 random bytes for one topic on one device', async () => {
    const record = await issue()
    expect(record).toMatchObject({ bundleId, topic: bundleId, inactiveSinceMs: 0 })
    expect(record.token).toMatch(/^[0-9a-f]{64}$/)
    expect(Buffer.from(record.tokenBytes).toString('hex')).toBe(record.token)
  })

  test('asking again gives the same token, also after a restart and at the same time', async () => {
    const record = await issue()
    expect(await issue()).toEqual(record)
    await reopen()
    const all = await Promise.all(Array.from({ length: 20 }, () => issue()))
    expect(new Set(all.map((each) => each.token))).toEqual(new Set([record.token]))
  })

  test('many first requests at the same time issue one token', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => issue(installationA)))
    expect(new Set(all.map((each) => each.token)).size).toBe(1)
  })

  test('each suffix of the push type table is a topic with a token of its own', async () => {
    const device = await registry.enrolDevice('device-1')
    const suffixes = new Set(pushTypeTable.map((row) => row.suffix))
    const tokens = new Set<string>()
    for (const suffix of suffixes) {
      const record = await registry.issueToken(device.id, topicHash(bundleId + suffix))
      expect(record).toMatchObject({ bundleId, topic: bundleId + suffix })
      tokens.add(record!.token)
    }
    expect(tokens.size).toBe(suffixes.size)
  })

  test('an unknown topic gets none', async () => {
    const device = await registry.enrolDevice('device-1')
    expect(await registry.issueToken(device.id, topicHash('com.example.unknown'))).toBeUndefined()
    expect(await registry.issueToken(device.id, new Uint8Array(0))).toBeUndefined()
  })

  test('a new installation gets a new token and ends the old one', async () => {
    const before = await issue(installationA)
    expect(await issue(installationA)).toEqual(before)
    nowMs += 5000
    const after = await issue(installationB)
    expect(after.token).not.toBe(before.token)
    expect(await find(before.token)).toMatchObject({ inactiveSinceMs: nowMs })
    expect(await find(after.token)).toMatchObject({ inactiveSinceMs: 0 })
    await reopen()
    expect(await find(before.token)).toMatchObject({ inactiveSinceMs: nowMs })
    expect(await issue(installationB)).toEqual(after)
  })

  test('the day on which it was asked for is noted, also in memory, and outlives a restart', async () => {
    const record = await issue()
    expect(record.askedDay).toBe(Math.floor(nowMs / dayMs))
    nowMs += 3 * dayMs
    await issue()
    const noted = record.askedDay + 3
    expect(await find(record.token)).toMatchObject({ askedDay: noted })
    expect(registry.cachedToken(record.token)).toMatchObject({ askedDay: noted })
    await reopen()
    expect(await find(record.token)).toMatchObject({ askedDay: noted, inactiveSinceMs: 0 })
  })

  test('a token that was not asked for in its lifetime is replaced by a new one', async () => {
    await reopen({ tokenLifeDays: 30 })
    const record = await issue(installationA)
    nowMs += 30 * dayMs
    expect((await issue(installationA)).token).toBe(record.token)
    nowMs += 31 * dayMs
    const after = await issue(installationA)
    expect(after.token).not.toBe(record.token)
    expect(await find(record.token)).toMatchObject({ inactiveSinceMs: nowMs })
    expect((await issue(installationA)).token).toBe(after.token)
  })

  test('a client that does not tell its installation keeps its token, and may begin to tell it', async () => {
    const record = await issue()
    expect((await issue(installationA)).token).toBe(record.token)
    expect((await issue()).token).toBe(record.token)
    expect((await issue(installationB)).token).not.toBe(record.token)
  })

  test('requests of two installations at the same time leave one active token', async () => {
    await issue(installationA)
    const all = await Promise.all([issue(installationB), issue(installationA), issue(installationB)])
    const states = await Promise.all([...new Set(all.map((each) => each.token))].map(find))
    expect(states.filter((state) => state?.inactiveSinceMs === 0)).toHaveLength(1)
  })

  test('deactivating counts from the first time, and the next request issues a new token', async () => {
    const record = await issue()
    await registry.deactivateToken(record.token, nowMs + 10)
    await registry.deactivateToken(record.token, nowMs + 20)
    expect(await find(record.token)).toMatchObject({ inactiveSinceMs: nowMs + 10 })
    const next = await issue()
    expect(next.token).not.toBe(record.token)
    expect(next.inactiveSinceMs).toBe(0)
  })

  test('a look-up that is under way while the token is deactivated does not bring back the old state', async () => {
    const record = await issue()
    await reopen()
    const looking = find(record.token)
    const deactivating = registry.deactivateToken(record.token, nowMs)
    await Promise.all([looking, deactivating])
    expect(await find(record.token)).toMatchObject({ inactiveSinceMs: nowMs })
  })

  test('a look-up answers at once where memory holds the token, else from the database', async () => {
    const record = await issue()
    expect(said(registry.cachedToken(record.token))).toEqual(record)
    await reopen()
    expect(registry.cachedToken(record.token)).toBeUndefined()
    const [first, second] = await Promise.all([find(record.token), find(record.token)])
    expect(first).toEqual(record)
    expect(second).toBe(first)
    expect(said(registry.cachedToken(record.token))).toEqual(record)
  })

  test('an app that comes back while its token is being made inactive gets one that works', async () => {
    const first = await issue(installationA)
    const device = await registry.enrolDevice('device-1')
    // The device gave the token back and registers again before that is on disk.
    const given = registry.deactivateToken(first.token, nowMs)
    const again = await registry.issueToken(device.id, hash, installationA)
    await given
    expect(again!.token).not.toBe(first.token)
    expect(await find(first.token)).toMatchObject({ inactiveSinceMs: nowMs })
    expect(await find(again!.token)).toMatchObject({ inactiveSinceMs: 0 })
  })

  test('a token that became inactive while it was read is not issued again', async () => {
    const first = await issue(installationA)
    const device = await registry.enrolDevice('device-1')
    // The look-up has its answer, which arrives only when the token is inactive on disk.
    let wasRead = () => {}
    const read = new Promise<void>((resolve) => {
      wasRead = resolve
    })
    let mayArrive: Promise<unknown> = read
    const slow = new Proxy(database, {
      get(target, name) {
        if (name !== 'get') return Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)
        return async (...parameters: Parameters<Database['get']>) => {
          const row = await target.get(...parameters)
          wasRead()
          await mayArrive
          return row
        }
      },
    })
    const slowly = openRegistry({ database: slow, authority, now: () => nowMs, random })
    const ended = read.then(() => slowly.deactivateToken(first.token, nowMs))
    mayArrive = ended
    const again = await slowly.issueToken(device.id, hash, installationA)
    await ended
    slowly.close()
    expect(again!.token).not.toBe(first.token)
    expect(await find(again!.token)).toMatchObject({ inactiveSinceMs: 0 })
  })

  test('a token that was never issued is not found, whatever its length', async () => {
    expect(await find('ab'.repeat(32))).toBeUndefined()
    expect(await find('ab')).toBeUndefined()
    expect(await find('ab'.repeat(100))).toBeUndefined()
  })

  test('too many look-ups at once are refused, and later ones are served', async () => {
    const record = await issue()
    await reopen()
    const all = await Promise.allSettled(
      Array.from({ length: limits.tokenReadsWaitingMax + 5 }, (_, index) =>
        find(index % 2 === 0 ? record.token : index.toString(16).padStart(64, '0')),
      ),
    )
    const refused = all.filter((each) => each.status === 'rejected')
    expect(refused).toHaveLength(5)
    expect(refused[0]).toMatchObject({ reason: { code: 'REGISTRY_BUSY' } })
    expect(await find(record.token)).toMatchObject({ token: record.token })
  })

  test('a look-up on a closed database is an error, not "no such token"', async () => {
    await database.close()
    await expect(find('ab'.repeat(32))).rejects.toThrow()
  })
})

describe('topic hashes', () => {
  test('follow the App IDs', () => {
    const other = 'com.example.other'
    expect(registry.topicOf(topicHash(other))).toBeUndefined()
    authority.setApp(other)
    expect(registry.topicOf(topicHash(`${other}.voip`))).toEqual({ bundleId: other, topic: `${other}.voip` })
    authority.setApp(other, { pushEnabled: false })
    expect(registry.topicOf(topicHash(`${other}.voip`))).toBeUndefined()
    expect(registry.topicOf(topicHash(bundleId))).toEqual({ bundleId, topic: bundleId })
  })
})

test('seeded tokens are found like others', async () => {
  const tokens = await seedTokens(database, { count: 2500, bundleId, topic: bundleId, now: nowMs, random })
  expect(new Set(tokens).size).toBe(2500)
  expect(await find(tokens[2499]!)).toMatchObject({ bundleId, topic: bundleId, inactiveSinceMs: 0 })
  const devices = new Set((await Promise.all(tokens.slice(0, 100).map(find))).map((record) => record?.device))
  expect(devices.size).toBe(100)
})

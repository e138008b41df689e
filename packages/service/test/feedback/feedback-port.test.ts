import { once } from 'node:events'
import { encodeBinaryNotification, FeedbackReader, type FeedbackTuple, topicHash } from '@carillon/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { Issued } from '../certificates.ts'
import { type LegacyClient, PortsWorld } from '../legacy/ports-world.ts'
import { notification } from '../legacy/session-fixture.ts'
import { bundleId } from '../memory-authority.ts'

let world: PortsWorld
let certificate: Issued

beforeEach(async () => {
  world = await PortsWorld.start()
  certificate = await world.certificate()
})
afterEach(() => world.close())

/** The tuples in bytes: hex of the token, and seconds. */
function tuplesIn(bytes: Uint8Array): [token: string, atSeconds: number][] {
  const reader = new FeedbackReader()
  reader.push(bytes)
  const tuples: [string, number][] = []
  for (let tuple: FeedbackTuple | undefined = reader.next(); tuple; tuple = reader.next()) {
    tuples.push([Buffer.from(tuple.token).toString('hex'), tuple.atSeconds])
  }
  expect(reader.pendingBytes).toBe(0)
  return tuples
}

const dial = (own = certificate): LegacyClient => world.dial(world.feedbackPort, own)

async function read(own = certificate): Promise<[string, number][]> {
  return tuplesIn((await dial(own).ended).bytes)
}

test('a client is told of the tokens that became inactive, in order, once', async () => {
  const tokens = await world.tokens(3)
  for (const [index, token] of tokens.entries())
    await world.registry.deactivateToken(token, (index + 1) * 1500)
  expect(await read()).toEqual([
    [tokens[0], 1],
    [tokens[1], 3],
    [tokens[2], 4],
  ])
  expect(await read()).toEqual([])
  const [later] = await world.tokens(1)
  await world.registry.deactivateToken(later!, 9000)
  await world.registry.deactivateToken(tokens[0]!, 9500)
  expect(await read()).toEqual([[later, 9]])
})

test('the same over TLS 1.2', async () => {
  const [token] = await world.tokens(1)
  await world.registry.deactivateToken(token!, 1000)
  const old = () => world.dial(world.feedbackPort, certificate, { maxVersion: 'TLSv1.2' })
  expect(tuplesIn((await old().ended).bytes)).toEqual([[token, 1]])
  expect(tuplesIn((await old().ended).bytes)).toEqual([])
})

test('a reinstalled app leaves its old token to be told of', async () => {
  const { id } = await world.registry.enrolDevice('phone')
  const issue = (installation: number) =>
    world.registry.issueToken(id, topicHash(bundleId), new Uint8Array(8).fill(installation))
  const before = await issue(1)
  await issue(2)
  expect((await read()).map(([token]) => token)).toEqual([before?.token])
})

test('each client hears of its own topics', async () => {
  world.authority.setApp('com.example.other')
  const other = await world.certificate('sandbox', 'com.example.other')
  const universal = await world.certificate('universal')
  const [app] = await world.tokens(1)
  const [voip] = await world.tokens(1, `${bundleId}.voip`)
  for (const token of [app, voip]) await world.registry.deactivateToken(token!, 1000)
  expect(await read(other)).toEqual([])
  expect(await read(universal)).toEqual([
    [app, 1],
    [voip, 1],
  ])
  expect(await read()).toEqual([])
})

test('nobody is told without a good certificate', async () => {
  const [token] = await world.tokens(1)
  await world.registry.deactivateToken(token!, 1000)
  const refused = [
    world.dial(world.feedbackPort),
    dial(await world.certificate('production')),
    dial(await world.ca.push('sandbox', bundleId)),
  ]
  for (const client of refused) expect((await client.ended).bytes.length).toBe(0)
  expect(await read()).toEqual([[token, 1]])
})

describe('a list of many pages', () => {
  const count = limits.feedbackPageRowsMax * 30 + 7
  let tokens: string[]
  const fill = async () => {
    tokens = await world.tokens(count)
    const gone = world.database.prepare('UPDATE tokens SET inactive_since = 5000')
    const listed = world.database.prepare(
      'INSERT INTO feedback (token, topic) SELECT token, topic FROM tokens',
    )
    await world.database.transaction([
      { statement: gone, parameters: [] },
      { statement: listed, parameters: [] },
    ])
  }

  test('is streamed whole, then cleared in steps', async () => {
    await fill()
    const told = await read()
    expect(told.map(([token]) => token).toSorted()).toEqual(tokens.toSorted())
    expect(await read()).toEqual([])
  })

  test('comes again, all of it, after a client that was killed while it read', async () => {
    await fill()
    const client = dial()
    await once(client.socket, 'data')
    client.socket.pause()
    client.socket.destroy()
    await client.ended
    expect(await read()).toHaveLength(count)
  })

  test('comes again after a client that ended its side early', async () => {
    await fill()
    const client = await dial().connected()
    client.socket.end()
    await client.ended
    expect(await read()).toHaveLength(count)
  })

  test('comes again after the service was stopped while a client read', async () => {
    await fill()
    const client = dial()
    await once(client.socket, 'data')
    client.socket.pause()
    const stopped = world.stop()
    client.socket.resume()
    await client.ended
    await stopped
    await world.open()
    expect(await read()).toHaveLength(count)
  })
})

test('what becomes inactive while a client reads is kept for the next', async () => {
  const [first, second] = await world.tokens(2)
  await world.registry.deactivateToken(first!, 1000)
  const client = dial()
  await once(client.socket, 'end')
  await world.registry.deactivateToken(second!, 2000)
  expect(tuplesIn((await client.ended).bytes)).toEqual([[first, 1]])
  expect(await read()).toEqual([[second, 2]])
})

test('tokens that are active again are left out', async () => {
  const [gone, back] = await world.tokens(2)
  for (const token of [gone, back]) await world.registry.deactivateToken(token!, 1000)
  const statement = world.database.prepare('UPDATE tokens SET inactive_since = 0 WHERE token = ?')
  await world.database.run(statement, [Buffer.from(back!, 'hex')])
  expect(await read()).toEqual([[gone, 1]])
})

test('a client that keeps sending to a gone app is told once more', async () => {
  const [token] = await world.tokens(1)
  await world.registry.deactivateToken(token!, 1000)
  expect(await read()).toHaveLength(1)
  const sender = world.dial(world.binaryPort, certificate)
  sender.socket.end(encodeBinaryNotification(notification({ token: Buffer.from(token!, 'hex') })))
  expect((await sender.ended).bytes.length).toBe(0)
  expect(world.accepted).toEqual([])
  expect(await read()).toEqual([[token, 1]])
})

import { randomBytes } from 'node:crypto'
import { reasonTable } from '@carillon/wire'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { Issued } from '../certificates.ts'
import { type Answer, answerOf } from '../gateway/provider.ts'
import { bundleId, newKey, signToken } from '../memory-authority.ts'
import { ChannelWorld, update } from './channel-world.ts'

const foreign = newKey()
const topicKey = newKey()
const silent = 'com.example.silent'

let world: ChannelWorld
let stored: string
let live: string
let deleted: string
let certificates: Record<'bad' | 'production' | 'good', Issued>

beforeAll(async () => {
  world = await ChannelWorld.start()
  const { authority } = world
  authority.setApp('com.example.foreign', { teamId: 'TEAM000002' })
  authority.setApp(silent, { broadcastEnabled: false })
  authority.setKey('KEYTOPIC01', topicKey.publicKey, { topics: ['com.example.other'] })
  stored = await world.channel(1)
  live = await world.channel(0)
  deleted = await world.channel(1)
  await world.delete(deleted)
  certificates = {
    bad: await world.ca.push('sandbox', bundleId, { notAfter: Date.now() - 1000 }),
    production: await world.certificate('production'),
    good: await world.certificate('sandbox'),
  }
})

afterAll(() => world.stop())

const channels = `/1/apps/${bundleId}/channels`
const all = `/1/apps/${bundleId}/all-channels`
const config = '{"message-storage-policy":1,"push-type":"LiveActivity"}'
const unknown = () => randomBytes(16).toString('base64')
const jwt = (key: ReturnType<typeof newKey>, kid: string): string =>
  `bearer ${signToken(key.privateKey, Math.floor(world.nowMs / 1000), { header: { kid } })}`

/** Another digit for the same bytes. */
const spareBit = (end: string) => {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  return `${digits[digits.indexOf(end[0]!) + 1]}==`
}

type Headers = Record<string, string | string[] | undefined>
type Case = readonly [name: string, answer: () => Promise<Answer>]

const create = (body: string | Uint8Array, headers: Headers = {}) =>
  world.request('POST', channels, headers, body)
const send = (headers: Headers, body: string | Uint8Array = update, id: string | undefined = stored) =>
  world.broadcast(id, headers, body)
/** On a connection of its own: the first token binds it. */
const alone = async (headers: Headers, certificate?: Issued, path = all) => {
  const provider = await world.connect(certificate)
  const answer = await world.request('GET', path, headers, '', provider)
  await provider.close()
  return answer
}
const payloadOf = (bytes: number) => {
  const empty = JSON.stringify({ aps: { event: 'update', text: '' } })
  return empty.replace('""', `"${'x'.repeat(bytes - empty.length)}"`)
}

/** Every reason of the channel API, each reached by real requests. */
const cases: Record<string, readonly Case[]> = {
  BadPath: [
    ['another path of the API', () => world.request('POST', `/1/apps/${bundleId}/channel`)],
    ['no app', () => world.request('GET', '/1/apps//channels')],
    ['a method that the path does not have', () => world.request('DELETE', all)],
    ['a broadcast to a path below', () => world.request('POST', `/4/broadcasts/apps/${bundleId}/x`)],
    ['GET of a broadcast', () => world.request('GET', `/4/broadcasts/apps/${bundleId}`)],
    ['deleting a channel that never existed', () => world.delete(unknown())],
    ['deleting a channel twice', () => world.delete(deleted)],
  ],
  MethodNotAllowed: [
    ['PUT', () => world.request('PUT', channels)],
    ['PATCH of a broadcast', () => world.request('PATCH', `/4/broadcasts/apps/${bundleId}`)],
  ],
  MissingProviderToken: [
    ['neither token nor certificate', () => alone({ authorization: undefined })],
    ['before the channel is looked for', () => world.request('GET', channels, { authorization: undefined })],
  ],
  InvalidProviderToken: [
    ['no JWT', () => alone({ authorization: 'bearer x' })],
    ['a key that nobody knows', () => alone({ authorization: jwt(foreign, 'KEYUNKNOWN') })],
  ],
  ExpiredProviderToken: [['an hour and a second old', () => alone({ authorization: world.bearer(3602) })]],
  BadCertificate: [['expired', () => alone({ authorization: undefined }, certificates.bad)]],
  BadCertificateEnvironment: [
    ['of production', () => alone({ authorization: undefined }, certificates.production)],
  ],
  DuplicateHeaders: [['two channel ids', () => send({ 'apns-channel-id': [stored, live] })]],
  BadMessageId: [
    ['no UUID', () => create(config, { 'apns-request-id': 'hello' })],
    ['empty', () => create(config, { 'apns-request-id': '' })],
    ['an apns-id that is none', () => send({ 'apns-id': '1' })],
  ],
  TopicDisallowed: [
    [
      'a suffix on the bundle id',
      () => world.request('GET', `/1/apps/${bundleId}.push-type.liveactivity/all-channels`),
    ],
  ],
  TopicMismatch: [
    ['an app of another team', () => world.request('GET', '/1/apps/com.example.foreign/all-channels')],
    ['an app that does not exist', () => world.request('GET', '/1/apps/com.example.unknown/all-channels')],
    ['a key for other topics', () => alone({ authorization: jwt(topicKey, 'KEYTOPIC01') })],
    [
      'a certificate of another app',
      () => alone({ authorization: undefined }, certificates.good, `/1/apps/${silent}/all-channels`),
    ],
  ],
  BroadcastFeatureNotEnabled: [
    ['the capability is off', () => world.request('GET', `/1/apps/${silent}/all-channels`)],
    ['for a creation', () => world.request('POST', `/1/apps/${silent}/channels`, {}, config)],
  ],
  MissingChannelId: [
    ['reading', () => world.read(undefined)],
    ['deleting', () => world.delete(undefined)],
    ['an empty one', () => world.read('')],
    ['broadcasting', () => send({ 'apns-channel-id': undefined })],
  ],
  BadChannelId: [
    ['no base64', () => world.read('hello?')],
    ['too long', () => world.read('A'.repeat(132))],
    ['an id with a spare bit set', () => world.read(stored.replace(/.==$/, spareBit))],
    ['an id that never existed, read', () => world.read(unknown())],
    ['an id that never existed, in a broadcast', () => send({}, update, unknown())],
  ],
  ChannelNotRegistered: [
    ['reading a deleted one', () => world.read(deleted)],
    ['broadcasting to a deleted one', () => send({}, update, deleted)],
  ],
  MissingPushType: [
    ['a broadcast without the header', () => send({ 'apns-push-type': undefined })],
    ['a configuration without', () => create('{"message-storage-policy":1}')],
  ],
  InvalidPushType: [
    ['an alert', () => send({ 'apns-push-type': 'alert' })],
    ['a configuration for alerts', () => create('{"message-storage-policy":1,"push-type":"alert"}')],
  ],
  BadExpirationDate: [
    ['none', () => send({ 'apns-expiration': undefined })],
    ['a date', () => send({ 'apns-expiration': 'tomorrow' })],
    ['negative', () => send({ 'apns-expiration': '-1' })],
    ['other than 0 where nothing is stored', () => send({}, update, live)],
  ],
  BadPriority: [
    ['7', () => send({ 'apns-priority': '7' })],
    ['empty', () => send({ 'apns-priority': '' })],
  ],
  PayloadEmpty: [
    ['a creation without a body', () => create('')],
    ['a broadcast without a body', () => send({}, '')],
  ],
  BadRequestPayload: [
    ['a configuration that is no JSON', () => create('hello')],
    ['a list', () => create('[]')],
    ['broken UTF-8', () => create(Buffer.from('{"x":"\xff"}', 'latin1'))],
    ['a broadcast that is no JSON', () => send({}, '{"aps":')],
    ['a broadcast that starts an activity', () => send({}, '{"aps":{"event":"start"}}')],
    ['a broadcast without an event', () => send({}, '{"aps":{"alert":"Hello"}}')],
  ],
  BadRequestParams: [
    ['an attribute that nobody knows', () => create(config.replace('}', ',"x":1}'))],
    ['a policy that does not exist', () => create(config.replace('1', '2'))],
    ['no policy', () => create('{"push-type":"LiveActivity"}')],
  ],
  PayloadTooLarge: [
    ['a broadcast of 5121 bytes', () => send({}, payloadOf(5121))],
    ['a broadcast of many more', () => send({}, payloadOf(50_000))],
    ['a creation with such a body', () => create(' '.repeat(50_000))],
  ],
}

/** Reasons that need more than one request, or that others give, and where they are. */
const elsewhere: Record<string, string> = {
  CannotCreateChannelConfig: 'below',
  TooManyRequests: 'below',
  ServiceUnavailable: 'below',
  InternalServerError: 'below',
  Shutdown: 'below',
  TooManyProviderTokenUpdates: 'of the gateway, for every path: provider-connection.test.ts',
}

test('every reason of the channel API has its cases', () => {
  const ofChannels = reasonTable.filter(({ api }) => api !== 'device').map(({ text }) => text)
  expect([...Object.keys(cases), ...Object.keys(elsewhere)].sort()).toEqual([...ofChannels].sort())
})

describe.each(reasonTable.filter((reason) => reason.text in cases))('$status $text', (reason) => {
  test.each(cases[reason.text] ?? [])('%s', async (_name, answerOf) => {
    const { channels } = world.open
    const before = { size: channels.size, published: channels.counters.published }
    const answer = await answerOf()
    expect({ status: answer.status, reason: answer.reason }).toEqual({
      status: reason.status,
      reason: reason.text,
    })
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['apns-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect({ size: channels.size, published: channels.counters.published }).toEqual(before)
  })
})

test('of several faults the first in the order of the steps is named', async () => {
  const wrong = {
    'apns-request-id': 'x',
    'apns-channel-id': '?',
    'apns-push-type': 'alert',
    'apns-priority': '7',
  }
  const path = `/4/broadcasts/apps/${silent}`
  const steps: readonly (readonly [string, Headers])[] = [
    ['BadMessageId', {}],
    ['BadChannelId', { 'apns-request-id': undefined }],
    ['InvalidPushType', { 'apns-channel-id': unknown() }],
    ['BadExpirationDate', { 'apns-push-type': 'LIVEACTIVITY' }],
    ['BadPriority', { 'apns-expiration': '0' }],
    ['BroadcastFeatureNotEnabled', { 'apns-priority': '1' }],
  ]
  let headers: Headers = wrong
  const noToken = await world.request('POST', path, { ...headers, authorization: undefined })
  expect(noToken.reason).toBe('MissingProviderToken')
  for (const [reason, mended] of steps) {
    headers = { ...headers, ...mended }
    expect((await world.request('POST', path, headers)).reason).toBe(reason)
  }
  // The body is looked at before the channel, the channel before what its policy allows.
  expect((await world.broadcast(unknown(), {}, 'x')).reason).toBe('BadRequestPayload')
  expect((await world.broadcast(unknown(), { 'apns-expiration': '9' })).reason).toBe('BadChannelId')
})

test('a broadcast that is rejected is traced under its request id, management is not', async () => {
  const requestId = 'EABEAE54-14A8-11E5-B60B-1697F925EC7B'
  world.rejections.length = 0
  await send({ 'apns-request-id': requestId, 'apns-priority': '5' }, update, deleted)
  await send({ 'apns-request-id': requestId, 'apns-push-type': 'alert' })
  await world.read(deleted)
  await create('')
  const traced = { apnsId: requestId, token: '', topic: bundleId, channelId: deleted }
  expect(world.rejections).toEqual([
    { ...traced, pushType: 'liveactivity', priority: 5, reason: 'ChannelNotRegistered' },
    { ...traced, channelId: stored, pushType: 'alert', priority: 10, reason: 'InvalidPushType' },
  ])
})

test('a broadcast that is accepted is traced under its request id: received, stored, sent to how many', async () => {
  const requestId = 'eabeae54-14a8-11e5-b60b-1697f925ec7c'
  const headers = { 'apns-request-id': requestId }
  const sent = (id: string) => world.traced.some((told) => told[1] === id && told[2] === 'sent')
  world.traced.length = 0
  await send({ ...headers, 'apns-expiration': '0' }, update, live)
  expect(world.traced).toEqual([
    [requestId, live, 'received', 0],
    [requestId, live, 'sent', 0],
  ])
  await send(headers)
  // What is stored is answered before it is handed out.
  await vi.waitUntil(() => sent(stored))
  expect(world.traced.slice(2)).toEqual([
    [requestId, stored, 'received', 0],
    [requestId, stored, 'stored', 0],
    [requestId, stored, 'sent', 0],
  ])
})

test('the largest broadcast, every priority, and every spelling of the push type are accepted', async () => {
  expect(await send({}, payloadOf(5120))).toMatchObject({ status: 200, body: '' })
  for (const priority of ['10', '5', '1', undefined]) {
    expect(await send({ 'apns-priority': priority })).toMatchObject({ status: 200 })
  }
  for (const spelling of ['LiveActivity', 'Liveactivity', 'liveactivity']) {
    expect(await send({ 'apns-push-type': spelling })).toMatchObject({ status: 200 })
  }
  expect(await send({ 'apns-expiration': '0' }, update, live)).toMatchObject({ status: 200 })
})

test('10,000 channels of one app, then CannotCreateChannelConfig until one is deleted', async () => {
  const app = 'com.example.many'
  world.authority.setApp(app)
  const { channels } = world.open
  const made = await Promise.all(Array.from({ length: 10_000 }, () => channels.create(app, 0)))
  expect(made.every((channel) => 'idBytes' in channel)).toBe(true)
  expect(await world.create(0, app)).toMatchObject({ status: 400, reason: 'CannotCreateChannelConfig' })
  const listed = JSON.parse((await world.list(app)).body) as { channels: string[] }
  expect(listed.channels).toHaveLength(10_000)
  expect(await world.delete(listed.channels[0], app)).toMatchObject({ status: 204 })
  expect(await world.create(0, app)).toMatchObject({ status: 201 })
  expect(await world.create(0, app)).toMatchObject({ status: 400, reason: 'CannotCreateChannelConfig' })
})

describe('while the disk takes nothing', () => {
  const publication = {
    payload: Buffer.from(update),
    priority: 10,
    requestId: Buffer.alloc(16),
  } as const

  /** Publishes what a channel may have waiting to each of them, and looks at what is answered then. */
  async function full(ids: readonly string[], look: () => Promise<void>): Promise<void> {
    const { channels } = world.open
    const expiration = Math.floor(world.nowMs / 1000) + 60
    const taken: Promise<unknown>[] = []
    // No other write commits while a transaction is open.
    const query = await world.database.query()
    await query.transaction().execute(async () => {
      for (const id of ids) {
        const channel = channels.find(bundleId, id)!
        for (let count = 0; count < limits.broadcastsPerChannelMax; count++) {
          taken.push(channels.publish(channel, { ...publication, expiration }))
        }
      }
      await look()
    })
    expect(new Set(await Promise.all(taken))).toEqual(new Set([undefined]))
    expect(await send({})).toMatchObject({ status: 200 })
  }

  test('more broadcasts to a channel than it may have waiting: TooManyRequests', async () => {
    await full([stored], async () => {
      expect(await send({})).toMatchObject({ status: 429, reason: 'TooManyRequests' })
      // Other channels are not concerned.
      expect(await send({ 'apns-expiration': '0' }, update, live)).toMatchObject({ status: 200 })
    })
  })

  test('more broadcasts than may wait in all channels: ServiceUnavailable', async () => {
    const count = limits.broadcastsMax / limits.broadcastsPerChannelMax
    const ids = await Promise.all(Array.from({ length: count }, () => world.channel(1)))
    await full(ids, async () => {
      expect(await send({})).toMatchObject({ status: 503, reason: 'ServiceUnavailable' })
    })
  })
})

test('a request that ends while the service stops: Shutdown', async () => {
  const stopping = await ChannelWorld.start()
  await stopping.list()
  const stream = stopping.provider.session.request(
    { ':method': 'POST', ':path': channels, authorization: stopping.bearer() },
    { endStream: false },
  )
  const answer = answerOf(stream)
  stream.write(config.slice(0, 5))
  // The answer to a later request says that the gateway has seen the beginning of this one.
  await stopping.list()
  const stopped = stopping.stopGateway()
  stream.end(config.slice(5))
  expect(await answer).toMatchObject({ status: 503, reason: 'Shutdown' })
  await stopped
  await stopping.stop()
})

describe('a database that fails', () => {
  test('is InternalServerError, and what went wrong is told', async () => {
    const broken = await ChannelWorld.start()
    const id = await broken.channel(1)
    await broken.database.close()
    expect(await broken.create(1)).toMatchObject({ status: 500, reason: 'InternalServerError' })
    expect(await broken.broadcast(id)).toMatchObject({ status: 500, reason: 'InternalServerError' })
    expect(await broken.delete(id)).toMatchObject({ status: 500, reason: 'InternalServerError' })
    expect(broken.troubles).toHaveLength(3)
    await broken.stop()
  })
})

describe('switches', () => {
  test('reasons as Apple prints them, and a deletion that tells what it did not find', async () => {
    const other = await ChannelWorld.start({
      fidelity: { reasonSpellings: 'documented', unknownChannelDeletion: 'ChannelNotRegistered' },
    })
    const id = await other.channel()
    await other.delete(id)
    expect(await other.delete(id)).toMatchObject({ status: 400, reason: 'ChannelNotRegistered' })
    expect(await other.delete(unknown())).toMatchObject({ status: 400, reason: 'BadChannelId' })
    other.authority.setApp(bundleId, { broadcastEnabled: false })
    expect(await other.list()).toMatchObject({ status: 400, reason: 'FeatureNotEnabled' })
    await other.stop()
  })

  test('whatever is a JSON object may be broadcast', async () => {
    const other = await ChannelWorld.start({ fidelity: { checksBroadcastEvent: false } })
    const id = await other.channel()
    expect(await other.broadcast(id, {}, '{"aps":{"event":"start"}}')).toMatchObject({ status: 200 })
    expect(await other.broadcast(id, {}, '[]')).toMatchObject({ reason: 'BadRequestPayload' })
    await other.stop()
  })

  test('a broadcast that never arrives whole is answered under its request id', async () => {
    const other = await ChannelWorld.start({ fidelity: { requestSecondsMax: 1 } })
    const requestId = '7d3f4a1e-0c5b-4d5e-9a63-2f6f0b1c8e21'
    const stream = other.provider.session.request({
      ':method': 'POST',
      ':path': `/4/broadcasts/apps/${bundleId}`,
      'apns-request-id': requestId,
    })
    const answer = await answerOf(stream)
    expect(answer).toMatchObject({ status: 400, reason: 'IdleTimeout' })
    expect(answer.headers).toMatchObject({ 'apns-request-id': requestId })
    expect(answer.headers['apns-id']).toBeUndefined()
    await other.stop()
  })
})

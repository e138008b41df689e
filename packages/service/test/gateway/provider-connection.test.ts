import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GatewayConnection } from '../../src/gateway/gateway-connection.ts'
import { bundleId, keyId, newKey, signToken } from '../memory-authority.ts'
import { GatewayWorld, payload, token } from './gateway-world.ts'
import { answerOf, type Provider } from './provider.ts'

let world: GatewayWorld
let provider: Provider

async function start(options: Parameters<typeof GatewayWorld.start>[0] = {}): Promise<void> {
  world = await GatewayWorld.start(options)
  provider = await world.provider()
}

beforeEach(() => start())
afterEach(() => world.stop())

/** A push that delivery has and does not answer yet, and one of which only the headers have arrived. */
async function twoUnderWay() {
  world.delivery.outcome = 'later'
  const arrived = world.delivery.next()
  const accepted = provider.send(world.headers(), payload)
  const half = provider.session.request(world.headers())
  const late = answerOf(half)
  await arrived
  // An answered PING tells that the gateway has the headers of the second request.
  await new Promise((resolve) => provider.session.ping(resolve))
  return { accepted, half, late }
}

describe('an accepted request', () => {
  test('reaches delivery as it was sent', async () => {
    const apnsId = 'EABEAE54-14a8-11e5-b60b-1697f925ec7b'
    const expiration = String(Math.floor(world.nowMs / 1000) + 3600)
    const answer = await provider.send(
      {
        ...world.headers(),
        ':path': `/3/device/${token.toUpperCase()}`,
        'apns-id': apnsId,
        'apns-expiration': expiration,
        'apns-priority': '5',
        'apns-collapse-id': 'score',
        'apns-push-type': 'background',
      },
      payload,
    )
    expect(answer).toMatchObject({ status: 200, body: '', headers: { 'apns-id': apnsId } })
    const [notification] = world.delivery.accepted
    expect(notification).toMatchObject({
      apnsId,
      token: world.tokens.get(token),
      priority: 5,
      expiration: Number(expiration),
      collapseId: 'score',
      pushType: 'background',
      receivedAtMs: world.nowMs,
    })
    expect(Buffer.from(notification!.payload).toString()).toBe(payload)
  })

  test('has defaults for what it does not say', async () => {
    const answer = await provider.send({ ...world.headers(), 'apns-push-type': undefined }, payload)
    expect(answer.status).toBe(200)
    const [notification] = world.delivery.accepted
    expect(notification).toMatchObject({
      priority: 10,
      expiration: Math.floor(world.nowMs / 1000) + 30 * 24 * 3600,
      collapseId: '',
      pushType: '',
    })
    expect(answer.headers['apns-id']).toBe(notification!.apnsId)
  })

  test('keeps the expiration that it says, 0 too', async () => {
    await provider.send({ ...world.headers(), 'apns-expiration': '4000000000' }, payload)
    await provider.send({ ...world.headers(), 'apns-expiration': '0' }, payload)
    expect(world.delivery.accepted.map((each) => each.expiration)).toEqual([4_000_000_000, 0])
  })

  test('gets an apns-unique-id from the sandbox alone', async () => {
    const sandbox = await provider.send(world.headers(), payload)
    expect(sandbox.headers['apns-unique-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(sandbox.headers['apns-unique-id']).not.toBe(sandbox.headers['apns-id'])
    await world.stop()
    await start({ environment: 'production' })
    const production = await provider.send(world.headers(), payload)
    expect(production.status).toBe(200)
    expect(production.headers).not.toHaveProperty('apns-unique-id')
  })

  test('leaves its ids out of the header table of the client, which are new each time', async () => {
    const headers = world.headers()
    // The first answer enters the names, and with them one value each.
    await provider.send(headers, payload)
    const before = provider.session.state.inflateDynamicTableSize
    for (let sent = 0; sent < 20; sent++) await provider.send(headers, payload)
    expect(provider.session.state.inflateDynamicTableSize).toBe(before)
  })

  test.each(['Bearer', 'BEARER', 'bearer'])('may write the scheme as %s', async (scheme) => {
    const authorization = world.bearer().replace('bearer', scheme)
    expect(await provider.send({ ...world.headers(), authorization }, payload)).toMatchObject({ status: 200 })
  })

  test('may have its token looked up in the database, and then as all others', async () => {
    const slow = '77'.repeat(32)
    world.addToken(slow, {}, world.slowTokens)
    const headers = world.headers()
    const sent = Array.from({ length: 50 }, (_, index) =>
      provider.send(
        {
          ...headers,
          ':path': `/3/device/${index % 2 === 0 ? slow : token}`,
          'apns-collapse-id': `c${index}`,
        },
        `{"n":${index}}`,
      ),
    )
    for (const answer of await Promise.all(sent)) expect(answer.status).toBe(200)
    expect(world.delivery.accepted).toHaveLength(50)
    for (const { collapseId, payload, token: record } of world.delivery.accepted) {
      const index = Number(collapseId.slice(1))
      expect(Buffer.from(payload).toString()).toBe(`{"n":${index}}`)
      expect(record.token).toBe(index % 2 === 0 ? slow : token)
    }
  })
})

test('a payload is a copy: the receive buffer that it came in is used again at once', async () => {
  const slow = '77'.repeat(32)
  world.addToken(slow, {}, world.slowTokens)
  const connection = new GatewayConnection(world.shared(), undefined)
  for (const path of [`/3/device/${token}`, `/3/device/${slow}`]) {
    const body = Buffer.from(payload)
    const accepted = path.includes(slow) ? world.delivery.next() : undefined
    connection.onRequest(1, Object.entries({ ...world.headers(), ':path': path }).flat(), body)
    body.fill(0)
    await accepted
  }
  const payloads = world.delivery.accepted.map((each) => Buffer.from(each.payload).toString())
  expect(payloads).toEqual([payload, payload])
})

describe('what delivery says', () => {
  test('busy answers ServiceUnavailable, failed answers InternalServerError', async () => {
    world.delivery.outcome = 'busy'
    expect(await provider.send(world.headers(), payload)).toMatchObject({
      reason: 'ServiceUnavailable',
      status: 503,
    })
    world.delivery.outcome = 'failed'
    expect(await provider.send(world.headers(), payload)).toMatchObject({
      reason: 'InternalServerError',
      status: 500,
    })
  })

  test('a registry that cannot be read answers ServiceUnavailable, not BadDeviceToken', async () => {
    world.lookupFails = true
    const answer = await provider.send(
      { ...world.headers(), ':path': `/3/device/${'99'.repeat(32)}` },
      payload,
    )
    expect(answer).toMatchObject({ reason: 'ServiceUnavailable', status: 503 })
  })

  test('may come after the connection is gone', async () => {
    world.delivery.outcome = 'later'
    const arrived = world.delivery.next()
    provider.send(world.headers(), payload).catch(() => undefined)
    await arrived
    await provider.close()
    world.delivery.answerWaiting()
    world.delivery.outcome = 'accepted'
    const other = await world.provider()
    expect(await other.send(world.headers(), payload)).toMatchObject({ status: 200 })
  })
})

describe('provider tokens over time', () => {
  test('a token that was good expires on an open connection', async () => {
    const headers = world.headers()
    expect(await provider.send(headers, payload)).toMatchObject({ status: 200 })
    world.nowMs += 3_602_000
    expect(await provider.send(headers, payload)).toMatchObject({ reason: 'ExpiredProviderToken' })
    expect(await provider.send(world.headers(), payload)).toMatchObject({ status: 200 })
  })

  test('a key that is revoked ends the connections that use it, with its reason', async () => {
    const other = await world.provider()
    const idle = await world.provider()
    const headers = world.headers()
    for (const each of [provider, other])
      expect(await each.send(headers, payload)).toMatchObject({ status: 200 })
    const told = [provider, other].map((each) => each.goaway())
    world.authority.setKey(keyId, world.keys.publicKey, { revoked: true })
    for (const goaway of told) expect(await goaway).toMatchObject({ reason: 'InvalidProviderToken' })
    expect(await idle.send(headers, payload)).toMatchObject({ status: 403, reason: 'InvalidProviderToken' })
    world.authority.setKey(keyId, world.keys.publicKey)
    expect(await idle.send(headers, payload)).toMatchObject({ status: 200 })
  })

  test('requests under way when their key is revoked are answered', async () => {
    const { accepted, half, late } = await twoUnderWay()
    const goaway = provider.goaway()
    world.authority.setKey(keyId, world.keys.publicKey, { revoked: true })
    await goaway
    half.end(payload)
    expect(await late).toMatchObject({ status: 403, reason: 'InvalidProviderToken' })
    world.delivery.answerWaiting()
    expect(await accepted).toMatchObject({ status: 200 })
  })

  test('a key whose public half was replaced does not open with the old signature', async () => {
    const headers = world.headers()
    expect(await provider.send(headers, payload)).toMatchObject({ status: 200 })
    world.authority.setKey(keyId, newKey().publicKey)
    expect(await provider.send(headers, payload)).toMatchObject({ reason: 'InvalidProviderToken' })
  })

  test('an app whose push is switched off is refused at the next request', async () => {
    const headers = world.headers()
    expect(await provider.send(headers, payload)).toMatchObject({ status: 200 })
    world.authority.setApp(bundleId, { pushEnabled: false })
    expect(await provider.send(headers, payload)).toMatchObject({ reason: 'Forbidden' })
  })

  test('many unknown tokens in one second are put off, and the next second is another', async () => {
    const seen = new Map<string, number>()
    // The signature is another one each time.
    for (let made = 0; made < 40; made++) {
      const answer = await provider.send({ ...world.headers(), authorization: world.bearer() }, payload)
      seen.set(answer.reason ?? '200', (seen.get(answer.reason ?? '200') ?? 0) + 1)
    }
    expect(Object.fromEntries(seen)).toEqual({ 200: 16, TooManyProviderTokenUpdates: 24 })
    world.nowMs += 1000
    const later = { ...world.headers(), authorization: world.bearer(1) }
    expect(await provider.send(later, payload)).toMatchObject({ status: 200 })
  })
})

describe('the first token binds the connection', () => {
  const second = newKey()
  const third = newKey()
  const bearerOf = (key: ReturnType<typeof newKey>, kid: string, iss?: string): string => {
    const parts = { header: { kid }, claims: iss === undefined ? {} : { iss } }
    return `bearer ${signToken(key.privateKey, Math.floor(world.nowMs / 1000), parts)}`
  }

  beforeEach(() => {
    world.authority.setKey('KEYSECOND0', second.publicKey)
    world.authority.setKey('KEYTEAM002', third.publicKey, { teamId: 'TEAM000002' })
    world.authority.setKey('KEYTOPIC01', third.publicKey, { topics: [bundleId] })
    world.authority.setApp('com.example.foreign', { teamId: 'TEAM000002' })
  })

  test('another team is unrelated', async () => {
    await provider.send(world.headers(), payload)
    const authorization = bearerOf(third, 'KEYTEAM002', 'TEAM000002')
    const headers = { ...world.headers(), authorization, 'apns-topic': 'com.example.foreign' }
    expect(await provider.send(headers, payload)).toMatchObject({
      reason: 'UnrelatedKeyIdInToken',
      status: 403,
    })
    expect(await provider.send(world.headers(), payload)).toMatchObject({ status: 200 })
  })

  test('a key for topics is unrelated to a key of the whole team, and the other way round', async () => {
    const forTopics = { ...world.headers(), authorization: bearerOf(third, 'KEYTOPIC01') }
    await provider.send(world.headers(), payload)
    expect(await provider.send(forTopics, payload)).toMatchObject({ reason: 'UnrelatedKeyIdInToken' })
    const other = await world.provider()
    expect(await other.send(forTopics, payload)).toMatchObject({ status: 200 })
    expect(await other.send(world.headers(), payload)).toMatchObject({ reason: 'UnrelatedKeyIdInToken' })
  })

  test('a second key of the whole team may follow', async () => {
    await provider.send(world.headers(), payload)
    const headers = { ...world.headers(), authorization: bearerOf(second, 'KEYSECOND0') }
    expect(await provider.send(headers, payload)).toMatchObject({ status: 200 })
  })

  test('a token that was refused binds nothing', async () => {
    await provider.send({ ...world.headers(), authorization: bearerOf(third, 'KEYTEAM002') }, payload)
    expect(await provider.send(world.headers(), payload)).toMatchObject({ status: 200 })
  })
})

describe('streams', () => {
  test('one at a time until the first valid token where so chosen, then a thousand', async () => {
    await world.stop()
    await start({ fidelity: { streamsBeforeToken: 1 } })
    const fresh = world.dial()
    const announced: (number | undefined)[] = []
    const raised = new Promise<void>((resolve) => {
      fresh.session.on('remoteSettings', ({ maxConcurrentStreams }) => {
        announced.push(maxConcurrentStreams)
        if (maxConcurrentStreams === 1000) resolve()
      })
    })
    const noToken = { ...world.headers(), authorization: undefined }
    expect(await fresh.send(noToken, payload)).toMatchObject({ reason: 'MissingProviderToken' })
    expect(await fresh.send(noToken, payload)).toMatchObject({ reason: 'MissingProviderToken' })
    expect(announced).toEqual([100, 1])
    expect(await fresh.send(world.headers(), payload)).toMatchObject({ status: 200 })
    await raised
    expect(announced).toEqual([100, 1, 1000])
  })

  test.each([1, 100])('a burst on a new connection loses nothing when it starts at %d', async (streams) => {
    await world.stop()
    await start({ fidelity: { streamsBeforeToken: streams } })
    const headers = world.headers()
    const fresh = world.dial()
    const answers = await Promise.all(Array.from({ length: 500 }, () => fresh.send(headers, payload)))
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]))
    expect(fresh.session.remoteSettings.maxConcurrentStreams).toBe(1000)
  })
})

test.each([
  ['in memory', token],
  ['in the database', '77'.repeat(32)],
])('a fault while a push is taken ends its connection, not the process: token %s', async (_where, wanted) => {
  world.addToken('77'.repeat(32), {}, world.slowTokens)
  const fault = new Error('a bug')
  world.delivery.accept = () => {
    throw fault
  }
  const goaway = once(provider.session, 'goaway')
  provider.send({ ...world.headers(), ':path': `/3/device/${wanted}` }, payload).catch(() => undefined)
  expect((await goaway)[0]).toBe(2)
  expect(world.troubles).toEqual([fault])
})

describe('shutting down', () => {
  test('says why, lets requests under way finish, and refuses new ones', async () => {
    const { accepted, half, late } = await twoUnderWay()
    const goaway = provider.goaway()
    const closed = world.gateway.close()
    expect(await goaway).toMatchObject({ reason: 'Shutdown' })
    half.end(payload)
    expect(await late).toMatchObject({ status: 503, reason: 'Shutdown' })
    world.delivery.answerWaiting()
    expect(await accepted).toMatchObject({ status: 200 })
    await closed
  })
})

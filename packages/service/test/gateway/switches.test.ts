import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import type { Fidelity } from '../../src/fidelity.ts'
import { bundleId, newKey, signToken } from '../memory-authority.ts'
import { GatewayWorld, payload, token } from './gateway-world.ts'
import type { Provider } from './provider.ts'

let world: GatewayWorld
afterEach(() => world.stop())

async function start(fidelity: Partial<Fidelity>): Promise<Provider> {
  world = await GatewayWorld.start({ fidelity })
  return world.provider()
}

const unknownToken = { ':path': `/3/device/${'12'.repeat(32)}` }

/** Resolves when SETTINGS announce so many streams. */
function announced(provider: Provider, streams: number): Promise<void> {
  return new Promise((resolve) => {
    provider.session.on('remoteSettings', ({ maxConcurrentStreams }) => {
      if (maxConcurrentStreams === streams) resolve()
    })
  })
}

describe('oneStreamAfterRejection', () => {
  test('one stream after a 4xx, and all of them after the next success', async () => {
    const provider = await start({ oneStreamAfterRejection: true })
    const raised = announced(provider, 1000)
    expect(await provider.send(world.headers(), payload)).toMatchObject({ status: 200 })
    await raised
    const lowered = announced(provider, 1)
    expect(await provider.send({ ...world.headers(), ...unknownToken }, payload)).toMatchObject({
      reason: 'BadDeviceToken',
    })
    await lowered
    const restored = announced(provider, 1000)
    expect(await provider.send(world.headers(), payload)).toMatchObject({ status: 200 })
    await restored
  })

  test('not after a 410, which is no error of the client', async () => {
    const provider = await start({ oneStreamAfterRejection: true })
    const gone = 'ef'.repeat(32)
    world.addToken(gone, { inactiveSinceMs: 1 })
    const raised = announced(provider, 1000)
    await provider.send(world.headers(), payload)
    await raised
    const later: (number | undefined)[] = []
    provider.session.on('remoteSettings', (settings) => later.push(settings.maxConcurrentStreams))
    const headers = { ...world.headers(), ':path': `/3/device/${gone}` }
    expect(await provider.send(headers, payload)).toMatchObject({ reason: 'Unregistered' })
    // What was announced with the answer has come before that of a PING.
    await new Promise((resolve) => provider.session.ping(resolve))
    expect(later).toEqual([])
    expect(provider.session.remoteSettings.maxConcurrentStreams).toBe(1000)
  })
})

test('wedgedAfterExpiredToken: the connection says nothing else any more, a new one works', async () => {
  const provider = await start({ wedgedAfterExpiredToken: true })
  const expired = { ...world.headers(), authorization: world.bearer(3700) }
  expect(await provider.send(expired, payload)).toMatchObject({ reason: 'ExpiredProviderToken' })
  expect(await provider.send(world.headers(), payload)).toMatchObject({ reason: 'ExpiredProviderToken' })
  const other = await world.provider()
  expect(await other.send(world.headers(), payload)).toMatchObject({ status: 200 })
})

test('unregisteredDelay: a gone token answers 200 until a time of its own between the two bounds', async () => {
  const provider = await start({ unregisteredDelaySecondsMin: 1000, unregisteredDelaySecondsMax: 2000 })
  const gone = ['00', '40', '80', 'c0', 'ff'].map((byte) => byte.repeat(32))
  const since = world.nowMs
  for (const each of gone) world.addToken(each, { inactiveSinceMs: since })
  // One provider token for all of it: a new one each time would be renewed too often.
  const headers = world.headers()
  const answers = async (seconds: number) => {
    world.nowMs = since + seconds * 1000
    const sent = gone.map((each) => provider.send({ ...headers, ':path': `/3/device/${each}` }, payload))
    return Promise.all(sent)
  }
  expect((await answers(999)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  expect((await answers(1600)).map(({ status }) => status)).toEqual([410, 410, 410, 200, 200])
  const last = await answers(2000)
  expect(last.map(({ status }) => status)).toEqual([410, 410, 410, 410, 410])
  for (const { timestamp } of last) expect(timestamp).toBe(since)
})

test('reasonSpellings: the documents spell a reason otherwise than the service', async () => {
  const provider = await start({ reasonSpellings: 'documented' })
  const key = newKey()
  world.authority.setKey('KEYPRODUCT', key.publicKey, { environment: 'production' })
  const parts = { header: { kid: 'KEYPRODUCT' } }
  const authorization = `bearer ${signToken(key.privateKey, Math.floor(world.nowMs / 1000), parts)}`
  expect(await provider.send({ ...world.headers(), authorization }, payload)).toMatchObject({
    status: 403,
    reason: 'BadEnvironmentKeyIdInToken',
  })
})

test('wrongEnvironmentCertificate goaway: told right after the handshake, before any request', async () => {
  await start({ wrongEnvironmentCertificate: 'goaway' })
  const production = await world.ca.push('production', bundleId)
  world.authority.setCertificate(production.serial, 'good')
  const provider = world.dial(production)
  expect(await provider.goaway()).toEqual({ lastStreamId: 0, reason: 'BadCertificateEnvironment' })
})

test('refusesUrgentBackground off: a background push may ask for priority 10', async () => {
  const provider = await start({ refusesUrgentBackground: false })
  const headers = { ...world.headers(), 'apns-push-type': 'background', 'apns-priority': '10' }
  expect(await provider.send(headers, payload)).toMatchObject({ status: 200 })
  expect(world.delivery.accepted.at(-1)).toMatchObject({ priority: 10, pushType: 'background' })
})

test('goawayAfterBadTokens: the connection ends after so many, and all of them are answered', async () => {
  const provider = await start({ goawayAfterBadTokens: 3 })
  const told = provider.goaway()
  for (let sent = 0; sent < 3; sent++) {
    expect(await provider.send({ ...world.headers(), ...unknownToken }, payload)).toMatchObject({
      reason: 'BadDeviceToken',
    })
  }
  expect(await told).toMatchObject({ reason: 'BadDeviceToken' })
})

describe('retryAfterSeconds', () => {
  test('goes with 429 and 503, and with nothing else', async () => {
    const provider = await start({ retryAfterSeconds: 7, requestsPerTokenPerMinuteMax: 1 })
    world.delivery.outcome = 'busy'
    const busy = await provider.send(world.headers(), payload)
    expect(busy).toMatchObject({ status: 503, headers: { 'retry-after': '7' } })
    const tooMany = await provider.send(world.headers(), payload)
    expect(tooMany).toMatchObject({ status: 429, headers: { 'retry-after': '7' } })
    const bad = await provider.send({ ...world.headers(), ...unknownToken }, payload)
    expect(bad.status).toBe(400)
    expect(bad.headers).not.toHaveProperty('retry-after')
  })

  test('is absent by default', async () => {
    const provider = await start({})
    world.delivery.outcome = 'busy'
    expect((await provider.send(world.headers(), payload)).headers).not.toHaveProperty('retry-after')
  })
})

describe('requestsPerTokenPerMinuteMax', () => {
  test('counts each device token for itself, and anew in the next minute', async () => {
    const provider = await start({ requestsPerTokenPerMinuteMax: 2 })
    const other = '34'.repeat(32)
    world.addToken(other)
    const headers = world.headers()
    const reasons = async (wanted: string, count: number) => {
      const said: string[] = []
      for (let sent = 0; sent < count; sent++) {
        const answer = await provider.send({ ...headers, ':path': `/3/device/${wanted}` }, payload)
        said.push(answer.reason ?? String(answer.status))
      }
      return said
    }
    expect(await reasons(token, 3)).toEqual(['200', '200', 'TooManyRequests'])
    expect(await reasons(other, 3)).toEqual(['200', '200', 'TooManyRequests'])
    world.nowMs += 60_000
    expect(await reasons(token, 3)).toEqual(['200', '200', 'TooManyRequests'])
  })

  test('0 counts nothing', async () => {
    const provider = await start({ requestsPerTokenPerMinuteMax: 0 })
    const headers = world.headers()
    const answers = await Promise.all(Array.from({ length: 200 }, () => provider.send(headers, payload)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  })
})

test('tokenLifeDays: a token that its app has not asked for so long is ExpiredToken', async () => {
  const provider = await start({ tokenLifeDays: 30 })
  const day = 24 * 60 * 60 * 1000
  const today = Math.floor(world.nowMs / day)
  world.addToken(token, { askedDay: today - 30 })
  expect(await provider.send(world.headers(), payload)).toMatchObject({ status: 200 })
  world.addToken(token, { askedDay: today - 31, inactiveSinceMs: 5 })
  expect(await provider.send(world.headers(), payload)).toMatchObject({
    status: 410,
    reason: 'ExpiredToken',
    timestamp: today * day,
  })
})

test('requestSecondsMax: a request that never ends is answered', async () => {
  const provider = await start({ requestSecondsMax: 1 })
  const stream = provider.session.request(world.headers())
  let body = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    body += text
  })
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
  expect(headers[':status']).toBe(400)
  await once(stream, 'end')
  expect(JSON.parse(body)).toEqual({ reason: 'IdleTimeout' })
  expect(await provider.send(world.headers(), payload)).toMatchObject({ status: 200 })
})

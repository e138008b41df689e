import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { Counters } from '../src/counters.ts'
import {
  type ConnectionChange,
  diagnosticsChannels,
  type PushClient,
  type PushDone,
  type PushRetry,
} from '../src/index.ts'
import { makeAuthKey } from './support/certificate.ts'
import {
  clientOf,
  deviceToken,
  newKeyId,
  push,
  ScriptedService,
  type SeenRequest,
} from './support/service.ts'

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

const messagesOf = <T>(name: string): T[] => {
  const messages: T[] = []
  const listener = (message: unknown): void => void messages.push(message as T)
  subscribe(name, listener)
  cleanUps.push(() => unsubscribe(name, listener))
  return messages
}

/** Something of everything: acceptances, rejections, a refusal, a retry, a lost connection. */
const busy = (request: SeenRequest): void => {
  switch (request.number) {
    case 1:
      return request.reject(410, { reason: 'Unregistered', timestamp: 1_700_000_000_000 })
    case 2:
      return request.reject(400, { reason: 'BadDeviceToken' })
    case 3:
      return request.reject(400, { reason: 'SomethingNew' })
    case 4:
      return request.reject(503, { reason: 'ServiceUnavailable' })
    case 5:
      return request.refuse()
    case 12:
      return request.link.cut(new Error('cable'))
    default:
      return request.accept()
  }
}

const sendBusily = async (client: PushClient, service: ScriptedService): Promise<void> => {
  for (let n = 0; n < 12; n++) await service.world.until(client.send(push(n)))
  await service.world.until(client.send(push()))
}

test('counters tell what happened, by reason', async () => {
  const service = new ScriptedService({ onRequest: busy })
  const client = clientOf(service)
  await sendBusily(client, service)
  expect(client.stats()).toMatchObject({
    sent: 15,
    accepted: 9,
    rejected: 3,
    rejectedBy: { Unregistered: 1, BadDeviceToken: 1, other: 1 },
    unanswered: 1,
    unansweredBy: { ConnectionLost: 1 },
    ambiguous: 1,
    resent: 1,
    retried: 1,
    inFlight: 0,
    queued: 0,
    pausing: 0,
    connectionsOpened: 2,
    connectionsClosed: 1,
    connectsFailed: 0,
  })
  const { count, sumMs, buckets } = client.stats().roundTrips
  expect(count).toBe(13)
  expect(sumMs).toBeGreaterThanOrEqual(13)
  expect(buckets.at(-1)).toEqual({ leMs: Number.POSITIVE_INFINITY, count: 13 })
})

test('the histogram counts each time in the bucket that it fits', () => {
  const counters = new Counters()
  for (const ms of [0, 1, 2, 3, 4, 5, 100, 65_536, 65_537, 1e9]) counters.answeredIn(ms)
  const { buckets } = counters.roundTrips
  const upTo = (leMs: number) => buckets.find((bucket) => bucket.leMs === leMs)?.count
  expect([1, 2, 4, 8, 64, 128, 65_536, Number.POSITIVE_INFINITY].map(upTo)).toEqual([2, 3, 5, 6, 6, 7, 8, 10])
})

test('channels of node:diagnostics_channel tell of pushes, retries and connections', async () => {
  const pushes = messagesOf<PushDone>(diagnosticsChannels.push)
  const retries = messagesOf<PushRetry>(diagnosticsChannels.retry)
  const connections = messagesOf<ConnectionChange>(diagnosticsChannels.connection)
  const service = new ScriptedService({ onRequest: busy })
  const client = clientOf(service)
  await sendBusily(client, service)
  const name = { environment: 'sandbox', host: 'push.test', port: 443 }
  expect(pushes).toHaveLength(13)
  expect(pushes[0]).toMatchObject({
    ...name,
    topic: 'com.example.app',
    pushType: 'alert',
    result: { ok: true },
  })
  expect(pushes[0]?.roundTripMs).toBeGreaterThan(0)
  expect(pushes[0]?.totalMs).toBeGreaterThanOrEqual(pushes[0]?.roundTripMs ?? 0)
  expect(retries).toEqual([
    {
      ...name,
      apnsId: expect.any(String),
      reason: 'ServiceUnavailable',
      attempts: 1,
      delayMs: expect.any(Number),
    },
  ])
  expect(connections.map(({ change }) => change)).toEqual(['opening', 'ready', 'closed', 'opening', 'ready'])
  expect(connections[2]?.message).toContain('cable')

  const away = new ScriptedService({ onConnect: () => new Error('no route'), onRequest: () => {} })
  await away.world.until(clientOf(away, { limits: { queuedMsMax: 200 } }).send(push()))
  const failed = connections.find(({ change }) => change === 'failed')
  expect(failed?.message).toContain('no route')
})

test('nothing that a client tells holds a device token, a provider token, a key or a password', async () => {
  const privateKey = makeAuthKey()
  const told: unknown[] = []
  for (const name of Object.values(diagnosticsChannels)) {
    const listener = (message: unknown): void => void told.push(structuredClone(message))
    subscribe(name, listener)
    cleanUps.push(() => unsubscribe(name, listener))
  }
  const headers: string[] = []
  const service = new ScriptedService({
    onRequest(request) {
      headers.push(request.headers.authorization ?? '')
      busy(request)
    },
  })
  const client = clientOf(service, {
    auth: { type: 'token', keyId: newKeyId(), teamId: 'TEAM000001', privateKey },
    proxy: 'http://proxy-user:proxy-word@proxy.test:3128',
  })
  await sendBusily(client, service)
  told.push(
    client,
    client.stats(),
    client.channels,
    client.toRequest({ ...push(), deviceToken: 'cd'.repeat(32) }).headers,
  )
  for (const wrong of [
    { ...push(), deviceToken: `${deviceToken}z` },
    { ...push(), collapseId: 'x'.repeat(65) },
  ]) {
    told.push(await client.send(wrong))
  }
  told.push(await client.send({ ...push(), payload: 5 as never }).catch((error: unknown) => error))

  const log = told
    .map((one) => `${inspect(one, { depth: 20, showHidden: true })}${JSON.stringify(one)}`)
    .join('\n')
  expect(log.length).toBeGreaterThan(5000)
  const lines = privateKey.split('\n').filter((line) => line !== '' && !line.startsWith('---'))
  const jwts = headers.map((header) => header.split(' ')[1] ?? '')
  expect(jwts[0]).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  for (const secret of [deviceToken, ...lines, ...jwts, 'proxy-word', 'proxy-user']) {
    expect(log.includes(secret), secret).toBe(false)
  }
})

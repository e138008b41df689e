import { inspect } from 'node:util'
import { ErrorCode } from '@carillon/http2'
import { expect, test } from 'vitest'
import type { Push, PushClient, PushResult } from '../src/index.ts'
import { makeAuthKey } from './support/certificate.ts'
import { clientOf, newKeyId, push, ScriptedService, type SeenRequest } from './support/service.ts'

const accepting = { onRequest: (request: SeenRequest) => request.accept() }
const many = (count: number): Push[] => Array.from({ length: count }, (_, n) => push(n))
const countBy = (results: readonly PushResult[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const result of results) {
    const name = result.ok ? 'ok' : result.reason
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
const sendAll = (client: PushClient, pushes: readonly Push[]): Promise<PushResult[]> =>
  Promise.all(pushes.map((one) => client.send(one)))

test('a push arrives as it was given, and is reported accepted', async () => {
  const seen: SeenRequest[] = []
  const service = new ScriptedService({
    onRequest(request) {
      seen.push(request)
      request.accept()
    },
  })
  const client = clientOf(service, { port: 2197 })
  const result = await service.world.until(
    client.send({
      ...push(7),
      deviceToken: 'AB'.repeat(32),
      priority: 5,
      expiration: new Date(1_900_000_000_500),
      collapseId: 'größe',
      apnsId: '123E4567-E89B-12D3-A456-426614174000',
    }),
  )
  expect(result).toEqual({ ok: true, apnsId: '123E4567-E89B-12D3-A456-426614174000' })
  expect(seen).toHaveLength(1)
  expect(seen[0]?.body).toBe('{"aps":{"alert":"Hello 7"}}')
  expect(seen[0]?.headers).toEqual({
    ':method': 'POST',
    ':scheme': 'https',
    ':authority': 'push.test:2197',
    ':path': `/3/device/${'ab'.repeat(32)}`,
    authorization: expect.stringMatching(/^bearer [\w-]+\.[\w-]+\.[\w-]{86}$/),
    'apns-id': '123E4567-E89B-12D3-A456-426614174000',
    'apns-topic': 'com.example.app',
    'apns-push-type': 'alert',
    'apns-priority': '5',
    'apns-expiration': '1900000000',
    'apns-collapse-id': Buffer.from('größe').toString('latin1'),
  })
})

test('the unique id of the sandbox is in the result', async () => {
  const uniqueId = '00000000-0000-4000-8000-000000000001'
  const service = new ScriptedService({
    onRequest: ({ link, streamId, headers }) =>
      void link.server.respond(streamId, [
        ...[':status', '200', 'apns-id', headers['apns-id'] ?? ''],
        ...['apns-unique-id', uniqueId],
      ]),
  })
  const result = await service.world.until(clientOf(service).send(push()))
  expect(result).toMatchObject({ ok: true, apnsUniqueId: uniqueId })
})

test.each([
  [400, 'BadDeviceToken', undefined, { retryable: false, tokenIsDead: false }],
  [400, 'BadTopic', undefined, { retryable: false, tokenIsDead: false }],
  [403, 'InvalidProviderToken', undefined, { retryable: false, tokenIsDead: false }],
  [403, 'BadEnvironmentKeyInToken', undefined, { retryable: false, tokenIsDead: false }],
  [410, 'Unregistered', 1_700_000_000_123, { retryable: false, tokenIsDead: true }],
  [410, 'ExpiredToken', 1_700_000_000_123, { retryable: false, tokenIsDead: true }],
  [413, 'PayloadTooLarge', undefined, { retryable: false, tokenIsDead: false }],
  [429, 'TooManyRequests', undefined, { retryable: true, tokenIsDead: false }],
  [429, 'TooManyProviderTokenUpdates', undefined, { retryable: true, tokenIsDead: false }],
  [500, 'InternalServerError', undefined, { retryable: true, tokenIsDead: false }],
  [503, 'ServiceUnavailable', undefined, { retryable: true, tokenIsDead: false }],
  [418, 'SomethingNew', undefined, { retryable: false, tokenIsDead: false }],
])('%i %s is data', async (status, reason, timestamp, expected) => {
  const body = timestamp === undefined ? { reason } : { reason, timestamp }
  const service = new ScriptedService({ onRequest: (request) => request.reject(status, body) })
  const result = await service.world.until(clientOf(service).send(push()))
  expect(result).toMatchObject({ ok: false, status, ...body, ...expected, sent: true, ambiguous: false })
  expect(result).toHaveProperty('hint', expect.stringMatching(/\w+\.$/))
  expect(service.requests).toBe(1)
})

test('an answer that is no reason is named by its status', async () => {
  const service = new ScriptedService({
    onRequest: ({ link, streamId }) =>
      void link.server.respond(streamId, [':status', '502'], Buffer.from('<html>')),
  })
  const result = await service.world.until(clientOf(service).send(push()))
  expect(result).toMatchObject({ ok: false, status: 502, reason: 'HttpStatus502', retryable: true })
})

test('the other spelling of a reason is the same reason', async () => {
  const service = new ScriptedService({
    onRequest: (request) => request.reject(403, { reason: 'BadEnvironmentKeyIdInToken' }),
  })
  const result = await service.world.until(clientOf(service).send(push()))
  expect(result).toMatchObject({ reason: 'BadEnvironmentKeyInToken' })
})

test('one stream until the first valid token, then a thousand: nothing is lost or refused', async () => {
  let open = 0
  let openMax = 0
  const openAtFirst: number[] = []
  const service = new ScriptedService({
    onRequest(request) {
      open += 1
      openMax = Math.max(openMax, open)
      if (request.number < 3) openAtFirst.push(open)
      service.world.after(20, () => {
        open -= 1
        request.accept()
        if (request.number === 0) request.link.server.setMaxConcurrentStreams(1000)
      })
    },
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 1 } }
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, many(3000)))
  expect(countBy(results)).toEqual({ ok: 3000 })
  expect(openAtFirst[0]).toBe(1)
  expect(openMax).toBeGreaterThan(900)
  expect(openMax).toBeLessThanOrEqual(1000)
  expect(client.stats()).toMatchObject({ sent: 3000, accepted: 3000, resent: 0, connectionsOpened: 1 })
})

test('a lowered limit is obeyed, and not evaded by another connection', async () => {
  let open = 0
  let openMaxAfter = 0
  let isLowered = false
  const service = new ScriptedService({
    onRequest(request) {
      open += 1
      if (isLowered) openMaxAfter = Math.max(openMaxAfter, open)
      service.world.after(100, () => {
        open -= 1
        if (request.number === 500) request.link.server.setMaxConcurrentStreams(1)
        if (request.number === 700) isLowered = true
        request.accept()
      })
    },
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 100 } }
  const client = clientOf(service, { limits: { connectionsMax: 1 } })
  const results = await service.world.until(sendAll(client, many(720)))
  expect(countBy(results)).toEqual({ ok: 720 })
  expect(openMaxAfter).toBe(1)

  const second = clientOf(service)
  service.world.serverOptions = { settings: { maxConcurrentStreams: 1 } }
  await service.world.until(second.send(push()))
  expect(second.stats().connectionsOpened).toBe(1)
})

test('more connections are opened where all are full and answers are slow, up to the limit', async () => {
  const service = new ScriptedService({
    onRequest: (request) => service.world.after(200, () => request.accept()),
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 10 } }
  const client = clientOf(service, { limits: { connectionsMax: 3, spareIdleMsMax: 5_000 } })
  const results = await service.world.until(sendAll(client, many(500)))
  expect(countBy(results)).toEqual({ ok: 500 })
  expect(client.stats().connectionsOpened).toBe(3)
  await service.world.pass(20_000)
  expect(client.stats().connections).toBe(1)
  expect(countBy(await service.world.until(sendAll(client, many(5))))).toEqual({ ok: 5 })
})

test('GOAWAY in the middle: what the service took finishes, the rest goes to a new connection', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      if (request.number === 50) request.link.server.drain(Buffer.from('{"reason":"Shutdown"}'))
      service.world.after(30, () => request.accept())
    },
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 100 } }
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, many(500)))
  expect(countBy(results)).toEqual({ ok: 500 })
  expect(new Set(service.accepted).size).toBe(500)
  expect(service.world.links.length).toBe(2)
})

test('GOAWAY again and again does not make a storm of connections', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      request.accept()
      request.link.server.drain()
    },
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 1 } }
  const client = clientOf(service, { limits: { connectsPerMinuteMax: 10, queuedMsMax: 600_000 } })
  const start = service.world.time
  const results = await service.world.until(sendAll(client, many(35)))
  expect(countBy(results)).toEqual({ ok: 35 })
  expect(service.world.time - start).toBeGreaterThan(60_000)
})

test('a certificate of the wrong environment is told by GOAWAY: everything that waits is rejected so', async () => {
  const service = new ScriptedService({
    onConnect(link) {
      service.world.after(0, () => {
        link.server.goaway(ErrorCode.NO_ERROR, Buffer.from('{"reason":"BadCertificateEnvironment"}'))
      })
      return undefined
    },
    onRequest: (request) => request.accept(),
  })
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, many(20)))
  expect(countBy(results)).toEqual({ BadCertificateEnvironment: 20 })
  expect(results[0]).toMatchObject({ status: 403, retryable: false, sent: false })
  expect(service.world.links.length).toBe(1)
})

test('REFUSED_STREAM is sent again, as often as it takes', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      if (request.number % 3 !== 0) request.refuse()
      else request.accept()
    },
  })
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, many(300)))
  expect(countBy(results)).toEqual({ ok: 300 })
  expect(service.accepted.length).toBe(300)
  expect(client.stats().resent).toBe(service.requests - 300)
})

test('a service that refuses everything is given pauses, and the push ends as Refused', async () => {
  const service = new ScriptedService({ onRequest: (request) => request.refuse() })
  const client = clientOf(service)
  const start = service.world.time
  const result = await service.world.until(client.send(push()))
  expect(result).toMatchObject({ ok: false, status: 0, reason: 'Refused', ambiguous: false, retryable: true })
  expect(service.requests).toBe(21)
  expect(service.world.time - start).toBeGreaterThan(5_000)
})

test('a lost connection: sent pushes are ambiguous, waiting ones go to the next connection', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      if (request.link.number === 0) {
        if (request.number < 40) request.accept()
        else if (request.number === 49) service.world.after(5, () => request.link.cut(new Error('cable')))
      } else request.accept()
    },
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 10 } }
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, many(100)))
  const counts = countBy(results)
  expect(counts).toEqual({ ok: 90, ConnectionLost: 10 })
  const lost = results.filter((result) => !result.ok)
  expect(lost.every((result) => result.ambiguous && result.retryable && result.sent)).toBe(true)
  expect(service.accepted.length).toBe(90)
  expect(client.stats()).toMatchObject({ accepted: 90, unanswered: 10, rejected: 0, inFlight: 0, queued: 0 })
})

test('an ambiguous push can be sent again under the same id', async () => {
  const ids: string[] = []
  const service = new ScriptedService({
    onRequest(request) {
      ids.push(request.headers['apns-id'] ?? '')
      if (request.number === 0) request.link.cut()
      else request.accept()
    },
  })
  const client = clientOf(service)
  const first = await service.world.until(client.send(push()))
  expect(first).toMatchObject({ reason: 'ConnectionLost', ambiguous: true, apnsId: ids[0] })
  const again = await service.world.until(client.send({ ...push(), apnsId: first.apnsId }))
  expect(again).toEqual({ ok: true, apnsId: first.apnsId })
  expect(ids).toEqual([first.apnsId, first.apnsId])
})

test('a reset stream is ambiguous', async () => {
  const service = new ScriptedService({
    onRequest: ({ link, streamId }) => link.server.reset(streamId, ErrorCode.INTERNAL_ERROR),
  })
  const result = await service.world.until(clientOf(service).send(push()))
  expect(result).toMatchObject({ status: 0, reason: 'StreamReset', ambiguous: true })
})

test('connects that fail back off; pushes wait for a later one', async () => {
  const service = new ScriptedService({
    onConnect: (link) => (link.number < 4 ? new Error('connect ECONNREFUSED') : undefined),
    onRequest: (request) => request.accept(),
  })
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, many(10)))
  expect(countBy(results)).toEqual({ ok: 10 })
  expect(client.stats()).toMatchObject({ connectsFailed: 4, connectionsOpened: 5 })
})

test('no connection within the waiting time is ConnectFailed, with the cause in words', async () => {
  const service = new ScriptedService({
    onConnect: () => new Error('connect ECONNREFUSED'),
    onRequest: (request) => request.accept(),
  })
  const client = clientOf(service, { limits: { queuedMsMax: 5_000 } })
  const results = await service.world.until(sendAll(client, many(10)))
  expect(countBy(results)).toEqual({ ConnectFailed: 10 })
  expect(results[0]).toMatchObject({
    ambiguous: false,
    sent: false,
    retryable: true,
    hint: 'No connection to push.test:443: connect ECONNREFUSED',
  })
  expect(service.world.links.length).toBeLessThan(20)
})

test('an unknown authority is no matter of trying again', async () => {
  const untrusted = Object.assign(new Error('self-signed'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  const service = new ScriptedService({
    onConnect: () => untrusted,
    onRequest: (request) => request.accept(),
  })
  const result = await service.world.until(clientOf(service).send(push()))
  expect(result).toMatchObject({
    reason: 'ConnectFailed',
    hint: expect.stringContaining('Give its CA as `ca`'),
  })
  expect(service.world.links.length).toBe(1)
})

test('no answer in time: the stream is cancelled, the outcome ambiguous', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      if (request.number !== 3) request.accept()
    },
  })
  const client = clientOf(service, { limits: { answerMsMax: 2_000 } })
  const results = await service.world.until(sendAll(client, many(10)))
  expect(countBy(results)).toEqual({ ok: 9, DeadlineExceeded: 1 })
  expect(results.find((result) => !result.ok)).toMatchObject({ ambiguous: true, retryable: true, sent: true })
  expect(client.stats().inFlight).toBe(0)
})

test('no free stream in time: certainly not sent', async () => {
  const service = new ScriptedService({ onRequest: () => {} })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 1 } }
  const client = clientOf(service, { limits: { queuedMsMax: 1_000 } })
  const first = client.send(push())
  await service.world.pass(100)
  const second = await service.world.until(client.send(push()))
  expect(second).toMatchObject({ reason: 'DeadlineExceeded', ambiguous: false, sent: false })
  expect(await service.world.until(first)).toMatchObject({ reason: 'DeadlineExceeded', ambiguous: true })
})

test('a silent connection is asked for a sign of life, and replaced without one', async () => {
  const service = new ScriptedService({ onRequest: (request) => request.accept() })
  const client = clientOf(service)
  await service.world.until(client.send(push()))
  // From now on nothing of the first connection arrives anywhere, and nobody is told.
  const [first] = service.world.links
  first?.server.receive.bind(first.server)
  Object.assign(first?.server ?? {}, { receive: () => {} })
  const lost = await service.world.until(client.send(push()))
  expect(lost).toMatchObject({ reason: 'ConnectionLost', ambiguous: true })
  expect(countBy(await service.world.until(sendAll(client, many(3))))).toEqual({ ok: 3 })
  expect(service.world.links.length).toBe(2)
})

test('an expired provider token is renewed once, on a new connection, and every push is sent again', async () => {
  const tokens = new Set<string>()
  const service = new ScriptedService({
    onRequest(request) {
      tokens.add(request.headers.authorization ?? '')
      if (request.link.number === 0) request.reject(403, { reason: 'ExpiredProviderToken' })
      else request.accept()
    },
  })
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, many(50)))
  expect(countBy(results)).toEqual({ ok: 50 })
  expect(tokens.size).toBe(2)
  expect(service.world.links.length).toBe(2)
})

test('a token that stays expired is reported, not renewed again', async () => {
  const tokens = new Set<string>()
  const service = new ScriptedService({
    onRequest(request) {
      tokens.add(request.headers.authorization ?? '')
      request.reject(403, { reason: 'ExpiredProviderToken' })
    },
  })
  const client = clientOf(service)
  const results = await service.world.until(sendAll(client, many(5)))
  expect(countBy(results)).toEqual({ ExpiredProviderToken: 5 })
  expect(await service.world.until(client.send(push()))).toMatchObject({ reason: 'ExpiredProviderToken' })
  expect(tokens.size).toBe(2)
})

test('clients with one key: what one renews serves the other, on a new connection too', async () => {
  let isWedged = false
  const service = new ScriptedService({
    onRequest(request) {
      if (isWedged && request.link.number < 2) request.reject(403, { reason: 'ExpiredProviderToken' })
      else request.accept()
    },
  })
  const auth = { type: 'token' as const, keyId: newKeyId(), teamId: 'TEAM000001', privateKey: makeAuthKey() }
  const [one, other] = [clientOf(service, { auth }), clientOf(service, { auth })]
  expect(await service.world.until(one.send(push()))).toMatchObject({ ok: true })
  expect(await service.world.until(other.send(push()))).toMatchObject({ ok: true })
  isWedged = true
  expect(await service.world.until(one.send(push()))).toMatchObject({ ok: true })
  expect(await service.world.until(other.send(push()))).toMatchObject({ ok: true })
  expect(service.world.links.length).toBe(4)
})

test('a server that is going down is left for another', async () => {
  const service = new ScriptedService({
    onRequest(request) {
      if (request.link.number === 0 && request.number > 10) request.reject(503, { reason: 'Shutdown' })
      else request.accept()
    },
  })
  const client = clientOf(service)
  expect(countBy(await service.world.until(sendAll(client, many(40))))).toEqual({ ok: 40 })
  expect(service.world.links.length).toBe(2)
})

test('a full queue is data', async () => {
  const service = new ScriptedService({ onRequest: () => {} })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 1 } }
  const client = clientOf(service, { limits: { queuedMax: 5 } })
  const results = sendAll(client, many(8))
  await service.world.pass(10)
  expect(client.stats()).toMatchObject({ unanswered: 3, queued: 4, inFlight: 1 })
  expect(countBy(await service.world.until(results))).toEqual({ QueueFull: 3, DeadlineExceeded: 5 })
})

test('a signal takes a push back: before it is sent for certain, afterwards ambiguously', async () => {
  const service = new ScriptedService({ onRequest: () => {} })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 1 } }
  const client = clientOf(service)
  const [sent, queued] = [new AbortController(), new AbortController()]
  const first = client.send({ ...push(), signal: sent.signal })
  const second = client.send({ ...push(), signal: queued.signal })
  const third = client.send({ ...push(), signal: AbortSignal.abort() })
  await service.world.pass(10)
  sent.abort()
  queued.abort()
  expect(await first).toMatchObject({ reason: 'Aborted', ambiguous: true })
  expect(await second).toMatchObject({ reason: 'Aborted', ambiguous: false })
  expect(await third).toMatchObject({ reason: 'Aborted', ambiguous: false })
  expect(client.stats()).toMatchObject({ inFlight: 0, queued: 0 })
})

test('close lets what is pending finish, and answers later pushes', async () => {
  const service = new ScriptedService({
    onRequest: (request) => service.world.after(50, () => request.accept()),
  })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 10 } }
  const client = clientOf(service)
  const results = sendAll(client, many(100))
  const closed = client.close()
  expect(await client.send(push())).toMatchObject({ reason: 'ClientClosed', ambiguous: false })
  await service.world.until(closed)
  expect(countBy(await results)).toEqual({ ok: 100 })
  expect(client.stats().connections).toBe(0)
  await client.close()
})

test('close with little patience ends the rest as ClientClosed', async () => {
  const service = new ScriptedService({ onRequest: () => {} })
  service.world.serverOptions = { settings: { maxConcurrentStreams: 10 } }
  const client = clientOf(service)
  const results = sendAll(client, many(100))
  await service.world.pass(20)
  await service.world.until(client.close({ drainMsMax: 1_000 }))
  const ended = await results
  expect(countBy(ended)).toEqual({ ClientClosed: 100 })
  expect(ended.filter((result) => !result.ok && result.ambiguous).length).toBe(10)
})

test('close before any push, and close of a client that never connected', async () => {
  const service = new ScriptedService({
    onConnect: () => new Error('connect ECONNREFUSED'),
    onRequest: () => {},
  })
  await clientOf(service).close()
  const client = clientOf(service)
  const result = client.send(push())
  await service.world.until(client.close({ drainMsMax: 500 }))
  expect(await result).toMatchObject({ reason: 'ClientClosed', ambiguous: false })
})

test('while nothing is pending the client does not keep the process alive', async () => {
  const service = new ScriptedService(accepting)
  const client = clientOf(service)
  const result = client.send(push())
  expect(service.world.isKeptAlive).toBe(true)
  await service.world.until(result)
  await service.world.pass(200)
  expect(service.world.isKeptAlive).toBe(false)
  // An idle connection is still good for the next push.
  await service.world.pass(600_000)
  await service.world.until(client.send(push()))
  expect(service.world.links.length).toBe(1)
})

test('what is inspected or printed has no secret in it', () => {
  const client = clientOf(new ScriptedService(accepting))
  const shown = inspect(client, { depth: 10, showHidden: true }) + String(JSON.stringify(client))
  expect(shown).toContain('PushClient sandbox push.test:443')
  expect(shown).not.toMatch(/PRIVATE|BEGIN|bearer/)
})

test('a clock that is set back by an hour holds up no deadline and no connect', async () => {
  const iats: number[] = []
  let isAway = true
  const service = new ScriptedService({
    onConnect: () => (isAway ? new Error('away') : undefined),
    onRequest(request) {
      const claims = request.headers.authorization?.split('.')[1] ?? ''
      iats.push(JSON.parse(Buffer.from(claims, 'base64url').toString()).iat)
      if (request.number > 0) request.accept()
    },
  })
  const { world } = service
  const client = clientOf(service, { limits: { queuedMsMax: 2_000, answerMsMax: 2_000 } })
  const waiting = client.send(push(1))
  await world.pass(1_000)
  world.clockErrorMs -= 3_600_000
  expect(await world.until(waiting, 1_500)).toMatchObject({ reason: 'ConnectFailed' })

  isAway = false
  const unanswered = client.send(push(2))
  await world.pass(1_000)
  world.clockErrorMs -= 3_600_000
  expect(await world.until(unanswered, 1_500)).toMatchObject({ reason: 'DeadlineExceeded' })
  expect(await world.until(client.send(push(3)), 1_000)).toMatchObject({ ok: true })
  // What the service reads is the time of the machine, not that of the deadlines.
  expect(iats.at(-1)! * 1000).toBeLessThanOrEqual(world.now())
})

import { expect, test } from 'vitest'
import { clientOf, push, ScriptedService, type SeenRequest } from '../support/service.ts'

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
  expect(result).toEqual({ ok: true, outcome: 'accepted', apnsId: '123E4567-E89B-12D3-A456-426614174000' })
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
  const result = await service.world.until(clientOf(service, { retry: false }).send(push()))
  expect(result).toMatchObject({ ok: false, outcome: 'rejected', status, ...body, ...expected })
  expect(result).toMatchObject({ sent: true, attempts: 1, ambiguous: false })
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
  expect(result).toHaveProperty('hint', expect.stringMatching(/status 502 and no reason.* proxy/))
})

test('the other spelling of a reason is the same reason', async () => {
  const service = new ScriptedService({
    onRequest: (request) => request.reject(403, { reason: 'BadEnvironmentKeyIdInToken' }),
  })
  const result = await service.world.until(clientOf(service).send(push()))
  expect(result).toMatchObject({ reason: 'BadEnvironmentKeyInToken' })
})

import { expect, test } from 'vitest'
import { startProvider } from '../src/index.ts'
import { allAre, bundleId, credentials, newToken, start, temporaryDirectory, token } from './support/world.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

test('a message goes its way: app, device, 202, push, status', async () => {
  const { call, service, recipientsUntil } = await start()
  const app = await call('POST', '/v1/apps', { bundleId, environments: { sandbox: { credentials } } })
  expect(app).toMatchObject({
    status: 200,
    body: {
      bundleId,
      environments: { sandbox: { credentials: { type: 'token', keyId: credentials.keyId } } },
    },
  })
  const device = await call('PUT', `/v1/devices/${token.toUpperCase()}`, {
    bundleId,
    environment: 'sandbox',
    user: 'anna',
    locale: 'de-DE',
  })
  expect(device).toMatchObject({ status: 200, body: { token, bundleId, user: 'anna', locale: 'de-DE' } })
  expect(await call('GET', `/v1/devices/${token}`)).toEqual(device)

  const before = Date.now()
  const sent = await call('POST', '/v1/messages', {
    message: { token, notification: { title: 'Hello', body: 'World', badge: 3 }, data: { id: '7' } },
  })
  expect(sent).toMatchObject({ status: 202, body: { id: expect.stringMatching(uuid) } })
  await service.received(1)
  const [push] = service.pushes
  expect(push).toMatchObject({
    deviceToken: token,
    topic: bundleId,
    pushType: 'alert',
    priority: 10,
    apnsId: sent.body.id,
  })
  expect(JSON.parse(push!.payload)).toEqual({
    id: '7',
    aps: { alert: { title: 'Hello', body: 'World' }, badge: 3 },
  })
  // Stored by default, for 28 days.
  expect(push!.expiration * 1000 - before).toBeGreaterThan(27.9 * 86_400_000)

  const recipients = await recipientsUntil(sent.body.id, allAre('sent'))
  expect(recipients).toMatchObject([
    { token, environment: 'sandbox', apnsId: sent.body.id, state: 'sent', attempts: 1, status: 200 },
  ])
})

test('no answer shows a private key', async () => {
  const { call } = await start()
  const saved = await call('POST', '/v1/apps', { bundleId, environments: { sandbox: { credentials } } })
  const read = await call('GET', `/v1/apps/${bundleId}`)
  expect(read).toEqual(saved)
  expect(JSON.stringify(read)).not.toContain('PRIVATE')
})

test('credentials can be replaced, and environments added, one by one', async () => {
  const { call } = await start()
  const connect = { host: '127.0.0.1', port: 2197, ca: 'PEM' }
  await call('POST', '/v1/apps', { bundleId, environments: { sandbox: { credentials } } })
  await call('POST', '/v1/apps', { bundleId, environments: { production: { credentials, connect } } })
  const keyId = 'NEWKEY1234'
  await call('POST', '/v1/apps', {
    bundleId,
    environments: { sandbox: { credentials: { ...credentials, keyId } } },
  })
  expect((await call('GET', `/v1/apps/${bundleId}`)).body.environments).toMatchObject({
    sandbox: { credentials: { keyId } },
    production: { credentials: { keyId: credentials.keyId }, connect: { host: '127.0.0.1', port: 2197 } },
  })
})

test.each([
  ['no key', {}, 401],
  ['a wrong key', { authorization: 'Bearer key-of-the-back-enD' }, 401],
  ['another scheme', { authorization: 'Basic a2V5LW9mLXRoZS1iYWNrLWVuZA==' }, 401],
  ['the key', { authorization: 'bearer key-of-the-back-end' }, 404],
])('with %s', async (_name, headers, status) => {
  const { provider } = await start()
  const response = await fetch(`${provider.url}/v1/apps/com.example.none`, {
    headers: headers as Record<string, string>,
  })
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
})

test('health and documentation need no key', async () => {
  const { provider } = await start()
  expect(await (await fetch(`${provider.url}/healthz`)).json()).toEqual({ status: 'ok' })
  const document = (await (await fetch(`${provider.url}/openapi.json`)).json()) as {
    paths: object
    components: { schemas: { Message: { properties: object } } }
  }
  expect(Object.keys(document.paths).sort()).toEqual([
    '/v1/apps',
    '/v1/apps/{bundleId}',
    '/v1/devices/{token}',
    '/v1/messages',
    '/v1/messages/{id}',
  ])
  expect(document.components.schemas.Message.properties).toMatchObject({ ttlSeconds: { type: 'integer' } })
})

const message = { token, notification: { title: 'x' } }
const unregistered = 'cd'.repeat(32)
const refusals: [string, string, string, unknown, number, string, RegExp][] = [
  ['not JSON', 'POST', '/v1/messages', '{"message":', 400, 'INVALID_REQUEST', /JSON/],
  ['an unknown path', 'GET', '/v2/messages', undefined, 404, 'NOT_FOUND', /GET \/v2\/messages/],
  [
    'no target',
    'POST',
    '/v1/messages',
    { message: { notification: { title: 'x' } } },
    400,
    'INVALID_REQUEST',
    /token or tokens/,
  ],
  [
    'a payload as deep as a well',
    'POST',
    '/v1/messages',
    `{"message":{"token":"${token}","apns":{"payload":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}}}`,
    400,
    'INVALID_REQUEST',
    /nested too deeply/,
  ],
  [
    'two targets',
    'POST',
    '/v1/messages',
    { message: { ...message, tokens: [token] } },
    400,
    'INVALID_REQUEST',
    /token or tokens/,
  ],
  [
    'a misspelt field',
    'POST',
    '/v1/messages',
    { message: { ...message, notificaton: {} } },
    400,
    'INVALID_REQUEST',
    /notificaton/,
  ],
  [
    'data that is no text',
    'POST',
    '/v1/messages',
    { message: { ...message, data: { count: 1 } } },
    400,
    'INVALID_REQUEST',
    /message\.data\.count: must be a text/,
  ],
  [
    'a token that is none',
    'POST',
    '/v1/messages',
    { message: { ...message, token: 'xyz' } },
    400,
    'INVALID_REQUEST',
    /message\.token: must be a device token/,
  ],
  [
    'a token that nobody registered',
    'POST',
    '/v1/messages',
    { message: { ...message, token: unregistered } },
    404,
    'DEVICE_UNKNOWN',
    /PUT \/v1\/devices/,
  ],
  [
    'a payload that is too large',
    'POST',
    '/v1/messages',
    { message: { token, notification: { body: 'x'.repeat(4096) } } },
    413,
    'PAYLOAD_INVALID',
    /4096/,
  ],
  ['nothing to show or do', 'POST', '/v1/messages', { message: { token } }, 400, 'PAYLOAD_INVALID', /aps/],
  [
    'a push type that is none',
    'POST',
    '/v1/messages',
    { message: { ...message, pushType: 'loud' } },
    400,
    'INVALID_REQUEST',
    /alert/,
  ],
  [
    'a priority that the type forbids',
    'POST',
    '/v1/messages',
    {
      message: {
        token,
        pushType: 'background',
        priority: 10,
        apns: { payload: { aps: { 'content-available': 1 } } },
      },
    },
    400,
    'INVALID_REQUEST',
    /5/,
  ],
  [
    'an app that nobody registered',
    'PUT',
    `/v1/devices/${unregistered}`,
    { bundleId: 'com.example.none', environment: 'sandbox' },
    404,
    'APP_UNKNOWN',
    /com\.example\.none/,
  ],
  [
    'an app id with spaces',
    'POST',
    '/v1/apps',
    { bundleId: 'my app', environments: { sandbox: { credentials } } },
    400,
    'INVALID_REQUEST',
    /bundleId/,
  ],
  [
    'an app without environment',
    'POST',
    '/v1/apps',
    { bundleId, environments: {} },
    400,
    'INVALID_REQUEST',
    /sandbox, production or both/,
  ],
  ['a message that is not there', 'GET', '/v1/messages/none', undefined, 404, 'NOT_FOUND', /none/],
  [
    'a body that is too long',
    'POST',
    '/v1/messages',
    JSON.stringify({ message, padding: 'x'.repeat(1024 * 1024) }),
    413,
    'REQUEST_TOO_LARGE',
    /1048576/,
  ],
]

test.each(refusals)(
  '%s is refused with a sentence',
  async (_name, method, path, body, status, code, sentence) => {
    const { call, prepare, service } = await start()
    await prepare()
    const answer = await call(method, path, body)
    expect(answer.type).toBe('application/problem+json')
    expect(answer.body).toMatchObject({ status, code, detail: expect.stringMatching(sentence) })
    expect(answer.status).toBe(status)
    expect(service.pushes).toEqual([])
  },
)

test('a key that cannot be used is refused when the app is registered', async () => {
  const { connectPushClient } = await import('../src/index.ts')
  const { call } = await start({ connectPushClient })
  const bad = {
    ...credentials,
    privateKeyPem: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
  }
  const answer = await call('POST', '/v1/apps', { bundleId, environments: { sandbox: { credentials: bad } } })
  expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_CREDENTIALS' } })
  expect(JSON.stringify(answer.body)).not.toContain('AAAA')
  expect((await call('GET', `/v1/apps/${bundleId}`)).status).toBe(404)
})

test("what is raw for the push service is passed on, and Apple's reasons are named", async () => {
  const { call, prepare, send, service } = await start()
  await prepare()
  const apnsId = '6E1A5B0C-0F6F-4C69-9D1C-7A35A4F5D1A2'
  const headers = {
    'apns-id': apnsId,
    'apns-priority': '5',
    'apns-expiration': '0',
    'apns-collapse-id': 'score',
  }
  const id = await send({
    token,
    notification: { title: 'Goal', sound: 'default' },
    apns: { headers, payload: { aps: { alert: { body: '1:0' }, 'thread-id': 'match' }, match: { id: 9 } } },
  })
  expect(id).toBe(apnsId.toLowerCase())
  await service.received(1)
  expect(service.pushes[0]).toMatchObject({ apnsId: id, priority: 5, expiration: 0, collapseId: 'score' })
  expect(JSON.parse(service.pushes[0]!.payload)).toEqual({
    aps: { alert: { title: 'Goal', body: '1:0' }, sound: 'default', 'thread-id': 'match' },
    match: { id: 9 },
  })
  for (const [field, value, reason] of [
    ['collapseId', 'x'.repeat(65), 'BadCollapseId'],
    ['pushType', 'loud', 'InvalidPushType'],
    ['bundleId', 'com.example.other', 'DeviceTokenNotForTopic'],
    ['environment', 'production', 'BadDeviceToken'],
    ['apns', { headers: { 'apns-expiration': 'soon' } }, 'BadExpirationDate'],
  ]) {
    const answer = await call('POST', '/v1/messages', { message: { ...message, [field as string]: value } })
    expect(answer).toMatchObject({ status: 400, body: { reason } })
  }
})

test('a token that is not registered is sent to when app and environment are named', async () => {
  const { prepare, send, service } = await start()
  await prepare()
  await send({ token: unregistered, bundleId, environment: 'production', notification: { body: 'hi' } })
  await service.received(1)
  expect(service.pushes[0]).toMatchObject({ deviceToken: unregistered, topic: bundleId })
})

test('a token has one owner: registering it again moves it', async () => {
  const { call, prepare } = await start()
  await prepare()
  await call('POST', '/v1/apps', {
    bundleId: 'com.example.two',
    environments: { production: { credentials } },
  })
  const moved = { bundleId: 'com.example.two', environment: 'production', user: 'ben' }
  expect(await call('PUT', `/v1/devices/${token}`, moved)).toMatchObject({ status: 200, body: moved })
  expect((await call('GET', `/v1/devices/${token}`)).body).toMatchObject(moved)
})

test('a message to many: one id for each recipient, tokens counted once', async () => {
  const { call, prepare, send, service, recipientsUntil } = await start()
  await prepare()
  const tokens = Array.from({ length: 700 }, newToken)
  await Promise.all(
    tokens.map((one, index) =>
      call('PUT', `/v1/devices/${one}`, {
        bundleId,
        environment: index % 2 === 0 ? 'sandbox' : 'production',
      }),
    ),
  )
  const id = await send({ tokens: [...tokens, tokens[0]!.toUpperCase()], notification: { title: 'all' } })
  await service.received(tokens.length)
  const recipients = await recipientsUntil(id, allAre('sent'))
  expect(recipients.map((recipient) => recipient.token)).toEqual(tokens)
  expect(new Set(recipients.map((recipient) => recipient.apnsId)).size).toBe(tokens.length)
  expect(service.pushes).toHaveLength(tokens.length)
})

test('the same Idempotency-Key sends once; another body is a conflict', async () => {
  const { call, prepare, service, recipientsUntil } = await start()
  await prepare()
  const key = { 'idempotency-key': 'order-17' }
  const first = await call('POST', '/v1/messages', { message }, key)
  expect(first.status).toBe(202)
  expect(await call('POST', '/v1/messages', JSON.stringify({ message }, null, 2), key)).toEqual(first)
  const together = await Promise.all(
    Array.from({ length: 20 }, () =>
      call('POST', '/v1/messages', { message }, { 'idempotency-key': 'order-18' }),
    ),
  )
  expect(new Set(together.map(({ body }) => body.id)).size).toBe(1)
  const other = await call('POST', '/v1/messages', { message: { ...message, priority: 5 } }, key)
  expect(other).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } })
  await recipientsUntil(first.body.id, allAre('sent'))
  await recipientsUntil(together[0]!.body.id, allAre('sent'))
  expect(service.pushes).toHaveLength(2)
})

test.each([
  [{ apiKeys: [] }, 'INVALID_REQUEST', /API key/],
  [{ apiKeys: ['short'] }, 'INVALID_REQUEST', /16 characters/],
  [{ host: '0.0.0.0' }, 'TLS_REQUIRED', /without TLS/],
  [{ dataDir: '/nonexistent/directory' }, 'DATABASE_UNREADABLE', /does not exist/],
])('%j does not start, and says why', async (options, code, sentence) => {
  const dataDir = temporaryDirectory()
  const starting = startProvider({ dataDir, apiKeys: ['k'.repeat(16)], ...options })
  await expect(starting).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) })
})

test('a port that is taken is named', async () => {
  const { provider } = await start()
  const port = Number(new URL(provider.url).port)
  const dataDir = temporaryDirectory()
  await expect(startProvider({ dataDir, apiKeys: ['k'.repeat(16)], port })).rejects.toMatchObject({
    code: 'ADDRESS_UNUSABLE',
    message: expect.stringContaining(`127.0.0.1:${port} (another program listens there)`),
  })
})

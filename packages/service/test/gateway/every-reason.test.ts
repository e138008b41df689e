import { type Reason, type ReasonText, reasonTable } from '@carillon/wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleId, newKey } from '../memory-authority.ts'
import { type Answer, answerOf, type Provider } from './provider.ts'
import { ServiceWorld } from './service-world.ts'

const token = (byte: string): string => byte.repeat(32)
const good = token('ab')
const gone = token('b0')
const old = token('b1')
const voip = token('b2')
const busy = token('b3')
const broken = token('b4')
const closed = token('b5')
const dayMs = 24 * 60 * 60 * 1000
const payload = '{"aps":{"alert":"Hello"}}'
const otherKey = newKey()
const productionKey = newKey()

let world: ServiceWorld

beforeAll(async () => {
  world = await ServiceWorld.start(
    [
      { token: good },
      { token: gone, inactiveSinceMs: 1_699_000_000_123 },
      { token: old, issuedAtMs: Date.now() - 40 * dayMs },
      { token: voip, topic: `${bundleId}.voip` },
      { token: busy },
      { token: broken },
      { token: closed },
    ],
    { tokenLifeDays: 30, requestsPerTokenPerMinuteMax: 20, requestSecondsMax: 1 },
  )
  const { authority } = world
  authority.setApp('com.example.foreign', { teamId: 'TEAM000002' })
  authority.setApp('com.example.silent', { pushEnabled: false })
  authority.setKey('KEYTOPIC01', otherKey.publicKey, { topics: [bundleId] })
  authority.setKey('KEYPRODUCT', productionKey.publicKey, { environment: 'production' })
})
afterAll(() => world.stop())

type Headers = Record<string, string | string[] | undefined>

/** A request that is accepted; what is given replaces or adds headers. */
const request = (changes: Headers = {}): Headers => ({
  ':method': 'POST',
  ':path': `/3/device/${good}`,
  authorization: world.bearer(),
  'apns-topic': bundleId,
  ...changes,
})

/** One request on a connection of its own. */
const one = (changes: () => Headers, body = payload) => ({
  reach: () => world.provider().send(request(changes()), body),
})

async function withCertificate(
  kind: 'sandbox' | 'production',
  status: 'good' | 'revoked',
): Promise<Provider> {
  const certificate = await world.ca.push(kind, bundleId)
  world.authority.setCertificate(certificate.serial, status)
  return world.provider(certificate)
}

/** How each reason of device pushes is reached, by requests over TLS to a whole service. */
const ways: Record<string, { readonly reach: () => Promise<Answer> }> = {
  BadCollapseId: one(() => ({ 'apns-collapse-id': 'x'.repeat(65) })),
  BadDeviceToken: one(() => ({ ':path': `/3/device/${token('12')}` })),
  BadExpirationDate: one(() => ({ 'apns-expiration': 'tomorrow' })),
  BadMessageId: one(() => ({ 'apns-id': '42' })),
  BadPriority: one(() => ({ 'apns-priority': '7' })),
  BadTopic: one(() => ({ 'apns-topic': 'com.example shop' })),
  DeviceTokenNotForTopic: one(() => ({ ':path': `/3/device/${voip}` })),
  DuplicateHeaders: one(() => ({ 'apns-collapse-id': ['a', 'b'] })),
  IdleTimeout: {
    reach: () => {
      const stream = world.provider().session.request(request())
      // The body never comes.
      return answerOf(stream)
    },
  },
  InvalidPushType: one(() => ({ 'apns-push-type': 'silent' })),
  MissingDeviceToken: one(() => ({ ':path': '/3/device/' })),
  MissingTopic: one(() => ({ 'apns-topic': undefined })),
  PayloadEmpty: one(() => ({}), ''),
  TopicDisallowed: one(() => ({ 'apns-topic': 'com.example.foreign' })),
  BadCertificate: {
    reach: async () => (await withCertificate('sandbox', 'revoked')).send(request(), payload),
  },
  BadCertificateEnvironment: {
    reach: async () => (await withCertificate('production', 'good')).send(request(), payload),
  },
  BadEnvironmentKeyInToken: one(() => ({
    authorization: world.bearer(0, { header: { kid: 'KEYPRODUCT' } }, productionKey),
  })),
  ExpiredProviderToken: one(() => ({ authorization: world.bearer(3700) })),
  Forbidden: one(() => ({ 'apns-topic': 'com.example.silent' })),
  InvalidProviderToken: one(() => ({ authorization: world.bearer(0, {}, otherKey) })),
  MissingProviderToken: one(() => ({ authorization: undefined })),
  UnrelatedKeyIdInToken: {
    reach: async () => {
      const provider = world.provider()
      expect(await provider.send(request(), payload)).toMatchObject({ status: 200 })
      const authorization = world.bearer(0, { header: { kid: 'KEYTOPIC01' } }, otherKey)
      return provider.send(request({ authorization }), payload)
    },
  },
  BadPath: one(() => ({ ':path': '/2/device/' })),
  MethodNotAllowed: one(() => ({ ':method': 'PUT' })),
  ExpiredToken: one(() => ({ ':path': `/3/device/${old}` })),
  Unregistered: one(() => ({ ':path': `/3/device/${gone}` })),
  PayloadTooLarge: one(() => ({}), `{"aps":{"alert":"${'x'.repeat(4096)}"}}`),
  TooManyProviderTokenUpdates: {
    reach: async () => {
      const provider = world.provider()
      const authorization = world.bearer(60)
      expect(await provider.send(request({ authorization }), payload)).toMatchObject({ status: 200 })
      return provider.send(request(), payload)
    },
  },
  TooManyRequests: {
    reach: async () => {
      const provider = world.provider()
      const headers = request({ ':path': `/3/device/${busy}`, 'apns-expiration': '0' })
      for (let sent = 0; sent < 20; sent++) {
        expect(await provider.send(headers, payload)).toMatchObject({ status: 200 })
      }
      return provider.send(headers, payload)
    },
  },
  // These two say that the service is in trouble, which only a fault on purpose can make it: a store that cannot
  // be written, a registry that cannot be read. The answers to the real trouble: provider-connection.test.ts.
  InternalServerError: {
    reach: () => {
      const fault = { kind: 'answer', reason: 'InternalServerError' } as const
      world.service.faults.add({ id: 'broken', match: { token: broken }, fault })
      return world.provider().send(request({ ':path': `/3/device/${broken}` }), payload)
    },
  },
  ServiceUnavailable: {
    reach: () => {
      const fault = { kind: 'answer', reason: 'ServiceUnavailable' } as const
      world.service.faults.add({ id: 'closed', match: { token: closed }, fault })
      return world.provider().send(request({ ':path': `/3/device/${closed}` }), payload)
    },
  },
  Shutdown: {
    reach: async () => {
      const ending = await ServiceWorld.start([{ token: good }])
      const provider = ending.provider()
      const stream = provider.session.request(request({ authorization: ending.bearer() }))
      const answer = answerOf(stream)
      // An answered PING tells that the service has the headers of the request.
      await new Promise((resolve) => provider.session.once('remoteSettings', resolve))
      await new Promise((resolve) => provider.session.ping(resolve))
      const goaway = new Promise((resolve) => provider.session.once('goaway', resolve))
      const stopped = ending.service.close()
      await goaway
      stream.end(payload)
      const answered = await answer
      await stopped
      await ending.stop()
      return answered
    },
  },
}

const deviceReasons = reasonTable.filter(({ api }) => api !== 'channels')

test('every reason of device pushes has its way', () => {
  expect(Object.keys(ways).sort()).toEqual(deviceReasons.map(({ text }) => text).sort())
})

describe.each<Reason>(deviceReasons)('$status $text', (reason) => {
  test('is the answer of the service, in the form that clients read', async () => {
    const answer = await ways[reason.text as ReasonText]!.reach()
    expect(answer).toMatchObject({ status: reason.status, reason: reason.text })
    expect(answer.headers['apns-id']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(answer.headers['content-type']).toBe('application/json')
    const keys = reason.status === 410 ? ['reason', 'timestamp'] : ['reason']
    expect(Object.keys(JSON.parse(answer.body) as object)).toEqual(keys)
  })
})

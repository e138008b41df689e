import { type ReasonText, reasons } from '@carillon/wire'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleId, newKey, signToken } from '../memory-authority.ts'
import { GatewayWorld, payload } from './gateway-world.ts'

/** Something wrong with a request. Two of them that touch the same part cannot be in one request. */
interface Flaw {
  readonly reason: ReasonText
  readonly touches: string
  readonly headers?: Record<string, string | string[] | undefined>
  readonly body?: string
}

const goneToken = 'ef'.repeat(32)
const otherToken = 'cd'.repeat(32)
const busyToken = 'aa'.repeat(32)
const authorization = 'authorization'
const production = newKey()
const path = (token: string) => ({ touches: ':path', headers: { ':path': `/3/device/${token}` } })

/** In the order of the steps: of two flaws the upper one is answered. */
const flaws: readonly Flaw[] = [
  { reason: 'BadPath', touches: ':path', headers: { ':path': '/3/devices/' } },
  { reason: 'MethodNotAllowed', touches: ':method', headers: { ':method': 'PUT' } },
  { reason: 'MissingProviderToken', touches: authorization, headers: { authorization: undefined } },
  { reason: 'InvalidProviderToken', touches: authorization, headers: { authorization: 'bearer x' } },
  { reason: 'BadEnvironmentKeyInToken', touches: authorization, headers: { authorization: 'production' } },
  { reason: 'ExpiredProviderToken', touches: authorization, headers: { authorization: 'expired' } },
  { reason: 'DuplicateHeaders', touches: 'channel', headers: { 'apns-channel-id': ['a', 'b'] } },
  { reason: 'BadMessageId', touches: 'id', headers: { 'apns-id': '1' } },
  { reason: 'BadExpirationDate', touches: 'expiration', headers: { 'apns-expiration': 'soon' } },
  { reason: 'BadPriority', touches: 'priority', headers: { 'apns-priority': '2' } },
  { reason: 'BadCollapseId', touches: 'collapse', headers: { 'apns-collapse-id': 'x'.repeat(65) } },
  { reason: 'InvalidPushType', touches: 'type', headers: { 'apns-push-type': 'silent' } },
  { reason: 'MissingTopic', touches: 'topic', headers: { 'apns-topic': undefined } },
  { reason: 'BadTopic', touches: 'topic', headers: { 'apns-topic': 'a b' } },
  { reason: 'TopicDisallowed', touches: 'topic', headers: { 'apns-topic': 'com.example.foreign' } },
  { reason: 'Forbidden', touches: 'topic', headers: { 'apns-topic': 'com.example.silent' } },
  { reason: 'MissingDeviceToken', ...path('') },
  { reason: 'BadDeviceToken', ...path('12'.repeat(32)) },
  { reason: 'DeviceTokenNotForTopic', ...path(otherToken) },
  { reason: 'Unregistered', ...path(goneToken) },
  { reason: 'TooManyRequests', ...path(busyToken) },
  { reason: 'PayloadEmpty', touches: 'body', body: '' },
  { reason: 'PayloadTooLarge', touches: 'body', body: `{"x":"${'x'.repeat(5000)}"}` },
]

let world: GatewayWorld

beforeAll(async () => {
  world = await GatewayWorld.start({ fidelity: { requestsPerTokenPerMinuteMax: 1 } })
  world.authority.setApp('com.example.foreign', { teamId: 'TEAM000002' })
  world.authority.setApp('com.example.silent', { pushEnabled: false })
  world.authority.setKey('KEYPRODUCT', production.publicKey, { environment: 'production' })
  world.addToken(goneToken, { inactiveSinceMs: 1 })
  world.addToken(otherToken, { topic: 'com.example.other' })
  world.addToken(busyToken)
  const provider = await world.provider()
  const headers = { ...world.headers(), ...path(busyToken).headers }
  expect(await provider.send(headers, payload)).toMatchObject({ status: 200 })
  await provider.close()
})
afterAll(() => world.stop())

function tokenFor(wanted: string | string[] | undefined): string | string[] | undefined {
  if (wanted === 'expired') return world.bearer(3700)
  if (wanted !== 'production') return wanted
  const parts = { header: { kid: 'KEYPRODUCT' } }
  return `bearer ${signToken(production.privateKey, Math.floor(world.nowMs / 1000), parts)}`
}

test('the table has every reason that one request of a good connection can be refused for', () => {
  // The others need more than one request, a certificate, or a service in trouble.
  const others = new Set<ReasonText>([
    'BadCertificate',
    'BadCertificateEnvironment',
    'ExpiredToken',
    'IdleTimeout',
    'InternalServerError',
    'ServiceUnavailable',
    'Shutdown',
    'TooManyProviderTokenUpdates',
    'UnrelatedKeyIdInToken',
  ])
  const wanted = Object.values(reasons).filter(
    ({ api, text }) => api !== 'channels' && !others.has(text as ReasonText),
  )
  expect(flaws.map(({ reason }) => reason).sort()).toEqual(wanted.map(({ text }) => text).sort())
})

test.each(flaws)('$reason is answered before everything below it', async (first) => {
  const authorization = world.bearer()
  // What is counted for each token is counted for this test alone.
  const token = Buffer.alloc(32, 0x20 + flaws.indexOf(first)).toString('hex')
  world.addToken(token)
  const below = flaws.slice(flaws.indexOf(first) + 1).filter(({ touches }) => touches !== first.touches)
  // Alone it is answered, too: the last ones have nothing below them.
  for (const second of [undefined, ...below]) {
    const provider = await world.provider()
    const headers: Record<string, string | string[] | undefined> = {
      ...world.headers(),
      ':path': `/3/device/${token}`,
      authorization,
      'apns-topic': bundleId,
      ...second?.headers,
      ...first.headers,
    }
    headers.authorization = tokenFor(headers.authorization)
    const answer = await provider.send(headers, first.body ?? second?.body ?? payload)
    expect({ with: second?.reason, reason: answer.reason }).toEqual({
      with: second?.reason,
      reason: first.reason,
    })
    await provider.close()
  }
})

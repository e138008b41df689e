import { reasonTable } from '@carillon/wire'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bundleId, newKey, signToken } from '../memory-authority.ts'
import { GatewayWorld, payload, token } from './gateway-world.ts'
import type { Provider } from './provider.ts'

/** One way to be refused: what differs from a request that is accepted. */
interface Case {
  readonly name: string
  readonly headers?: Record<string, string | string[] | undefined>
  readonly body?: string | Uint8Array
}

const stranger = newKey()
const foreign = newKey()
const sandboxOnly = newKey()
const productionOnly = newKey()
const topicKey = newKey()
const teamTwo = 'TEAM000002'
const otherToken = 'cd'.repeat(32)
const goneToken = 'ef'.repeat(32)

let world: GatewayWorld
let provider: Provider

beforeAll(async () => {
  world = await GatewayWorld.start()
  const { authority } = world
  authority.setApp('com.example.foreign', { teamId: teamTwo })
  authority.setApp('com.example.silent', { pushEnabled: false })
  authority.setKey('KEYTEAM002', foreign.publicKey, { teamId: teamTwo })
  authority.setKey('KEYREVOKED', stranger.publicKey, { revoked: true })
  authority.setKey('KEYSANDBOX', sandboxOnly.publicKey, { environment: 'sandbox' })
  authority.setKey('KEYPRODUCT', productionOnly.publicKey, { environment: 'production' })
  authority.setKey('KEYTOPIC01', topicKey.publicKey, { topics: ['com.example.other'] })
  authority.setApp('com.example.other')
  world.addToken(otherToken, { bundleId: 'com.example.other', topic: 'com.example.other' })
  world.addToken(goneToken, { inactiveSinceMs: 1_699_000_000_123 })
})

beforeEach(async () => {
  // A connection of its own for each case: the first token binds it.
  provider = await world.provider()
  world.delivery.outcome = 'accepted'
  return () => provider.close()
})

afterAll(() => world.stop())

const jwt = (key: ReturnType<typeof newKey>, kid: string, claims: Record<string, unknown> = {}): string =>
  `bearer ${signToken(key.privateKey, Math.floor(world.nowMs / 1000), { header: { kid }, claims })}`

/** Made lazily: tokens need the world's clock and keys. */
const cases: Record<string, () => Case[]> = {
  BadPath: () => [
    { name: 'another path', headers: { ':path': '/' } },
    { name: 'another version', headers: { ':path': `/2/device/${token}` } },
    { name: 'something behind the token', headers: { ':path': `/3/device/${token}/x` } },
    { name: 'without any credentials', headers: { ':path': '/x', authorization: undefined } },
  ],
  MethodNotAllowed: () => [
    { name: 'PUT', headers: { ':method': 'PUT' } },
    { name: 'in lower case', headers: { ':method': 'post' } },
  ],
  MissingProviderToken: () => [
    { name: 'no authorization', headers: { authorization: undefined } },
    { name: 'an empty one', headers: { authorization: '' } },
    { name: 'the scheme alone', headers: { authorization: 'bearer' } },
    { name: 'another scheme', headers: { authorization: 'basic dTpw' } },
    {
      name: 'before anything is said about the token',
      headers: { authorization: undefined, ':path': '/3/device/x' },
    },
  ],
  InvalidProviderToken: () => [
    { name: 'no JWT', headers: { authorization: 'bearer x' } },
    { name: 'signed by another key', headers: { authorization: jwt(stranger, 'KEYTOPIC01') } },
    { name: 'an unknown key', headers: { authorization: jwt(stranger, 'KEYUNKNOWN') } },
    { name: 'a revoked key', headers: { authorization: jwt(stranger, 'KEYREVOKED') } },
    {
      name: 'another team than the key',
      headers: { authorization: world.bearer(0, { claims: { iss: teamTwo } }) },
    },
    { name: 'made for the far future', headers: { authorization: world.bearer(-3700) } },
  ],
  ExpiredProviderToken: () => [
    { name: 'an hour and a second old', headers: { authorization: world.bearer(3602) } },
    { name: 'a day old', headers: { authorization: world.bearer(86_400) } },
  ],
  BadEnvironmentKeyInToken: () => [
    { name: 'a key for production', headers: { authorization: jwt(productionOnly, 'KEYPRODUCT') } },
  ],
  DuplicateHeaders: () => [{ name: 'two collapse ids', headers: { 'apns-collapse-id': ['a', 'b'] } }],
  BadMessageId: () => [
    { name: 'no UUID', headers: { 'apns-id': '1' } },
    { name: 'braces', headers: { 'apns-id': '{eabeae54-14a8-11e5-b60b-1697f925ec7b}' } },
    { name: 'empty', headers: { 'apns-id': '' } },
  ],
  BadExpirationDate: () => [
    { name: 'a date', headers: { 'apns-expiration': '2026-01-01' } },
    { name: 'negative', headers: { 'apns-expiration': '-1' } },
    { name: 'empty', headers: { 'apns-expiration': '' } },
  ],
  BadPriority: () => [
    { name: '7', headers: { 'apns-priority': '7' } },
    { name: 'a word', headers: { 'apns-priority': 'high' } },
    { name: '10 with background', headers: { 'apns-priority': '10', 'apns-push-type': 'background' } },
  ],
  BadCollapseId: () => [{ name: '65 bytes', headers: { 'apns-collapse-id': 'x'.repeat(65) } }],
  InvalidPushType: () => [
    { name: 'an unknown one', headers: { 'apns-push-type': 'silent' } },
    { name: 'not the one of the suffix', headers: { 'apns-topic': `${bundleId}.voip` } },
  ],
  MissingTopic: () => [
    { name: 'no header', headers: { 'apns-topic': undefined } },
    { name: 'an empty one', headers: { 'apns-topic': '' } },
  ],
  BadTopic: () => [{ name: 'a space', headers: { 'apns-topic': 'com.example shop' } }],
  TopicDisallowed: () => [
    { name: 'an unknown app', headers: { 'apns-topic': 'com.example.unknown' } },
    { name: 'an app of another team', headers: { 'apns-topic': 'com.example.foreign' } },
    { name: 'a key for other topics', headers: { authorization: jwt(topicKey, 'KEYTOPIC01') } },
  ],
  Forbidden: () => [{ name: 'an app without push', headers: { 'apns-topic': 'com.example.silent' } }],
  MissingDeviceToken: () => [
    { name: 'nothing behind the slash', headers: { ':path': '/3/device/' } },
    { name: 'no slash', headers: { ':path': '/3/device' } },
  ],
  BadDeviceToken: () => [
    { name: 'no hex', headers: { ':path': '/3/device/hello' } },
    { name: 'half a byte', headers: { ':path': `/3/device/${token}a` } },
    { name: 'a query', headers: { ':path': `/3/device/${token}?x=1` } },
    { name: 'too long', headers: { ':path': `/3/device/${'ab'.repeat(101)}` } },
    { name: 'never issued', headers: { ':path': `/3/device/${'12'.repeat(32)}` } },
  ],
  DeviceTokenNotForTopic: () => [
    { name: 'a token of another app', headers: { ':path': `/3/device/${otherToken}` } },
    {
      name: 'the app token with a suffix',
      headers: { 'apns-topic': `${bundleId}.voip`, 'apns-push-type': 'voip' },
    },
  ],
  Unregistered: () => [{ name: 'an inactive token', headers: { ':path': `/3/device/${goneToken}` } }],
  PayloadEmpty: () => [
    { name: 'no body', body: '' },
    { name: 'no JSON', body: 'hello' },
    { name: 'a list', body: '[]' },
    { name: 'cut short', body: '{"aps":{' },
    { name: 'broken UTF-8', body: Buffer.from('{"aps":{"alert":"\xff"}}', 'latin1') },
  ],
  PayloadTooLarge: () => [
    { name: '4097 bytes', body: payloadOf(4097) },
    { name: 'more than any push type allows', body: payloadOf(5121) },
    { name: 'much more', body: payloadOf(60_000) },
  ],
}

/** Reasons of the device API that need a certificate, a switch, or more than one request, and where they are. */
const elsewhere: Record<string, string> = {
  BadCertificate: 'certificate.test.ts',
  BadCertificateEnvironment: 'certificate.test.ts',
  UnrelatedKeyIdInToken: 'provider-connection.test.ts',
  TooManyProviderTokenUpdates: 'token-updates.test.ts',
  ServiceUnavailable: 'provider-connection.test.ts',
  InternalServerError: 'provider-connection.test.ts',
  Shutdown: 'provider-connection.test.ts',
  IdleTimeout: 'switches.test.ts',
  ExpiredToken: 'switches.test.ts',
  TooManyRequests: 'switches.test.ts',
}

function payloadOf(bytes: number): string {
  const empty = '{"aps":{"alert":""}}'
  return empty.replace('""', `"${'x'.repeat(bytes - empty.length)}"`)
}

test('every reason of the device API has its cases', () => {
  const device = reasonTable.filter((reason) => reason.api !== 'channels').map((reason) => reason.text)
  expect([...Object.keys(cases), ...Object.keys(elsewhere)].sort()).toEqual([...device].sort())
})

describe.each(reasonTable.filter((reason) => reason.text in cases))('$status $text', (reason) => {
  test('each case answers with the row of the table, and nothing is accepted', async () => {
    const accepted = world.delivery.accepted.length
    for (const each of cases[reason.text]!()) {
      await provider.close()
      provider = await world.provider()
      const answer = await provider.send({ ...world.headers(), ...each.headers }, each.body ?? payload)
      expect({ case: each.name, status: answer.status, reason: answer.reason }).toEqual({
        case: each.name,
        status: reason.status,
        reason: reason.text,
      })
      expect(answer.headers['content-type']).toBe('application/json')
      expect(answer.headers['apns-id']).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      )
    }
    expect(world.delivery.accepted).toHaveLength(accepted)
  })
})

test('410 tells since when, in milliseconds', async () => {
  const answer = await provider.send({ ...world.headers(), ':path': `/3/device/${goneToken}` }, payload)
  expect(JSON.parse(answer.body)).toEqual({ reason: 'Unregistered', timestamp: 1_699_000_000_123 })
})

test('the largest payloads are accepted: 4096 bytes, 5120 for voip', async () => {
  const voipToken = '01'.repeat(32)
  world.addToken(voipToken, { topic: `${bundleId}.voip` })
  const voip = {
    ':path': `/3/device/${voipToken}`,
    'apns-topic': `${bundleId}.voip`,
    'apns-push-type': 'voip',
  }
  expect(await provider.send(world.headers(), payloadOf(4096))).toMatchObject({ status: 200 })
  expect(await provider.send({ ...world.headers(), ...voip }, payloadOf(5120))).toMatchObject({ status: 200 })
})

test('a rejected request says its own apns-id back', async () => {
  const apnsId = 'EABEAE54-14A8-11E5-B60B-1697F925EC7B'
  const answer = await provider.send({ ...world.headers(), 'apns-id': apnsId, 'apns-priority': '2' }, payload)
  expect(answer).toMatchObject({ reason: 'BadPriority', headers: { 'apns-id': apnsId } })
})

import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Issued, TestAuthority } from '../certificates.ts'
import { bundleId } from '../memory-authority.ts'
import { GatewayWorld, payload, token } from './gateway-world.ts'
import type { Answer } from './provider.ts'

let world: GatewayWorld
let sandbox: Issued
let universal: Issued
const voipToken = '0c'.repeat(32)

beforeAll(async () => {
  world = await GatewayWorld.start()
  world.addToken(voipToken, { topic: `${bundleId}.voip` })
  sandbox = await issue('sandbox')
  universal = await issue('universal')
})

afterAll(() => world.stop())

async function issue(
  kind: 'sandbox' | 'production' | 'universal',
  options: Parameters<TestAuthority['push']>[2] = {},
): Promise<Issued> {
  const issued = await world.ca.push(kind, bundleId, options)
  world.authority.setCertificate(issued.serial, 'good')
  return issued
}

/** A push that needs no more than the certificate. */
const request = { ':method': 'POST', ':path': `/3/device/${token}`, 'apns-topic': bundleId }

/** One request on a connection of its own; a header that is undefined is not sent. */
async function send(
  certificate: Issued,
  headers: Record<string, string | undefined> = {},
  topic: string | undefined = bundleId,
): Promise<Answer> {
  const provider = await world.provider(certificate)
  const answer = await provider.send({ ...request, 'apns-topic': topic, ...headers }, payload)
  await provider.close()
  return answer
}

/** What a push of another type than alert says. */
const pushOf = (type: string, suffix: string, deviceToken: string) => ({
  ':path': `/3/device/${deviceToken}`,
  'apns-topic': bundleId + suffix,
  'apns-push-type': type,
})

const voip = pushOf('voip', '.voip', voipToken)

describe('a good certificate', () => {
  test('needs no token, and a token on its connection means nothing', async () => {
    expect(await send(sandbox)).toMatchObject({ status: 200 })
    expect(await send(sandbox, { authorization: 'bearer nonsense' })).toMatchObject({ status: 200 })
    expect(await send(universal)).toMatchObject({ status: 200 })
  })

  test('of one topic makes the topic header unnecessary', async () => {
    expect(await send(sandbox, { 'apns-topic': undefined })).toMatchObject({ status: 200 })
    expect(await send(sandbox, { 'apns-topic': '' })).toMatchObject({ status: 200 })
    expect(world.delivery.accepted.at(-1)?.token.topic).toBe(bundleId)
  })

  test('of several topics needs the header', async () => {
    expect(await send(universal, { 'apns-topic': undefined })).toMatchObject({
      status: 400,
      reason: 'MissingTopic',
    })
  })

  test('covers the topics that it lists', async () => {
    expect(await send(universal, voip)).toMatchObject({ status: 200 })
    expect(await send(sandbox, voip)).toMatchObject({ status: 400, reason: 'TopicDisallowed' })
    world.authority.setApp('com.example.other')
    expect(await send(universal, { 'apns-topic': 'com.example.other' })).toMatchObject({
      reason: 'TopicDisallowed',
    })
  })

  test('covers a watch complication by its own topic and kind', async () => {
    const complicationToken = '0d'.repeat(32)
    world.addToken(complicationToken, { topic: `${bundleId}.complication` })
    const headers = pushOf('complication', '.complication', complicationToken)
    expect(await send(universal, headers)).toMatchObject({ status: 200 })
    expect(await send(sandbox, headers)).toMatchObject({ reason: 'TopicDisallowed' })
  })

  test('covers a topic in its list for push types of the kinds beside it', async () => {
    const topics = [
      { topic: bundleId, kinds: ['app'] },
      { topic: `${bundleId}.voip`, kinds: ['complication'] },
      { topic: `${bundleId}.pushkit.fileprovider`, kinds: ['anything'] },
    ]
    const certificate = await issue('sandbox', { topics })
    expect(await send(certificate)).toMatchObject({ status: 200 })
    expect(await send(certificate, voip)).toMatchObject({ reason: 'TopicDisallowed' })
    // No certificate with a kind for this type was ever seen, so its topic is enough.
    const filesToken = '0e'.repeat(32)
    world.addToken(filesToken, { topic: `${bundleId}.pushkit.fileprovider` })
    const headers = pushOf('fileprovider', '.pushkit.fileprovider', filesToken)
    expect(await send(certificate, headers)).toMatchObject({ status: 200 })
    expect(await send(certificate, { 'apns-topic': undefined })).toMatchObject({ reason: 'MissingTopic' })
  })

  test('does not cover push types that need a provider token', async () => {
    const location = { 'apns-topic': `${bundleId}.location-query`, 'apns-push-type': 'location' }
    expect(await send(universal, location)).toMatchObject({ reason: 'TopicDisallowed' })
  })

  test('is remembered by a resumed TLS session', async () => {
    const first = world.dial(sandbox)
    const [ticket] = (await once(first.session.socket, 'session')) as [Buffer]
    const second = world.dial(sandbox, ticket)
    expect(await second.send(request, payload)).toMatchObject({ status: 200 })
    expect((second.session.socket as TLSSocket).isSessionReused()).toBe(true)
  })

  test('may open a thousand streams at once', async () => {
    const provider = await world.provider(sandbox)
    expect(provider.session.remoteSettings.maxConcurrentStreams).toBe(1000)
    await provider.close()
  })
})

describe('refused', () => {
  const badCertificate = { status: 403, reason: 'BadCertificate' }

  test('a certificate of the other environment', async () => {
    const production = await issue('production')
    expect(await send(production)).toMatchObject({ status: 403, reason: 'BadCertificateEnvironment' })
  })

  test('a certificate of another authority, whatever it says', async () => {
    const stranger = await TestAuthority.make(world.nowMs)
    const issued = await stranger.push('sandbox', bundleId)
    world.authority.setCertificate(issued.serial, 'good')
    expect(await send(issued)).toMatchObject(badCertificate)
    expect(await send(issued, { authorization: world.bearer() })).toMatchObject(badCertificate)
  })

  test('a certificate that has expired, or that is not valid yet', async () => {
    const day = 24 * 60 * 60 * 1000
    const expired = await issue('sandbox', { notBefore: world.nowMs - 9 * day, notAfter: world.nowMs - day })
    const early = await issue('sandbox', { notBefore: world.nowMs + day, notAfter: world.nowMs + 9 * day })
    expect(await send(expired)).toMatchObject(badCertificate)
    expect(await send(early)).toMatchObject(badCertificate)
  })

  test('a certificate that expires while it is connected', async () => {
    const hour = 60 * 60 * 1000
    const brief = await issue('sandbox', { notAfter: world.nowMs + hour })
    const provider = await world.provider(brief)
    expect(await provider.send(request, payload)).toMatchObject({ status: 200 })
    world.nowMs += 2 * hour
    expect(await provider.send(request, payload)).toMatchObject(badCertificate)
    world.nowMs -= 2 * hour
    await provider.close()
  })

  test('a certificate that is revoked, from the next request on', async () => {
    const issued = await issue('sandbox')
    const provider = await world.provider(issued)
    expect(await provider.send(request, payload)).toMatchObject({ status: 200 })
    world.authority.setCertificate(issued.serial, 'revoked')
    expect(await provider.send(request, payload)).toMatchObject(badCertificate)
    await provider.close()
  })

  test('a certificate that the authority does not know', async () => {
    const unregistered = await world.ca.push('sandbox', bundleId)
    expect(await send(unregistered)).toMatchObject(badCertificate)
  })

  test('a certificate of the same authority that is for servers', async () => {
    const server = await world.ca.server()
    world.authority.setCertificate(server.serial, 'good')
    expect(await send(server)).toMatchObject(badCertificate)
  })
})

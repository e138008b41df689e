import { readFileSync } from 'node:fs'
import {
  courierExtensions,
  decodeNonce,
  encodeCourierMessage,
  hexBytes,
  hexText,
  topicHash,
} from '@carillon/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { baseToken, identity, SessionWorld, startMs } from '../support/session-world.ts'

const vectorFile = new URL('../../../wire/test/vectors/courier.json', import.meta.url)
const vectors = JSON.parse(readFileSync(vectorFile, 'utf8'))
const topic = topicHash('dev.example.app')
const installation = new Uint8Array(8).fill(7)

const ours = courierExtensions.installation | courierExtensions.resume | courierExtensions.closeReason
const keepAlive = { type: 'keepAlive', intervalMinutes: limits.keepAliveMs / 60_000 }

describe('connect', () => {
  test('introduces the device: certificates, a nonce with the time, its signature, the extension offered', () => {
    const world = new SessionWorld()
    world.session.start({ clockMs: startMs + 5, random: new Uint8Array(8).fill(9) })
    const [connect] = world.sent
    if (connect?.type !== 'connect') throw new Error('no connect')
    expect(connect.token).toBeUndefined()
    expect(connect.certificates).toEqual(identity.certificates)
    expect(decodeNonce(connect.nonce ?? new Uint8Array()).timeMs).toBe(startMs + 5)
    expect(hexText(connect.signature ?? new Uint8Array())).toBe('010251000000')
    expect(connect).toMatchObject({ state: 1, flags: 0x41, protocolVersion: 11 })
    expect((connect?.extensions ?? 0) & ours).toBe(ours)
    expect(connect.redirectCount).toBeUndefined()
  })

  test('presents the base token it has, and says how often it was redirected', () => {
    const world = new SessionWorld(baseToken)
    world.session.start({ clockMs: startMs, random: new Uint8Array(8), redirects: 2 })
    expect(world.sent[0]).toMatchObject({ type: 'connect', token: baseToken, redirectCount: 2 })
  })

  test.each([-1, Number.MAX_SAFE_INTEGER + 10])('an absurd clock (%d) still makes a nonce', (clockMs) => {
    const world = new SessionWorld()
    world.session.start({ clockMs: clockMs, random: new Uint8Array(8) })
    expect(world.sent[0]?.type).toBe('connect')
  })

  test('nothing is believed before the courier accepted, and nothing can be sent', () => {
    const world = new SessionWorld()
    world.session.start({ clockMs: startMs, random: new Uint8Array(8) })
    world.say(
      { type: 'notification', token: baseToken, topicHash: topic, payload: Uint8Array.of(0x7b, 0x7d), id: 1 },
      { type: 'noStorage' },
    )
    world.session.setTopics([topic])
    world.session.requestToken(topic, installation)
    world.session.acknowledge(1, baseToken, 'ok')
    expect(world.notifications).toEqual([])
    expect(world.storageEmpty).toBe(0)
    expect(world.sent.map(({ type }) => type)).toEqual(['connect'])
  })

  test('a courier that answers twice is heard once', () => {
    const world = SessionWorld.connected()
    world.say({ type: 'connected', status: 0, token: new Uint8Array(32).fill(1) })
    expect(world.connected).toHaveLength(1)
    world.session.setTopics([])
    expect(world.sent).toMatchObject([{ type: 'filter', token: baseToken }])
  })

  test('an empty base token is none', () => {
    const world = new SessionWorld()
    world.session.start({ clockMs: startMs, random: new Uint8Array(8) })
    world.say({ type: 'connected', status: 0, token: new Uint8Array(0) })
    expect(world.connected).toEqual([{ token: undefined, timeMs: undefined }])
  })
})

describe('the recorded exchange of an independent client', () => {
  const frames: { dir: string; cmd: number; hex: string }[] = vectors.tlv.first
  const from = (dir: string, cmd: number, at = 0) =>
    frames.filter((frame) => frame.dir === dir && frame.cmd === cmd)[at]?.hex ?? ''

  test('the same courier frames give the same token request, filter and acknowledgement', () => {
    const world = new SessionWorld()
    world.session.start({ clockMs: startMs, random: new Uint8Array(8) })
    const courierSays = (cmd: number) => world.session.receive(hexBytes(from('S>D', cmd)), world.nowMs)

    courierSays(0x08)
    expect(hexText(world.connected[0]?.token ?? new Uint8Array())).toBe(vectors.constants.baseToken)
    // The device's own state and keep-alive come first; the recorded client does not send them.
    expect(world.sent.map(({ type }) => type)).toEqual(['connect', 'state', 'keepAlive'])

    world.session.requestToken(topic, installation)
    // A courier that did not agree to the extension never gets an installation id.
    expect(world.frames.at(-1)).toBe(from('D>S', 0x11))
    courierSays(0x12)
    expect(world.tokens[0]?.request).toEqual({ topicHash: topic, installation })

    world.session.setTopics([topic])
    expect(world.frames.at(-1)).toBe(from('D>S', 0x09, 1))
    courierSays(0x0a)
    const [notification] = world.notifications
    if (!notification) throw new Error('no notification')
    expect(notification.token).toEqual(world.tokens[0]?.token)
    expect(Buffer.from(notification.payload).toString()).toBe('{"aps":{"alert":"hello"}}')
    world.session.acknowledge(notification.id, notification.token, 'ok')
    expect(world.frames.at(-1)).toBe(from('D>S', 0x0b))

    world.session.setTopics([])
    expect(world.frames.at(-1)).toBe(from('D>S', 0x09, 2))
    world.pass(limits.keepAliveMs + 1)
    // The recorded client names no interval.
    expect(world.sent.at(-1)).toEqual(keepAlive)
    courierSays(0x0d)
    world.pass(limits.keepAliveReplyMsMax + 1)
    expect(world.ends).toEqual([])
  })

  test('in pieces of any size it is the same exchange', () => {
    const courier = Buffer.concat(frames.filter(({ dir }) => dir === 'S>D').map(({ hex }) => hexBytes(hex)))
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 }), (sizes) => {
        const world = new SessionWorld()
        world.session.start({ clockMs: startMs, random: new Uint8Array(8) })
        for (let at = 0, n = 0; at < courier.length; n++) {
          const end = at + (sizes[n % sizes.length] ?? 1)
          world.session.receive(courier.subarray(at, end), startMs)
          at = end
        }
        expect([world.connected.length, world.notifications.length, world.ends.length]).toEqual([1, 1, 0])
      }),
    )
  })
})

describe('extension', () => {
  test.each([
    ['agreed', 1, installation],
    ['known to the courier with other bits', 0b110, undefined],
    ['not answered', undefined, undefined],
  ])('%s', (_what, extensions, sent) => {
    const world = SessionWorld.connected(extensions === undefined ? {} : { extensions })
    world.session.requestToken(topic, installation)
    const [request] = world.sent
    if (request?.type !== 'appTokenRequest') throw new Error('no request')
    expect(request.installation).toEqual(sent)
    if (sent === undefined) expect(world.frames[0]).not.toContain(hexText(installation))
  })
})

describe('tokens', () => {
  const other = topicHash('dev.example.other')
  const token = new Uint8Array(32).fill(3)

  test('a topic is asked for once until the courier answered', () => {
    const world = SessionWorld.connected()
    world.session.requestToken(topic, installation)
    world.session.requestToken(topic, installation)
    expect(world.sent).toHaveLength(1)
    world.say({ type: 'appTokenReply', status: 0, token, topicHash: topic })
    world.session.requestToken(topic, installation)
    expect(world.sent).toHaveLength(2)
  })

  test('answers out of order are matched by topic, answers without one in order', () => {
    const world = SessionWorld.connected()
    for (const one of [topic, other, topic]) world.session.requestToken(one, one.subarray(0, 8))
    world.say({ type: 'appTokenReply', status: 0, token, topicHash: other })
    world.say({ type: 'appTokenReply', status: 0, token })
    world.say({ type: 'appTokenReply', status: 0, token }) // one more than asked for
    expect(world.tokens.map(({ request }) => request.topicHash)).toEqual([other, topic])
  })

  test('the answer for an earlier installation is not taken for the one after it', () => {
    const world = SessionWorld.connected({ extensions: 1 })
    const again = new Uint8Array(8).fill(8)
    world.session.requestToken(topic, installation)
    world.session.requestToken(topic, again)
    world.say({ type: 'appTokenReply', status: 0, token, topicHash: topic })
    world.say({ type: 'appTokenReply', status: 0, token: baseToken, topicHash: topic })
    expect(world.tokens).toEqual([
      { request: { topicHash: topic, installation }, token },
      { request: { topicHash: topic, installation: again }, token: baseToken },
    ])
  })

  test.each([
    ['a status', { status: 2 }],
    ['no token', { status: 0 }],
    ['an empty token', { status: 0, token: new Uint8Array(0) }],
  ])('%s is a refusal', (_what, fields) => {
    const world = SessionWorld.connected()
    world.session.requestToken(topic, installation)
    world.say({ type: 'appTokenReply', topicHash: topic, ...fields })
    expect(world.tokens).toEqual([{ request: { topicHash: topic, installation }, token: undefined }])
  })

  test('an answer that nobody asked for is ignored', () => {
    const world = SessionWorld.connected()
    world.say({ type: 'appTokenReply', status: 0, token, topicHash: topic })
    expect(world.tokens).toEqual([])
  })
})

describe('end', () => {
  test.each([
    [
      'status',
      { type: 'connected', status: 2 },
      { why: 'rejected', detail: 'the courier refused the device (status 2)', hadToken: false },
    ],
    ['wrong clock', { type: 'connected', status: 2, nonceTimeMs: 77 }, { why: 'clock', courierTimeMs: 77 }],
    [
      'redirect in the answer',
      { type: 'connected', status: 0, redirectHost: 'b.example' },
      { why: 'redirect', host: 'b.example' },
    ],
  ] as const)('connect is answered with: %s', (_what, answer, end) => {
    const world = new SessionWorld()
    world.session.start({ clockMs: startMs, random: new Uint8Array(8) })
    world.say(answer)
    expect(world.ends).toEqual([end])
    expect(world.connected).toEqual([])
  })

  test('a refusal says whether a base token was presented', () => {
    const world = new SessionWorld(baseToken)
    world.session.start({ clockMs: startMs, random: new Uint8Array(8) })
    world.say({ type: 'connected', status: 2 })
    expect(world.ends).toMatchObject([{ why: 'rejected', hadToken: true }])
  })

  test('redirect later on', () => {
    const world = SessionWorld.connected()
    world.say({ type: 'redirect', host: 'b.example:5223' })
    expect(world.ends).toEqual([{ why: 'redirect', host: 'b.example:5223' }])
  })

  test('the transport is lost; told once, and nothing after it', () => {
    const world = SessionWorld.connected()
    world.session.transportLost('cable')
    world.session.transportLost('again')
    world.say({ type: 'noStorage' })
    world.pass(limits.keepAliveMs * 2)
    world.session.setTopics([topic])
    expect(world.ends).toEqual([{ why: 'lost', detail: 'cable' }])
    expect([world.storageEmpty, world.sent.length]).toEqual([0, 0])
  })

  test('frames behind the one that ended the session are not read', () => {
    const world = SessionWorld.connected()
    const both = [{ type: 'redirect', host: 'b' } as const, { type: 'noStorage' } as const]
    world.session.receive(Buffer.concat(both.map((one) => encodeCourierMessage(one))), world.nowMs)
    expect(world.storageEmpty).toBe(0)
  })

  test.each([
    ['before TLS is up', false],
    ['before the answer', true],
  ])('no answer in time, %s', (_what, started) => {
    const world = new SessionWorld()
    if (started) world.session.start({ clockMs: startMs, random: new Uint8Array(8) })
    world.pass(limits.connectMsMax)
    expect(world.ends).toEqual([])
    world.pass(1)
    expect(world.ends).toEqual([{ why: 'lost', detail: 'the courier did not answer in time' }])
  })

  test('bytes that say nothing do not put the time to connect off', () => {
    const world = new SessionWorld()
    world.session.start({ clockMs: startMs, random: new Uint8Array(8) })
    for (let n = 0; n < 20; n++) {
      world.say({ type: 'keepAliveReply' })
      world.pass(1_000)
    }
    expect(world.ends).toHaveLength(1)
  })

  test('garbage ends the session, and never throws', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), fc.boolean(), (chunks, accepted) => {
        const world = accepted ? SessionWorld.connected() : new SessionWorld()
        if (!accepted) world.session.start({ clockMs: startMs, random: new Uint8Array(8) })
        for (const chunk of chunks) world.session.receive(chunk, startMs)
        expect(world.ends.length).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('a length that overruns is garbage', () => {
    const world = SessionWorld.connected()
    world.session.receive(Uint8Array.of(0x0a, 0x80, 0, 0, 0), world.nowMs)
    expect(world.ends).toMatchObject([{ why: 'lost', detail: expect.stringContaining('cannot be read') }])
  })
})

describe('keep-alive', () => {
  test('the courier hears at once how soon silence means that the device is gone', () => {
    const world = new SessionWorld()
    world.session.start({ clockMs: startMs, random: new Uint8Array(8) })
    world.say({ type: 'connected', status: 0, token: baseToken })
    expect(world.sent.at(-1)).toEqual(keepAlive)
    // It is not waited for: a foreign courier may leave it unanswered.
    world.pass(limits.keepAliveReplyMsMax + 1)
    expect(world.ends).toEqual([])
  })

  test('is sent after silence, and its missing answer ends the session', () => {
    const world = SessionWorld.connected()
    world.pass(limits.keepAliveMs)
    expect(world.sent).toEqual([])
    world.pass(1)
    expect(world.sent).toEqual([keepAlive])
    world.pass(limits.keepAliveReplyMsMax)
    expect(world.ends).toEqual([])
    world.pass(1)
    expect(world.ends).toEqual([{ why: 'lost', detail: 'the courier did not answer a keep-alive' }])
  })

  test('anything that the courier says is an answer', () => {
    const world = SessionWorld.connected()
    world.pass(limits.keepAliveMs + 1)
    world.say({ type: 'noStorage' })
    world.pass(limits.keepAliveReplyMsMax + 1)
    expect(world.ends).toEqual([])
    world.pass(limits.keepAliveMs)
    expect(world.sent).toHaveLength(2)
  })

  test('a clock that is set back a day does not put it off', () => {
    const world = SessionWorld.connected()
    world.pass(-24 * 3600_000)
    world.pass(limits.keepAliveMs + 1)
    expect(world.sent).toEqual([keepAlive])
    world.pass(-24 * 3600_000)
    world.pass(limits.keepAliveReplyMsMax + 1)
    expect(world.ends).toHaveLength(1)
  })

  test('the courier asks for one, and for padding', () => {
    const world = SessionWorld.connected()
    world.say({ type: 'keepAliveRequest' }, { type: 'flush', wantedBytes: 65_535 }, { type: 'flush' })
    expect(world.sent).toEqual([
      keepAlive,
      { type: 'flushReply', padding: new Uint8Array(limits.flushPaddingBytesMax) },
      { type: 'flushReply', padding: new Uint8Array(0) },
    ])
  })
})

test('commands that the device does not know, and known ones without what they need, are skipped', () => {
  const world = SessionWorld.connected()
  world.session.receive(Uint8Array.of(0x7f, 0, 0, 0, 0, 0x0a, 0, 0, 0, 0), world.nowMs)
  world.say({ type: 'noStorage' })
  expect(world.ends).toEqual([])
  expect(world.storageEmpty).toBe(1)
})

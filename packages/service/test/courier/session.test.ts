import { generateKeyPairSync, sign } from 'node:crypto'
import {
  courierExtensions,
  encodeCourierMessage,
  encodeNonce,
  encodeSignature,
  type MessageOf,
  topicHash,
} from '@carillon/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { DeviceRecord } from '../../src/registry/registry.ts'
import { messageFor } from '../store/store-fixture.ts'
import {
  baseToken,
  connectMessage,
  courierWorld,
  Peer,
  rsaSignature,
  settled,
  tokenRecordOf,
  topic,
  type WorldOptions,
} from './courier-world.ts'

const hash = topicHash(topic)

async function connected(options: WorldOptions = {}, fields: Partial<MessageOf<'connect'>> = {}) {
  const world = courierWorld(options)
  const peer = new Peer(world)
  await peer.connect(fields)
  return { world, peer, inbox: world.inboxes[0]! }
}

test('connect is answered with every field that some client cannot do without', async () => {
  const world = courierWorld()
  const peer = new Peer(world)
  expect(await peer.connect()).toEqual({
    type: 'connected',
    status: 0,
    token: baseToken,
    messageBytesMax: 4096,
    unexplained: 2,
    capabilities: 0,
    largeMessageBytesMax: 15_360,
    serverTimeMs: world.clock.nowMs,
  })
  expect(world.inboxes.length).toBe(1)
})

test('an unknown base token is answered with the right one', async () => {
  const world = courierWorld()
  const answer = await new Peer(world).connect({ token: new Uint8Array(32) })
  expect([answer.status, answer.token]).toEqual([0, baseToken])
})

test('or refused, where the courier is told to', async () => {
  const world = courierWorld({ refusesUnknownBaseToken: true })
  const peer = new Peer(world)
  expect(await peer.connect({ token: new Uint8Array(32) })).toMatchObject({ status: 2 })
  expect([peer.closedFor, world.inboxes.length]).toEqual(['rejected', 0])
  expect(await new Peer(world).connect({ token: baseToken })).toMatchObject({ status: 0 })
  expect(await new Peer(world).connect()).toMatchObject({ status: 0 })
})

interface RejectCase {
  readonly name: string
  readonly reason: string
  readonly options?: WorldOptions
  readonly fields: (nowMs: number) => Partial<MessageOf<'connect'>>
}
const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const rsaKey = generateKeyPairSync('rsa', { modulusLength: 1024 })
const rsaTrust = { identify: () => ({ deviceId: 'rsa', publicKey: rsaKey.publicKey, serial: '01' }) }
const signedAt = (timeMs: number) => {
  const { nonce, signature } = connectMessage(timeMs)
  return { nonce: nonce!, signature: signature! }
}
test.each<RejectCase>([
  {
    name: 'too many certificates',
    reason: 'connect incomplete',
    fields: () => ({ certificates: new Array(9).fill(Buffer.from('x')) }),
  },
  {
    name: 'a nonce of another length',
    reason: 'connect incomplete',
    fields: () => ({ nonce: new Uint8Array(16) }),
  },
  {
    name: 'a nonce of another type',
    reason: 'connect incomplete',
    fields: () => ({ nonce: new Uint8Array(17).fill(1) }),
  },
  {
    name: 'an unknown signature tag',
    reason: 'connect incomplete',
    fields: () => ({ signature: Uint8Array.of(1, 9, 1) }),
  },
  {
    name: 'a signature by another key',
    reason: 'signature wrong',
    fields: (timeMs) => {
      const nonce = encodeNonce({ timeMs, random: new Uint8Array(8) })
      return {
        nonce,
        signature: encodeSignature({
          scheme: 'ecdsa-p256-sha256',
          signature: sign('sha256', nonce, otherKey),
        }),
      }
    },
  },
  {
    name: 'an RSA tag with an EC key',
    reason: 'signature wrong',
    fields: () => ({ signature: encodeSignature({ scheme: 'rsa-sha1', signature: new Uint8Array(128) }) }),
  },
  {
    name: 'an EC tag with an RSA key',
    reason: 'signature wrong',
    options: { trust: rsaTrust },
    fields: () => ({}),
  },
  {
    name: 'RSA where it is switched off',
    reason: 'signature scheme off',
    options: { trust: rsaTrust, acceptsRsaSha1: false },
    fields: (timeMs) => {
      const nonce = encodeNonce({ timeMs, random: new Uint8Array(8) })
      return { nonce, signature: rsaSignature(nonce, rsaKey.privateKey) }
    },
  },
  {
    name: 'a revoked certificate',
    reason: 'certificate revoked',
    options: { trust: { identify: () => 'certificate revoked' } },
    fields: () => ({}),
  },
])('connect with $name is refused with status 2 and closed', async ({ reason, options, fields }) => {
  const world = courierWorld(options)
  const peer = new Peer(world)
  const answer = await peer.connect(fields(world.clock.nowMs))
  expect(answer).toMatchObject({ status: 2, messageBytesMax: 4096, unexplained: 2, capabilities: 0 })
  expect(answer.nonceTimeMs).toBeUndefined()
  expect(peer.closedFor).toBe('rejected')
  expect(world.host.counters.rejected).toEqual({ [reason]: 1 })
  expect(world.inboxes).toEqual([])
})

test.each(['certificates', 'nonce', 'signature'])('connect without %s is refused', async (field) => {
  const world = courierWorld()
  const peer = new Peer(world)
  const { [field as 'nonce']: _left, ...message } = connectMessage(world.clock.nowMs)
  peer.say(message)
  expect([peer.closedFor, world.host.counters.rejected]).toEqual(['rejected', { 'connect incomplete': 1 }])
})

test('RSA with SHA-1, the form of foreign clients, is accepted', async () => {
  const world = courierWorld({ trust: rsaTrust })
  const nonce = encodeNonce({ timeMs: world.clock.nowMs, random: new Uint8Array(8) })
  const answer = await new Peer(world).connect({ nonce, signature: rsaSignature(nonce, rsaKey.privateKey) })
  expect(answer.status).toBe(0)
})

test.each([
  ['just old enough', -limits.nonceAgeMsMax, true],
  ['too old', -limits.nonceAgeMsMax - 1, false],
  ['just not too far ahead', limits.nonceAgeMsMax, true],
  ['too far ahead', limits.nonceAgeMsMax + 1, false],
] as const)('a nonce that is %s', async (_name, offset, isGood) => {
  const world = courierWorld()
  const peer = new Peer(world)
  const answer = await peer.connect(signedAt(world.clock.nowMs + offset))
  if (isGood) expect(answer.status).toBe(0)
  else expect([answer.status, answer.nonceTimeMs, peer.closedFor]).toEqual([2, world.clock.nowMs, 'rejected'])
})

test('a nonce is taken once, however late the second time', async () => {
  const world = courierWorld()
  const fields = signedAt(world.clock.nowMs + limits.nonceAgeMsMax)
  expect((await new Peer(world).connect(fields)).status).toBe(0)
  world.clock.nowMs += 2 * limits.nonceAgeMsMax
  // The other device of the meantime pushes nothing out.
  expect((await new Peer(world).connect()).status).toBe(0)
  expect((await new Peer(world).connect(fields)).status).toBe(2)
  expect(world.host.counters.rejected).toEqual({ 'nonce reused': 1 })
})

test('what a device sends right behind connect waits until its row is known', async () => {
  let enrolled!: (device: DeviceRecord) => void
  const world = courierWorld({
    enrol: () =>
      new Promise((resolve) => {
        enrolled = resolve
      }),
  })
  const peer = new Peer(world)
  const frames = [
    connectMessage(world.clock.nowMs),
    { type: 'filter', enabled: [hash] } as const,
    { type: 'keepAlive' } as const,
  ]
  peer.bytes(Buffer.concat(frames.map((frame) => encodeCourierMessage(frame))))
  await settled()
  expect(peer.frames).toEqual([])
  enrolled({ id: 7, deviceId: 'phone', baseToken })
  await settled()
  expect(peer.hear().map((message) => message.type)).toEqual(['connected', 'keepAliveReply'])
  expect(world.inboxes[0]!.calls).toEqual(['topics'])
})

test('a connection lost while its row is looked up attaches nothing', async () => {
  let enrolled!: (device: DeviceRecord) => void
  const world = courierWorld({
    enrol: () =>
      new Promise((resolve) => {
        enrolled = resolve
      }),
  })
  const peer = new Peer(world)
  peer.say(connectMessage(world.clock.nowMs))
  peer.session.closed()
  enrolled({ id: 7, deviceId: 'phone', baseToken })
  await settled()
  expect([peer.frames, world.inboxes]).toEqual([[], []])
})

test('a registry that fails sends the device away', async () => {
  const world = courierWorld({ enrol: () => Promise.reject(new Error('no disk')) })
  const peer = new Peer(world)
  peer.say(connectMessage(world.clock.nowMs))
  await settled()
  expect([peer.closedFor, world.troubles.length]).toEqual(['registry failed', 1])
})

test('nothing but connect counts before connect', async () => {
  const world = courierWorld()
  const peer = new Peer(world)
  peer.say({ type: 'filter', enabled: [hash] })
  peer.say({ type: 'appTokenRequest', topicHash: hash })
  peer.say({ type: 'connect', state: 2, token: baseToken })
  expect([peer.frames, peer.closedFor, world.host.counters.misplacedMessages]).toEqual([[], undefined, 3])
})

test('the topics that a device names decide what is delivered', async () => {
  const { peer, inbox } = await connected()
  const wish = (name: string) => inbox.link.wishFor(name)
  expect(wish(topic)).toBe('hold')
  const named = { enabled: 'e', opportunistic: 'o', nonWaking: 'n', ignored: 'i', paused: 'p' }
  const hashes = Object.fromEntries(Object.entries(named).map(([list, name]) => [list, [topicHash(name)]]))
  peer.say({ type: 'filter', token: baseToken, ...hashes, enabledMore: [topicHash('m'), new Uint8Array(3)] })
  expect(['e', 'o', 'n', 'm', 'i', 'p', 'x', topic].map(wish)).toEqual([
    'deliver',
    'deliver',
    'deliver',
    'deliver',
    'drop',
    'hold',
    'hold',
    'hold',
  ])
  peer.say({ type: 'filter', enabled: [hash], ignored: [hash] })
  expect([wish(topic), wish('e')]).toEqual(['deliver', 'hold'])
  peer.say({ type: 'filter' })
  expect(wish(topic)).toBe('hold')
  expect(inbox.calls).toEqual(['topics', 'topics', 'topics'])
})

test('a notification has all fields, and its origin', async () => {
  const { peer, inbox } = await connected()
  const message = messageFor({ nextSeq: () => 5 }, { topic })
  for (const origin of ['live', 'storage', 'last from storage'] as const)
    inbox.link.send(message, 0xfffffffe, origin)
  const heard = peer.hear() as MessageOf<'notification'>[]
  expect(heard[0]).toEqual({
    type: 'notification',
    token: message.token,
    topicHash: hash,
    payload: message.payload,
    id: 0xfffffffe,
    expirySeconds: message.expiration,
    sentAtNs: BigInt(message.receivedAtMs) * 1_000_000n,
    legacyFlags: 0,
    storageFlags: 0,
    priority: 10,
    baseToken,
    tracingId: message.apnsId,
    pushType: 1,
  })
  expect(heard.map((each) => each.storageFlags)).toEqual([0, 1, 3])
})

test('without a push type its field is left out', async () => {
  const { peer, inbox } = await connected()
  inbox.link.send(messageFor({ nextSeq: () => 5 }, { pushType: '' }), 1, 'live')
  expect(peer.hear()[0]).not.toHaveProperty('pushType')
})

test('the end of storage is told with the base token', async () => {
  const { peer, inbox } = await connected()
  inbox.link.storageSent()
  expect(peer.hear()).toEqual([{ type: 'noStorage', token: baseToken }])
})

test('acknowledgements go to delivery by their id, status 0 where there is none', async () => {
  const { peer, inbox } = await connected()
  peer.say({ type: 'ack', id: 3, status: 2, token: baseToken })
  peer.say({ type: 'ack', id: 4 })
  expect(inbox.calls).toEqual(['ack 3 2', 'ack 4 0'])
})

test('a token is issued, its hash echoed', async () => {
  const token = new Uint8Array(32).fill(5)
  const { peer, world } = await connected({ tokens: [token] })
  peer.say({ type: 'appTokenRequest', baseToken, topicHash: hash, appId: 9 })
  await settled()
  expect(peer.hear()).toEqual([{ type: 'appTokenReply', status: 0, token, topicHash: hash, appId: 9 }])
  expect(world.tokenRequests[0]).toMatchObject({ device: 7, installation: undefined })
})

test('a topic without an App ID gets a status, no token, and its hash', async () => {
  const { peer, world } = await connected()
  const unknown = topicHash('nobody.knows')
  peer.say({ type: 'appTokenRequest', topicHash: unknown })
  world.tokenRequests[0]!.answer(undefined)
  await settled()
  expect(peer.hear()).toEqual([{ type: 'appTokenReply', status: 2, topicHash: unknown }])
})

test('token replies keep the order of their requests', async () => {
  const { peer, world } = await connected()
  for (const name of ['a', 'b', 'c']) peer.say({ type: 'appTokenRequest', topicHash: topicHash(name) })
  for (const index of [2, 0])
    world.tokenRequests[index]!.answer(tokenRecordOf(new Uint8Array(32).fill(index)))
  await settled()
  expect(peer.hear().length).toBe(1)
  world.tokenRequests[1]!.answer(tokenRecordOf(new Uint8Array(32).fill(1)))
  await settled()
  expect((peer.hear() as MessageOf<'appTokenReply'>[]).map((reply) => reply.token![0])).toEqual([1, 2])
})

test('too many waiting token requests close the connection; so does a registry that fails', async () => {
  const many = await connected()
  for (let index = 0; index <= limits.tokenRequestsWaitingMax; index++) {
    many.peer.say({ type: 'appTokenRequest', topicHash: hash })
  }
  expect(many.peer.closedFor).toBe('too many token requests')
  const failing = await connected()
  failing.peer.say({ type: 'appTokenRequest', topicHash: hash })
  failing.world.tokenRequests[0]!.fail()
  await settled()
  expect([failing.peer.closedFor, failing.inbox.calls]).toEqual(['registry failed', ['close']])
})

test('extensions: the courier answers with what both know, and only to those who asked', async () => {
  const installation = new Uint8Array(8).fill(1)
  const request = { type: 'appTokenRequest', topicHash: hash, installation } as const
  const asked = courierWorld()
  const peer = new Peer(asked)
  expect((await peer.connect({ extensions: 0xffff_ffff })).extensions).toBe(courierExtensions.installation)
  peer.say(request)
  peer.say({ ...request, installation: new Uint8Array(7) })
  expect(asked.tokenRequests.map((each) => each.installation)).toEqual([installation, undefined])

  const none = courierWorld()
  const plain = new Peer(none)
  expect(await plain.connect()).not.toHaveProperty('extensions')
  plain.say(request)
  expect(none.tokenRequests[0]!.installation).toBeUndefined()
})

test('keep-alive: an answer at once, or a receipt now and the answer later', async () => {
  const { peer, world } = await connected()
  peer.say({ type: 'keepAlive' })
  expect(peer.hear()).toEqual([{ type: 'keepAliveReply' }])
  peer.say({ type: 'keepAlive', replyAfter: 600 })
  expect(peer.hear()).toEqual([{ type: 'keepAliveReceipt' }])
  const start = world.clock.nowMs
  peer.session.tick(start + 599_999)
  expect(peer.hear()).toEqual([])
  peer.session.tick(start + 600_000)
  peer.session.tick(start + 601_000)
  expect(peer.hear()).toEqual([{ type: 'keepAliveReply' }])
})

test.each([
  ['no interval', undefined, limits.silentMsMax],
  ['ten minutes', 10, 15 * 60_000],
  ['nearly nothing', 0, limits.silentMsMin],
  ['a year', 525_600, limits.silentMsMax],
] as const)(
  'a device that named %s and is silent is dropped in time',
  async (_name, intervalMinutes, silentMs) => {
    const { peer, world, inbox } = await connected()
    peer.say(intervalMinutes === undefined ? { type: 'keepAlive' } : { type: 'keepAlive', intervalMinutes })
    peer.session.tick(world.clock.nowMs + silentMs)
    expect(peer.closedFor).toBeUndefined()
    peer.session.tick(world.clock.nowMs + silentMs + 1)
    expect([peer.closedFor, inbox.calls]).toEqual(['silent', ['close']])
  },
)

test('a connection without connect is closed in time', () => {
  const world = courierWorld()
  const peer = new Peer(world)
  peer.session.tick(world.clock.nowMs + limits.preAuthMsMax)
  expect(peer.closedFor).toBeUndefined()
  peer.session.tick(world.clock.nowMs + limits.preAuthMsMax + 1)
  expect(peer.closedFor).toBe('no connect in time')
})

test('a connection that sends much without connect is closed', () => {
  const peer = new Peer(courierWorld())
  const state = encodeCourierMessage({ type: 'state', state: 1 })
  for (let sent = 0; sent <= limits.preAuthBytesMax; sent += state.length) peer.bytes(state)
  expect(peer.closedFor).toBe('too many bytes before connect')
})

test('a flush is answered with the padding it wants, up to a limit', async () => {
  const { peer } = await connected()
  peer.say({ type: 'flush', wantedBytes: 3, padding: new Uint8Array(9) })
  peer.say({ type: 'flush', wantedBytes: 65_535 })
  peer.say({ type: 'flush' })
  const lengths = (peer.hear() as MessageOf<'flushReply'>[]).map((reply) => reply.padding?.length)
  expect(lengths).toEqual([3, limits.flushPaddingBytesMax, 0])
})

test('known messages without an answer are tolerated, unknown ones ignored and counted', async () => {
  const { peer, world } = await connected()
  peer.say({ type: 'state', state: 1, interval: 0x7fffffff })
  peer.say({ type: 'activeInterval', interval: 5 })
  peer.say({ type: 'transportAck' })
  peer.say({ type: 'taskControl', id: 1 })
  peer.say({ type: 'presence', id: 1 })
  peer.say({ type: 'tracingAck' })
  peer.bytes(Uint8Array.of(0x77, 0, 0, 0, 0))
  peer.bytes(Uint8Array.of(0x00, 0, 0, 0, 0))
  // A token request without a topic hash, an acknowledgement without an id.
  peer.bytes(Uint8Array.of(0x11, 0, 0, 0, 0))
  peer.bytes(Uint8Array.of(0x0b, 0, 0, 0, 0))
  expect(peer.hear()).toEqual([])
  expect(peer.closedFor).toBeUndefined()
  expect(world.host.counters).toMatchObject({ unknownCommands: 2, unusableMessages: 2 })
})

test.each([
  ['a field that overruns its frame', [0x0b, 0, 0, 0, 4, 0x08, 0, 9, 1]],
  ['half a field header', [0x0b, 0, 0, 0, 2, 0x08, 0]],
  ['a malformed frame of an unknown command', [0x77, 0, 0, 0, 4, 0x08, 0, 9, 1]],
  ['a negative length', [0x0b, 0x80, 0, 0, 0]],
  ['a frame beyond the limit', [0x0b, 0, 2, 0, 0]],
])('%s closes the connection, before connect and after', async (_name, frame) => {
  const { peer, inbox, world } = await connected()
  peer.bytes(Uint8Array.from(frame))
  expect([peer.closedFor, inbox.calls]).toEqual(['malformed', ['close']])
  const early = new Peer(world)
  early.bytes(Uint8Array.from(frame))
  expect(early.closedFor).toBe('malformed')
  early.say({ type: 'keepAlive' })
  expect(early.frames).toEqual([])
})

test('a device withdraws and is present again on the same connection', async () => {
  const { peer, world, inbox } = await connected()
  peer.say({ type: 'connect', state: 2, token: baseToken })
  expect(inbox.calls).toEqual(['close'])
  peer.say({ type: 'ack', id: 1 })
  peer.say({ type: 'connect', state: 1, token: baseToken })
  expect(peer.hear()).toMatchObject([{ type: 'connected', status: 0 }])
  expect(world.inboxes.length).toBe(2)
  peer.say({ type: 'connect', state: 1, token: new Uint8Array(32) })
  expect(world.host.counters.misplacedMessages).toBe(1)
})

test('present again: nothing flows before the device has named its topics again', async () => {
  const { peer, world } = await connected()
  peer.say({ type: 'filter', enabled: [hash] })
  expect(peer.session.wishFor(topic)).toBe('deliver')
  peer.say({ type: 'connect', state: 2, token: baseToken })
  peer.say({ type: 'connect', state: 1, token: baseToken })
  expect(peer.session.wishFor(topic)).toBe('hold')
  peer.say({ type: 'filter', enabled: [hash] })
  expect([peer.session.wishFor(topic), world.inboxes[1]!.calls]).toEqual(['deliver', ['topics']])
})

test('a device that floods with requests is closed; acknowledgements and a new minute are none', async () => {
  const { peer, world } = await connected()
  const state = encodeCourierMessage({ type: 'state', state: 1 })
  const ack = encodeCourierMessage({ type: 'ack', id: 1, status: 0 })
  for (let minute = 0; minute < 2; minute++) {
    for (let count = 0; count < limits.requestsPerMinuteMax; count++) {
      peer.bytes(state)
      peer.bytes(ack)
    }
    expect(peer.closedFor).toBeUndefined()
    world.clock.nowMs += 60_000
  }
  for (let count = 0; count <= limits.requestsPerMinuteMax; count++) peer.bytes(state)
  expect(peer.closedFor).toBe('too many requests')
})

test('a token request that waits does not keep the chunk of its socket', async () => {
  const { peer, world } = await connected()
  const chunk = Buffer.from(encodeCourierMessage({ type: 'appTokenRequest', topicHash: hash }))
  peer.bytes(chunk)
  chunk.fill(0)
  world.tokenRequests[0]!.answer()
  await settled()
  expect((peer.hear() as MessageOf<'appTokenReply'>[])[0]!.topicHash).toEqual(hash)
})

test('delivery ends the session: the link is closed, the inbox told once', async () => {
  const { peer, inbox } = await connected()
  inbox.link.end('replaced')
  peer.session.closed()
  expect([peer.closedFor, inbox.calls]).toEqual(['replaced', ['close']])
})

test('garbage after connect never throws out of the session', async () => {
  const { peer: probe } = await connected()
  expect(probe.session.isConnected).toBe(true)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 }), async (chunks) => {
      const { peer, world } = await connected()
      for (const chunk of chunks) peer.bytes(chunk)
      for (const request of world.tokenRequests) request.answer()
      await settled()
      expect(['malformed', undefined]).toContain(peer.closedFor)
    }),
    { numRuns: 150 },
  )
})

import { generateKeyPairSync } from 'node:crypto'
import {
  courierCapabilities,
  courierExtensions,
  encodeCourierMessage,
  encodeSignature,
  type MessageOf,
} from '@carillon/wire'
import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { DeviceRecord } from '../../src/registry/registry.ts'
import {
  baseToken,
  connectMessage,
  courierWorld,
  deviceKey,
  hash,
  Peer,
  settled,
  type WorldOptions,
} from './courier-world.ts'
import { proofOf, rsaProofOf } from './device-proof.ts'

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
    fields: (timeMs) => proofOf(otherKey, timeMs),
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
    fields: (timeMs) => rsaProofOf(rsaKey.privateKey, timeMs),
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
  const answer = await new Peer(world).connect(rsaProofOf(rsaKey.privateKey, world.clock.nowMs))
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
  const answer = await peer.connect(proofOf(deviceKey, world.clock.nowMs + offset))
  if (isGood) expect(answer.status).toBe(0)
  else expect([answer.status, answer.nonceTimeMs, peer.closedFor]).toEqual([2, world.clock.nowMs, 'rejected'])
})

test('a nonce is taken once, however late the second time', async () => {
  const world = courierWorld()
  const fields = proofOf(deviceKey, world.clock.nowMs + limits.nonceAgeMsMax)
  expect((await new Peer(world).connect(fields)).status).toBe(0)
  world.clock.nowMs += 2 * limits.nonceAgeMsMax
  // The other device of the meantime pushes nothing out.
  expect((await new Peer(world).connect()).status).toBe(0)
  expect((await new Peer(world).connect(fields)).status).toBe(2)
  expect(world.host.counters.rejected).toEqual({ 'nonce reused': 1 })
})

test('what a device sends right behind connect waits until its row is known', async () => {
  const enrolled = Promise.withResolvers<DeviceRecord>()
  const world = courierWorld({ enrol: () => enrolled.promise })
  const peer = new Peer(world)
  const frames = [
    connectMessage(world.clock.nowMs),
    { type: 'filter', enabled: [hash] } as const,
    { type: 'keepAlive' } as const,
  ]
  peer.bytes(Buffer.concat(frames.map((frame) => encodeCourierMessage(frame))))
  await settled()
  expect(peer.frames).toEqual([])
  enrolled.resolve({ id: 7, deviceId: 'phone', baseToken })
  await settled()
  expect(peer.hear().map((message) => message.type)).toEqual(['connected', 'keepAliveReply'])
  expect(world.inboxes[0]!.calls).toEqual(['topics'])
})

test('a connection lost while its row is looked up attaches nothing', async () => {
  const enrolled = Promise.withResolvers<DeviceRecord>()
  const world = courierWorld({ enrol: () => enrolled.promise })
  const peer = new Peer(world)
  peer.say(connectMessage(world.clock.nowMs))
  peer.session.closed()
  enrolled.resolve({ id: 7, deviceId: 'phone', baseToken })
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

test('extensions: the courier answers with what both know, and only to those who asked', async () => {
  const installation = new Uint8Array(8).fill(1)
  const request = { type: 'appTokenRequest', topicHash: hash, installation } as const
  const asked = courierWorld()
  const peer = new Peer(asked)
  const { installation: installations, resume, closeReason } = courierExtensions
  expect(await peer.connect({ extensions: 0xffff_ffff })).toMatchObject({
    extensions: installations | resume | closeReason,
    capabilities: courierCapabilities.filterReplies,
  })
  peer.say(request)
  peer.say({ ...request, installation: new Uint8Array(7) })
  expect(asked.tokenRequests.map((each) => each.installation)).toEqual([installation, undefined])

  const none = courierWorld()
  const plain = new Peer(none)
  expect(await plain.connect()).not.toHaveProperty('extensions')
  plain.say(request)
  expect(none.tokenRequests[0]!.installation).toBeUndefined()
})

test('packed connections are told the bounds of keep-alives', async () => {
  const world = courierWorld()
  const packed = new Peer(world, 'apns-pack-v1')
  expect(await packed.connect()).toMatchObject({
    keepAliveSecondsMin: 60,
    keepAliveSeconds: 300,
    keepAliveSecondsMax: 1800,
  })
})

import { courierAlpn, courierPresence, decodeChannelMark, type MessageOf } from '@carillon/wire'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { courierWorld, Peer } from '../courier/courier-world.ts'
import { bundleId } from '../memory-authority.ts'
import { ChannelWorld } from './channel-world.ts'
import { channelIdBytesOf, subscriptionOf } from './subscription-wish.ts'

let world: ChannelWorld
beforeAll(async () => {
  world = await ChannelWorld.start()
})
afterAll(() => world.stop())

function subscribe(peer: Peer, channelId: string): void {
  const subscription = subscriptionOf({ replace: true, subscribe: { [channelId]: 0n } })
  peer.say({ type: 'channels', id: 1, subscription })
}

test('1000 courier sessions write the same bytes of a broadcast, encoded once', async () => {
  const courier = courierWorld({ hooks: { channels: world.open.subscribers } })
  const id = await world.channel(0)
  const peers = Array.from({ length: 1000 }, () => new Peer(courier))
  await Promise.all(peers.map((peer) => peer.connect()))
  for (const peer of peers) {
    subscribe(peer, id)
    expect(peer.hear()).toMatchObject([{ type: 'channelsReply', id: 1, status: 0 }])
  }
  const before = peers.map(({ frames }) => frames.length)
  expect(await world.broadcast(id, { 'apns-expiration': '0' })).toMatchObject({ status: 200 })
  expect(peers.map(({ frames }) => frames.length)).toEqual(before.map((count) => count + 1))
  // The very same object, not only equal bytes.
  expect(new Set(peers.map(({ frames }) => frames.at(-1))).size).toBe(1)
  expect(world.open.subscribers.devices).toBe(1000)
  for (const peer of peers) peer.session.closed()
  expect(world.open.subscribers.devices).toBe(0)
  expect(world.open.channels.counters.subscriptions).toBe(0)
})

test('sessions with the packed framing get what the others get', async () => {
  const courier = courierWorld({ hooks: { channels: world.open.subscribers } })
  const id = await world.channel(1)
  const plain = new Peer(courier)
  const packed = new Peer(courier, courierAlpn.packV1)
  for (const peer of [plain, packed]) {
    await peer.connect()
    subscribe(peer, id)
    peer.hear()
  }
  await world.broadcast(id, { 'apns-expiration': '0' })
  const [one] = plain.hear() as MessageOf<'notification'>[]
  const [other] = packed.hear() as MessageOf<'notification'>[]
  expect(one?.type).toBe('notification')
  expect(other).toEqual(one)
  expect(decodeChannelMark(other!.channel!).channelId).toEqual(channelIdBytesOf(id))
})

test('a device that acknowledges a broadcast all the same does no harm', async () => {
  const courier = courierWorld({ hooks: { channels: world.open.subscribers } })
  const id = await world.channel(0)
  const peer = new Peer(courier)
  await peer.connect()
  subscribe(peer, id)
  peer.hear()
  await world.broadcast(id, { 'apns-expiration': '0' })
  const [message] = peer.hear() as MessageOf<'notification'>[]
  peer.say({ type: 'ack', id: message!.id, status: 0, token: message!.token })
  expect(peer.closedFor).toBeUndefined()
  expect(courier.inboxes[0]!.calls).toContain('ack 0 0')
})

test('a device that withdraws hears nothing until it is present again and names its channels', async () => {
  const courier = courierWorld({ hooks: { channels: world.open.subscribers } })
  const id = await world.channel(0)
  const peer = new Peer(courier)
  const { token } = await peer.connect()
  subscribe(peer, id)
  peer.say({ type: 'connect', token: token!, state: courierPresence.withdraw, certificates: [] })
  peer.hear()
  await world.broadcast(id, { 'apns-expiration': '0' })
  expect(peer.hear()).toEqual([])
  peer.say({ type: 'connect', token: token!, state: courierPresence.present, certificates: [] })
  subscribe(peer, id)
  await world.broadcast(id, { 'apns-expiration': '0' })
  expect(peer.hear().map(({ type }) => type)).toEqual(['connected', 'channelsReply', 'notification'])
})

test('what a device takes and gives up in one message is given up: nothing of it is kept', async () => {
  const courier = courierWorld({ hooks: { channels: world.open.subscribers } })
  const id = await world.channel(0)
  const peer = new Peer(courier)
  await peer.connect()
  const { subscriptions } = world.open.channels.counters
  for (const replace of [true, false, true]) {
    const subscription = subscriptionOf({ replace, subscribe: { [id]: 0n }, unsubscribe: [id] })
    peer.say({ type: 'channels', id: 1, subscription })
  }
  expect(world.open.channels.counters.subscriptions).toBe(subscriptions)
  expect(world.open.channels.find(bundleId, id)?.subscribers.size).toBe(0)
  peer.session.closed()
})

import { decodeChannelMark, type MessageOf, type SharedMessage, topicHash } from '@carillon/wire'
import { beforeEach, describe, expect, test } from 'vitest'
import { channelNumbers } from '../../src/channels/channel-numbers.ts'
import { limits } from '../../src/limits.ts'
import { MetricCounts } from '../../src/metrics/metric-counts.ts'
import { prometheusRegistry } from '../../src/metrics/prometheus.ts'
import { bundleId } from '../memory-authority.ts'
import { ChannelWorld, decoded, NotedDevice, update } from './channel-world.ts'
import { channelIdBytesOf, subscriptionOf, type Wish } from './subscription-wish.ts'

let world: ChannelWorld

beforeEach(async () => {
  world = await ChannelWorld.start()
  return () => world.stop()
})

function say(device: NotedDevice, wish: Wish): void {
  const subscription = subscriptionOf(wish)
  world.open.subscribers.subscribed(device, { type: 'channels', id: 9, subscription }, world.nowMs)
}

function listener(...ids: string[]): NotedDevice {
  const device = new NotedDevice()
  say(device, { subscribe: Object.fromEntries(ids.map((id) => [id, 0n])), replace: true })
  return device
}

const markOf = (message: SharedMessage) => decodeChannelMark(decoded(message).channel!)
const textOf = (message: SharedMessage) => Buffer.from(decoded(message).payload).toString()
const numbered = (number: number) => JSON.stringify({ aps: { event: 'update', timestamp: number } })

describe('what a connected device gets', () => {
  test('is a notification of its app with the channel in it, addressed to nobody', async () => {
    const id = await world.channel(1)
    const device = listener(id)
    const requestId = 'eabeae54-14a8-11e5-b60b-1697f925ec7b'
    const sent = await world.broadcast(id, { 'apns-request-id': requestId, 'apns-priority': '5' })
    expect(sent.status).toBe(200)
    await device.has(1)
    expect(device.replies).toEqual([{ type: 'channelsReply', id: 9, baseToken: device.baseToken, status: 0 }])
    const message = decoded(device.messages[0]!)
    const expected: Partial<MessageOf<'notification'>> = {
      topicHash: topicHash(bundleId),
      id: 0,
      token: new Uint8Array(32),
      expirySeconds: Math.floor(world.nowMs / 1000) + 3600,
      sentAtNs: BigInt(world.nowMs) * 1_000_000n,
      storageFlags: 0,
      priority: 5,
      pushType: 7,
      tracingId: new Uint8Array(Buffer.from(requestId.replaceAll('-', ''), 'hex')),
    }
    expect(message).toMatchObject(expected)
    expect(message.baseToken).toBeUndefined()
    expect(textOf(device.messages[0]!)).toBe(update)
    expect(markOf(device.messages[0]!)).toEqual({
      channelId: channelIdBytesOf(id),
      lastMessageNs: BigInt(world.nowMs) * 1_000_000n,
    })
  })

  test('comes in the order of publishing, each once, with rising times even where the clock is set back', async () => {
    const id = await world.channel(1)
    const device = listener(id)
    for (let number = 0; number < 20; number++) {
      if (number === 10) world.nowMs -= 60_000
      // Stored ones wait for the disk; those of expiration 0 must not overtake them.
      const headers = number % 2 === 0 ? {} : { 'apns-expiration': '0' }
      void world.broadcast(id, headers, numbered(number))
    }
    await device.has(20)
    expect(device.messages.map(textOf)).toEqual(Array.from({ length: 20 }, (_, number) => numbered(number)))
    const times = device.messages.map((message) => markOf(message).lastMessageNs)
    expect(new Set(times).size).toBe(20)
    expect(times.toSorted((left, right) => (left < right ? -1 : 1))).toEqual(times)
  })

  test('is only what its channels get', async () => {
    const [first, second] = [await world.channel(0), await world.channel(0)]
    const devices = [listener(first), listener(second), listener(first, second)]
    const now = { 'apns-expiration': '0' }
    await world.broadcast(first, now, numbered(1))
    await world.broadcast(second, now, numbered(2))
    expect(devices.map((device) => device.messages.map(textOf))).toEqual([
      [numbered(1)],
      [numbered(2)],
      [numbered(1), numbered(2)],
    ])
    expect(world.open.channels.countersOf(bundleId)).toMatchObject({
      published: 2,
      delivered: 4,
      subscriptions: 4,
    })
    const text = await prometheusRegistry(
      new MetricCounts(world.nowMs),
      channelNumbers(world.open.channels),
    ).metrics()
    for (const line of [
      `carillon_channels{app="${bundleId}"} 2`,
      `carillon_channel_subscriptions{app="${bundleId}"} 4`,
      `carillon_broadcasts_total{app="${bundleId}",event="published"} 2`,
      `carillon_broadcasts_total{app="${bundleId}",event="delivered"} 4`,
      `carillon_broadcasts_total{app="${bundleId}",event="deliveredFromStorage"} 0`,
    ]) {
      expect(text).toContain(line)
    }
  })

  test('ends when it unsubscribes, replaces its list, or leaves', async () => {
    const id = await world.channel(0)
    const other = await world.channel(0)
    const devices = [listener(id), listener(id), listener(id), listener(id)]
    say(devices[0]!, { unsubscribe: [id] })
    say(devices[1]!, { subscribe: { [other]: 0n }, replace: true })
    world.open.subscribers.ended(devices[2]!)
    expect(await world.broadcast(id, { 'apns-expiration': '0' })).toMatchObject({ status: 200 })
    expect(devices.map(({ messages }) => messages.length)).toEqual([0, 0, 0, 1])
    expect(world.open.channels.countersOf(bundleId)).toMatchObject({ subscriptions: 2, subscriptionsPeak: 4 })
    expect(world.open.subscribers.devices).toBe(2)
  })

  test('is nothing once the channel is deleted', async () => {
    const id = await world.channel(1)
    const device = listener(id)
    await world.delete(id)
    expect(await world.broadcast(id)).toMatchObject({ reason: 'ChannelNotRegistered' })
    expect(device.messages).toEqual([])
    expect(world.open.channels.countersOf(bundleId)).toMatchObject({ subscriptions: 0, deleted: 1 })
    say(device, { subscribe: { [id]: 0n } })
    expect(device.replies.at(-1)).toMatchObject({ status: 2 })
  })
})

describe('a device that comes later', () => {
  test('gets the last message of a channel that stores it, once', async () => {
    const id = await world.channel(1)
    await world.broadcast(id, {}, numbered(1))
    await world.broadcast(id, {}, numbered(2))
    const device = listener(id)
    expect(device.messages.map(textOf)).toEqual([numbered(2)])
    expect(decoded(device.messages[0]!).storageFlags).toBe(3)
    // Named again on the same connection.
    say(device, { subscribe: { [id]: 0n }, replace: true })
    expect(device.messages).toHaveLength(1)
    expect(world.open.channels.countersOf(bundleId)).toMatchObject({ delivered: 1, deliveredFromStorage: 1 })
  })

  test('gets nothing of a channel that stores nothing, nor of what was sent with expiration 0', async () => {
    const [live, stored] = [await world.channel(0), await world.channel(1)]
    expect(await world.broadcast(live, { 'apns-expiration': '0' })).toMatchObject({ status: 200 })
    expect(await world.broadcast(stored, { 'apns-expiration': '0' })).toMatchObject({ status: 200 })
    const device = listener(live, stored)
    await world.broadcast(stored, {}, numbered(1))
    await device.has(1)
    expect(device.messages.map(textOf)).toEqual([numbered(1)])
  })

  test('goes on from the message that it had', async () => {
    const id = await world.channel(1)
    const device = listener(id)
    await world.broadcast(id, {}, numbered(1))
    await device.has(1)
    const { lastMessageNs } = markOf(device.messages[0]!)
    const again = new NotedDevice()
    say(again, { subscribe: { [id]: lastMessageNs }, replace: true })
    expect(again.messages).toEqual([])
    await world.broadcast(id, {}, numbered(2))
    await again.has(1)
    expect(again.messages.map(textOf)).toEqual([numbered(2)])
  })

  test('that claims a message of the future gets what is stored', async () => {
    const id = await world.channel(1)
    await world.broadcast(id, {}, numbered(1))
    const device = new NotedDevice()
    say(device, { subscribe: { [id]: BigInt(world.nowMs + 600_000) * 1_000_000n } })
    expect(device.messages.map(textOf)).toEqual([numbered(1)])
  })

  test('gets the message after a restart of the service, however many come for it at a time', async () => {
    const id = await world.channel(1)
    await world.broadcast(id, { 'apns-priority': '1' }, numbered(7))
    await world.restart()
    const devices = Array.from({ length: 50 }, () => listener(id))
    await Promise.all(devices.map((device) => device.has(1)))
    // Read once and encoded once.
    expect(new Set(devices.map(({ messages }) => messages[0])).size).toBe(1)
    const message = devices[0]!.messages[0]!
    expect(decoded(message)).toMatchObject({ priority: 1, storageFlags: 3 })
    expect(textOf(message)).toBe(numbered(7))
  })

  test('gets a message that was published while the stored one was read, and only that', async () => {
    const id = await world.channel(1)
    await world.broadcast(id, {}, numbered(1))
    await world.restart()
    const device = listener(id)
    await world.broadcast(id, {}, numbered(2))
    await device.has(1)
    await world.broadcast(id, {}, numbered(3))
    for (;;) {
      const texts = device.messages.map(textOf)
      if (texts.includes(numbered(3))) {
        expect(texts.filter((text) => text !== numbered(1))).toEqual([numbered(2), numbered(3)])
        expect(new Set(texts).size).toBe(texts.length)
        return
      }
      await device.has(texts.length + 1)
    }
  })
})

describe('a stored message lives', () => {
  const hourMs = 60 * 60 * 1000
  const inHours = (hours: number) => ({
    'apns-expiration': String(Math.floor(world.nowMs / 1000) + hours * 3600),
  })

  test('for 8 hours at most, whatever its expiration', async () => {
    const id = await world.channel(1)
    await world.broadcast(id, inHours(24))
    world.nowMs += 8 * hourMs - 2000
    expect(listener(id).messages).toHaveLength(1)
    world.nowMs += 4000
    expect(listener(id).messages).toEqual([])
    await world.restart()
    expect(listener(id).messages).toEqual([])
    // Nothing is on its way from the disk either.
    expect(world.open.channels.find(bundleId, id)!.hasStoredAfter(0, world.nowMs)).toBe(false)
  })

  test('until its expiration where that is sooner', async () => {
    const id = await world.channel(1)
    await world.broadcast(id, inHours(1))
    world.nowMs += hourMs + 1000
    expect(listener(id).messages).toEqual([])
  })

  test('on disk no longer than that', async () => {
    const { open, database } = world
    const count = () => database.get(database.prepare('SELECT count(*) AS stored FROM channel_messages'))
    await world.broadcast(await world.channel(1), inHours(1))
    await world.broadcast(await world.channel(1), inHours(3))
    open.channels.tick(world.nowMs)
    await open.channels.swept()
    expect(await count()).toEqual({ stored: 2 })
    world.nowMs += 2 * hourMs
    open.channels.tick(world.nowMs)
    await open.channels.swept()
    expect(await count()).toEqual({ stored: 1 })
  })

  test('as long as its channel', async () => {
    const { database } = world
    const id = await world.channel(1)
    await world.broadcast(id)
    await world.delete(id)
    const count = await database.get(database.prepare('SELECT count(*) AS stored FROM channel_messages'))
    expect(count).toEqual({ stored: 0 })
  })
})

describe('bounds', () => {
  test('a device listens to so many channels, and deleted ones make room', async () => {
    const { channels, subscribers } = world.open
    const made = await Promise.all(
      Array.from({ length: limits.channelsPerDeviceMax + 1 }, () => channels.create(bundleId, 0)),
    )
    const ids = made.map((channel) => ('id' in channel ? channel.id : ''))
    const last = ids.pop()!
    const device = listener(...ids)
    expect(device.replies.at(-1)).toMatchObject({ status: 0 })
    say(device, { subscribe: { [last]: 0n } })
    expect(device.replies.at(-1)).toMatchObject({ status: 2 })
    await channels.remove(channels.find(bundleId, ids[0]!)!)
    say(device, { subscribe: { [last]: 0n } })
    expect(device.replies.at(-1)).toMatchObject({ status: 0 })
    subscribers.ended(device)
    expect(channels.counters.subscriptions).toBe(0)
  })

  test('channels that do not exist, or of another app, are refused and the others taken', async () => {
    const id = await world.channel(0)
    const unknown = Buffer.alloc(16).toString('base64')
    const device = new NotedDevice()
    say(device, { subscribe: { [unknown]: 0n, [id]: 0n } })
    expect(device.replies).toMatchObject([{ status: 2 }])
    await world.broadcast(id, { 'apns-expiration': '0' })
    expect(device.messages).toHaveLength(1)
    const stranger = new NotedDevice()
    say(stranger, { subscribe: { [id]: 0n }, topic: 'com.example.other' })
    expect(stranger.replies).toMatchObject([{ status: 2 }])
  })

  test('a record that cannot be read is refused', () => {
    const device = new NotedDevice()
    const subscription = Uint8Array.of(0x12, 0x7f)
    world.open.subscribers.subscribed(device, { type: 'channels', id: 1, subscription }, world.nowMs)
    expect(device.replies).toMatchObject([{ id: 1, status: 2 }])
  })

  test('the topic of Live Activities stands for its app', async () => {
    const id = await world.channel(0)
    const device = new NotedDevice()
    say(device, { subscribe: { [id]: 0n }, topic: `${bundleId}.push-type.liveactivity` })
    expect(device.replies).toMatchObject([{ status: 0 }])
  })
})

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  base64Bytes,
  decodeChannelSubscription,
  encodeChannelMark,
  encodeChannelSubscription,
  type MessageOf,
  topicHash,
} from '@carillon/wire'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ClientApp, DeviceOptions } from '../../src/index.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { type CourierSide, notification, TestCourier } from '../support/test-courier.ts'
import { bundleId, type Phone, startPhone } from '../support/test-phone.ts'
import { type AppPortal, portalWithApp } from '../support/test-portal.ts'

const first = Buffer.alloc(16, 1).toString('base64')
const second = Buffer.alloc(16, 2).toString('base64')

let portal: AppPortal
let courier: TestCourier
let stateDir: string

beforeAll(async () => {
  portal = await portalWithApp(bundleId)
  return () => portal.close()
})

beforeEach(async () => {
  courier = await TestCourier.start(portal)
  stateDir = await temporaryDirectory()
})

async function launched(
  connection = 1,
  options: Partial<DeviceOptions> = {},
): Promise<Phone & { app: ClientApp; side: CourierSide }> {
  const phone = await startPhone(portal, { couriers: { production: courier.address }, stateDir, ...options })
  const app = await phone.device.install({ bundleId, profile: portal.profile })
  const side = await courier.connection(connection)
  await side.accept()
  await phone.log.next('connected')
  return { ...phone, app, side }
}

/** What the device said as the `count`th of its channels: ids with cursors, and whether that is all of them. */
async function said(side: CourierSide, count = 1) {
  const message = await side.hear('channels', count)
  const { topics, replace } = decodeChannelSubscription(message.subscription)
  const idsOf = (marks: readonly { channelId: Uint8Array; lastMessageNs: bigint }[]) =>
    Object.fromEntries(
      marks.map((mark) => [Buffer.from(mark.channelId).toString('base64'), mark.lastMessageNs]),
    )
  const [topic] = topics
  return {
    id: message.id,
    replace,
    topic: topic?.topic,
    subscribe: idsOf(topic?.subscribe ?? []),
    unsubscribe: idsOf(topic?.unsubscribe ?? []),
  }
}

function broadcast(
  channelId: string,
  lastMessageNs: bigint,
  aps: object = { event: 'update' },
): MessageOf<'notification'> {
  return {
    type: 'notification',
    token: new Uint8Array(32),
    topicHash: topicHash(bundleId),
    payload: Buffer.from(JSON.stringify({ aps })),
    id: 0,
    channel: encodeChannelMark({ channelId: base64Bytes(channelId), lastMessageNs }),
  }
}

async function subscribed(app: ClientApp, side: CourierSide, channelId: string, count = 1): Promise<void> {
  const done = app.channels.subscribe(channelId)
  const { id } = await said(side, count)
  side.say({ type: 'channelsReply', id, status: 0 })
  await done
}

const timesOf = (phone: Phone) =>
  phone.log.all('broadcast').map(({ payload }) => (payload.aps as { timestamp?: number }).timestamp)

test('an app subscribes, gets broadcasts, and unsubscribes', async () => {
  const { app, side, log } = await launched()
  const updates: unknown[] = []
  app.channels.onUpdate((update) => updates.push(update))
  const done = app.channels.subscribe(first)
  expect(await said(side)).toMatchObject({ topic: bundleId, subscribe: { [first]: 0n }, replace: false })
  side.say({ type: 'channelsReply', id: (await said(side)).id, status: 0 })
  await done
  expect(log.all('subscribed')).toEqual([{ event: 'subscribed', bundleId, channelId: first }])
  expect(app.channels.subscribed).toEqual([first])

  side.say(broadcast(first, 5n, { event: 'update', timestamp: 1, alert: { body: 'Goal' } }))
  const event = await log.next('broadcast')
  expect(event).toMatchObject({ bundleId, channelId: first, shown: { kind: 'activity', body: 'Goal' } })
  expect(updates).toMatchObject([{ bundleId, channelId: first, payload: event.payload }])

  // Known already: nothing is asked.
  await app.channels.subscribe(first)
  await app.channels.unsubscribe(first)
  expect(await said(side, 2)).toMatchObject({ unsubscribe: { [first]: 0n }, subscribe: {} })
  expect(app.channels.subscribed).toEqual([])
  side.say(broadcast(first, 6n), notification(bundleId, 1))
  await log.next('notification')
  expect(log.all('broadcast')).toHaveLength(1)
  // Broadcasts are not acknowledged, notifications are.
  await side.hear('ack')
  expect(side.all('ack')).toHaveLength(1)
})

test('a device that comes back says where it stood, and shows nothing twice', async () => {
  const phone = await launched()
  await subscribed(phone.app, phone.side, first)
  phone.side.say(broadcast(first, 1000n, { event: 'update', timestamp: 1 }))
  await phone.log.next('broadcast')
  await phone.device.close()

  const again = await launched(2)
  const announced = await said(again.side)
  expect(announced).toMatchObject({ subscribe: { [first]: 1000n }, replace: true })
  again.side.say(
    { type: 'channelsReply', id: announced.id, status: 0 },
    broadcast(first, 1000n, { event: 'update', timestamp: 1 }),
    broadcast(first, 1001n, { event: 'update', timestamp: 2 }),
    broadcast(first, 1001n, { event: 'update', timestamp: 2 }),
  )
  await again.log.next('broadcast')
  again.side.notify(bundleId, 1)
  await again.log.next('notification')
  expect(timesOf(again)).toEqual([2])
})

test('of updates out of order only the newer ones are shown, by aps.timestamp', async () => {
  const phone = await launched()
  await subscribed(phone.app, phone.side, first)
  await subscribed(phone.app, phone.side, second, 2)
  const times = [10, 30, 20, 30, 31]
  phone.side.say(
    ...times.map((timestamp, at) => broadcast(first, BigInt(at + 1), { event: 'update', timestamp })),
    broadcast(second, 9n, { event: 'update', timestamp: 5 }),
  )
  await phone.log.next('broadcast', 5)
  expect(timesOf(phone)).toEqual([10, 30, 30, 31, 5])
})

describe('a Live Activity that is started with a channel', () => {
  const start = {
    payload: Buffer.from(
      JSON.stringify({ aps: { event: 'start', timestamp: 50, 'input-push-channel': first } }),
    ),
  }

  test('listens to it until it ends', async () => {
    const { app, side, log } = await launched()
    side.notify(bundleId, 1, start)
    const { id, subscribe } = await said(side)
    expect(subscribe).toEqual({ [first]: 0n })
    // What is older than the activity is not for it.
    side.say(
      { type: 'channelsReply', id, status: 0 },
      broadcast(first, 1n, { event: 'update', timestamp: 49 }),
    )
    side.say(broadcast(first, 2n, { event: 'update', timestamp: 51 }))
    expect((await log.next('broadcast')).payload).toEqual({ aps: { event: 'update', timestamp: 51 } })
    expect(app.channels.subscribed).toEqual([first])
    side.say(broadcast(first, 3n, { event: 'end' }))
    expect(await said(side, 2)).toMatchObject({ unsubscribe: { [first]: 0n } })
    expect(log.all('broadcast')).toHaveLength(2)
    expect(app.channels.subscribed).toEqual([])
  })

  test('whose channel does not exist is told of', async () => {
    const { app, side, log } = await launched()
    side.notify(bundleId, 1, start)
    side.say({ type: 'channelsReply', id: (await said(side)).id, status: 2 })
    expect(await log.next('channelGone')).toMatchObject({ channelId: first })
    expect(await log.next('failed')).toMatchObject({ code: 'CHANNEL_UNKNOWN' })
    expect(app.channels.subscribed).toEqual([])
  })
})

describe('channels that are gone', () => {
  test('reject the subscription, and are not asked for again', async () => {
    const { app, side } = await launched()
    const refused = expect(app.channels.subscribe(first)).rejects.toMatchObject({ code: 'CHANNEL_UNKNOWN' })
    side.say({ type: 'channelsReply', id: (await said(side)).id, status: 2 })
    await refused
    expect(app.channels.subscribed).toEqual([])
  })

  test('are found one by one where a whole list is refused', async () => {
    const phone = await launched()
    await subscribed(phone.app, phone.side, first)
    await subscribed(phone.app, phone.side, second, 2)
    await phone.device.close()
    const { side, log, app } = await launched(2)
    const { id, subscribe } = await said(side)
    expect(Object.keys(subscribe)).toEqual([first, second])
    side.say({ type: 'channelsReply', id, status: 2 })
    for (const count of [2, 3]) {
      const one = await said(side, count)
      side.say({ type: 'channelsReply', id: one.id, status: first in one.subscribe ? 2 : 0 })
    }
    expect(await log.next('channelGone')).toMatchObject({ channelId: first })
    expect(await log.next('subscribed')).toMatchObject({ channelId: second })
    expect(app.channels.subscribed).toEqual([second])
  })
})

test('a subscription that is made without a connection is asked for when there is one', async () => {
  const { device, app, log } = await launched()
  await device.goOffline()
  const done = app.channels.subscribe(first)
  device.goOnline()
  const side = await courier.connection(2)
  await side.accept()
  const { id, replace } = await said(side)
  expect(replace).toBe(true)
  side.say({ type: 'channelsReply', id, status: 0 })
  await done
  expect(log.all('subscribed')).toHaveLength(1)
})

test('an app that is removed listens to nothing any more', async () => {
  const { device, app, side } = await launched()
  await subscribed(app, side, first)
  await device.uninstall(bundleId)
  expect(await said(side, 2)).toMatchObject({ unsubscribe: { [first]: 0n } })
  await expect(app.channels.subscribe(first)).rejects.toMatchObject({ code: 'CHANNEL_APP_MISSING' })
})

test('a device that is closed while it waits rejects', async () => {
  const { app, device, side } = await launched()
  const closed = expect(app.channels.subscribe(first)).rejects.toMatchObject({ code: 'DEVICE_CLOSED' })
  await said(side)
  await device.close()
  await closed
})

describe('what a crash leaves', () => {
  const listed = (more: object) => ({
    ...{ environment: 'production', bundleId, channelId: first, joinedBy: 'app' },
    ...{ seenNs: '4', shownTimestamp: 10, ...more },
  })
  const leave = async (channels: unknown, journal: readonly unknown[] = []) => {
    await writeFile(join(stateDir, 'channels.json'), JSON.stringify({ version: 1, channels }))
    await writeFile(
      join(stateDir, 'notifications.log'),
      journal.map((entry) => `${JSON.stringify(entry)}\n`).join(''),
    )
  }
  const received = (ns: number, timestamp: number) => [
    'r',
    `${first}@${ns}`,
    bundleId,
    { aps: { event: 'update', timestamp } },
  ]

  test('a broadcast that was kept and not shown is shown once, and resumed from', async () => {
    await leave([listed({})], [received(5, 9), received(6, 11)])
    const { side, log } = await launched()
    expect(log.all('broadcast')).toMatchObject([{ channelId: first, payload: { aps: { timestamp: 11 } } }])
    expect((await said(side)).subscribe).toEqual({ [first]: 6n })
    side.say(broadcast(first, 6n, { event: 'update', timestamp: 11 }))
    side.notify(bundleId, 1)
    await log.next('notification')
    expect(log.all('broadcast')).toHaveLength(1)
  })

  test('a broadcast of a channel that was left since is not shown', async () => {
    await leave([], [received(5, 9)])
    const { log } = await launched()
    expect(log.all('broadcast')).toEqual([])
  })

  test.each([
    ['no JSON', '{'],
    ['something else', '{"version":1,"channels":[{"channelId":"?"}]}'],
    ['a newer version', '{"version":2,"channels":[]}'],
  ])('a list that is %s is not guessed at', async (_name, text) => {
    await writeFile(join(stateDir, 'channels.json'), text)
    await expect(startPhone(portal, { stateDir })).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
  })
})

test('what is no channel id is refused at once', async () => {
  const { app } = await launched()
  await expect(app.channels.subscribe('hello')).rejects.toMatchObject({ code: 'CHANNEL_INVALID' })
})

test('the record is what the wire package makes of it', async () => {
  const { app, side } = await launched()
  void app.channels.subscribe(first).catch(() => {})
  const { subscription } = await side.hear('channels')
  const mark = { channelId: base64Bytes(first), lastMessageNs: 0n }
  const topics = [{ topic: bundleId, subscribe: [mark], unsubscribe: [] }]
  expect(Buffer.from(subscription)).toEqual(
    Buffer.from(encodeChannelSubscription({ topics, replace: false })),
  )
})

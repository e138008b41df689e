import { expect, test } from 'vitest'
import type { Broadcast } from '../../src/channels/broadcast.ts'
import { Channel } from '../../src/channels/channel.ts'
import { FanOut } from '../../src/channels/fan-out.ts'
import { Subscription } from '../../src/channels/subscription.ts'
import { limits } from '../../src/limits.ts'
import { NotedDevice } from './channel-world.ts'

/** Turns of the event loop that a test takes one by one. */
class Turns {
  #next: (() => void) | undefined
  readonly schedule = (run: () => void): void => {
    this.#next = run
  }

  /** @returns false where nothing wants another turn */
  take(): boolean {
    const run = this.#next
    this.#next = undefined
    run?.()
    return run !== undefined
  }
}

function channelOf(subscribers: number, number = 1): { channel: Channel; devices: NotedDevice[] } {
  const idBytes = new Uint8Array(16).fill(number)
  const channel = new Channel(Buffer.from(idBytes).toString('base64'), idBytes, 'com.example.app', 0)
  const devices = Array.from({ length: subscribers }, () => new NotedDevice())
  for (const device of devices) channel.subscribers.add(new Subscription(device, channel, 0))
  return { channel, devices }
}

function broadcastOf(channel: Channel, publishedUs: number): Broadcast {
  return {
    app: channel.app,
    channelId: channel.idBytes,
    publishedUs,
    expiration: 0,
    priority: 10,
    requestId: new Uint8Array(16),
    payload: Buffer.from(`{"at":${publishedUs}}`),
  }
}

test('10,000 devices get one and the same encoding, a bounded number of them in a turn', () => {
  const turns = new Turns()
  const fanOut = new FanOut(turns.schedule)
  const { channel, devices } = channelOf(10_000)
  let delivered = 0
  fanOut.add(channel, broadcastOf(channel, 1), (count) => {
    delivered = count
  })
  let before = 0
  for (let isMore = true; isMore; ) {
    isMore = turns.take()
    const after = devices.filter(({ messages }) => messages.length > 0).length
    expect(after - before).toBeLessThanOrEqual(limits.subscribersPerTurnMax)
    before = after
  }
  expect(delivered).toBe(10_000)
  const frames = new Set(devices.map(({ messages }) => messages[0]!.tlv))
  expect(frames.size).toBe(1)
})

test('a small channel does not wait for a large one, and no broadcast overtakes another', () => {
  const turns = new Turns()
  const fanOut = new FanOut(turns.schedule)
  const large = channelOf(5000, 1)
  const small = channelOf(3, 2)
  const order: string[] = []
  for (const at of [1, 2]) {
    fanOut.add(large.channel, broadcastOf(large.channel, at), () => order.push(`large ${at}`))
    fanOut.add(small.channel, broadcastOf(small.channel, at), () => order.push(`small ${at}`))
  }
  while (turns.take());
  expect(order).toEqual(['small 1', 'small 2', 'large 1', 'large 2'])
  for (const { messages } of [...large.devices, ...small.devices]) {
    expect(messages.map((message) => message.tlv.length > 0)).toEqual([true, true])
  }
})

test('devices that come, leave and have it already while it is handed out', () => {
  const turns = new Turns()
  const fanOut = new FanOut(turns.schedule)
  const { channel, devices } = channelOf(1000)
  fanOut.add(channel, broadcastOf(channel, 5), () => {})
  turns.take()
  const all = [...channel.subscribers]
  channel.subscribers.delete(all[999]!)
  devices[998]!.isConnected = false
  all[997]!.seenUs = 5
  const late = new NotedDevice()
  channel.subscribers.add(new Subscription(late, channel, 0))
  while (turns.take());
  expect(devices.map(({ messages }) => messages.length)).toEqual([...Array(997).fill(1), 0, 0, 0])
  expect(late.messages).toHaveLength(1)
})

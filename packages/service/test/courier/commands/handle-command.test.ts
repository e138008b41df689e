import type { MessageOf } from '@carillon/wire'
import { expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { baseToken, connected, hash } from '../courier-world.ts'

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
  peer.say({ type: 'taskControl', id: 1, status: 0 })
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

test("commands of Apple's own services are answered, so that no client waits", async () => {
  const { peer } = await connected()
  peer.say({ type: 'taskControl', id: 1, blob: new Uint8Array(3) })
  peer.say({ type: 'taskNotification', id: 2 })
  peer.say({ type: 'presence', id: 3, token: baseToken, salt: 1n })
  peer.say({ type: 'upload', topicHash: hash, token: baseToken, payload: new Uint8Array(1), id: 4 })
  peer.say({ type: 'channels', id: 5, subscription: new Uint8Array(0) })
  expect(peer.hear()).toEqual([
    { type: 'taskControl', id: 1, status: 0 },
    { type: 'taskNotification', id: 2, status: 0 },
    { type: 'presenceReply', id: 3, token: baseToken, status: 0 },
    { type: 'uploadAck', id: 4, status: 2 },
    { type: 'channelsReply', id: 5, status: 2 },
  ])
})

test('the parts beside notifications hear their messages, and of the end', async () => {
  const calls: string[] = []
  const { peer } = await connected({
    hooks: {
      channels: {
        subscribed: (device, { id }) => calls.push(`channels of ${device.deviceRow}: ${id}`),
        topicsChanged: () => calls.push('topics'),
        ended: () => calls.push('channels ended'),
      },
      power: {
        reported: (_device, { state }) => calls.push(`power ${state}`),
        ended: () => calls.push('power ended'),
      },
      reports: { reported: (_device, { status }) => calls.push(`report ${status}`) },
    },
  })
  peer.say({ type: 'channels', id: 5, subscription: new Uint8Array(0) })
  peer.say({ type: 'filter' })
  peer.say({ type: 'state', state: 1 })
  peer.say({ type: 'tracingAck', status: 3 })
  peer.session.closed()
  peer.session.closed()
  expect(calls).toEqual([
    'channels of 7: 5',
    'topics',
    'power 1',
    'report 3',
    'channels ended',
    'power ended',
  ])
})

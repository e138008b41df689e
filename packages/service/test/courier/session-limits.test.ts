import { encodeCourierMessage } from '@carillon/wire'
import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { connected, courierWorld, Peer } from './courier-world.ts'

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

test('a silent device that has its keep-alives timed is asked once before it is dropped', async () => {
  const { peer, world } = await connected()
  peer.say({ type: 'keepAlive', intervalMinutes: 2, replyAfter: 120 })
  expect([peer.hear(), peer.dueInMs]).toEqual([[{ type: 'keepAliveReceipt' }], 120_000])
  const start = world.clock.nowMs
  expect(peer.session.tick(start + 120_000)).toBe(60_001)
  expect(peer.hear()).toEqual([{ type: 'keepAliveReply' }])
  peer.session.tick(start + 180_001)
  expect(peer.hear()).toEqual([{ type: 'keepAliveRequest' }])
  peer.session.tick(start + 180_001 + limits.keepAliveAnswerMsMax)
  expect(peer.closedFor).toBeUndefined()
  peer.session.tick(start + 180_002 + limits.keepAliveAnswerMsMax)
  expect(peer.closedFor).toBe('silent')
  expect(world.host.counters).toMatchObject({ keepAlives: 1, keepAlivesDelayed: 1, keepAliveRequests: 1 })
})

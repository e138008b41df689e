import { courierExtensions } from '@carillon/wire'
import { expect, test } from 'vitest'
import { connected, Peer } from './courier-world.ts'

test('closing: the reason goes before the end, to those who know it', async () => {
  const ours = await connected({}, { extensions: courierExtensions.closeReason })
  ours.inbox.link.end('replaced')
  expect([ours.peer.hear(), ours.peer.closedFor]).toEqual([
    [{ type: 'closing', reason: 'replaced' }],
    'replaced',
  ])
  const foreign = await connected()
  foreign.inbox.link.end('replaced')
  expect(foreign.peer.hear()).toEqual([])
})

test('a courier that stops says when to come back, and sends away who comes meanwhile', async () => {
  const { peer, world } = await connected({}, { extensions: courierExtensions.closeReason })
  world.host.drain = { retryMsMax: 8000 }
  peer.session.leave('shutdown')
  // The random bytes of this world are 0x80: half way.
  expect(peer.hear()).toEqual([{ type: 'closing', reason: 'shutdown', retryAfterMs: 4015 }])
  const late = new Peer(world)
  await late.connect({ extensions: courierExtensions.closeReason })
  expect([late.closedFor, world.inboxes.length]).toEqual(['drained', 1])
})

test('a courier that is drained to another one sends devices there, those who are here and those who come', async () => {
  const { peer, world } = await connected()
  world.host.drain = { to: 'other.example:5223', retryMsMax: 8000 }
  peer.session.leave('drained')
  expect(peer.hear()).toEqual([{ type: 'redirect', host: 'other.example:5223' }])
  expect(peer.closedFor).toBe('drained')
  const late = new Peer(world)
  expect(await late.connect()).toMatchObject({ status: 0, redirectHost: 'other.example:5223' })
  expect([late.closedFor, world.host.counters.redirected]).toEqual(['drained', 2])
})

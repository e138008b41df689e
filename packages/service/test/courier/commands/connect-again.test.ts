import { courierExtensions, courierPresence } from '@carillon/wire'
import { expect, test } from 'vitest'
import { baseToken, connected, hash, topic } from '../courier-world.ts'

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

test('a connect for another token is answered for that token, and the device stays', async () => {
  const { peer, world } = await connected()
  const token = new Uint8Array(32).fill(9)
  peer.say({ type: 'connect', token, state: courierPresence.present })
  expect(peer.hear()).toEqual([{ type: 'tokenPresence', token, status: 2 }])
  peer.say({ type: 'connect', token, state: courierPresence.withdraw })
  expect([peer.hear(), peer.closedFor, world.inboxes.length]).toEqual([[], undefined, 1])
})

test('present again with other extensions than before: what is answered holds from then on', async () => {
  const { peer } = await connected()
  const present = { type: 'connect', state: courierPresence.present, token: baseToken } as const
  peer.say({ ...present, extensions: courierExtensions.closeReason })
  expect(peer.hear()).toMatchObject([{ type: 'connected', extensions: courierExtensions.closeReason }])
  peer.session.end('replaced')
  expect(peer.hear()).toEqual([{ type: 'closing', reason: 'replaced' }])
})

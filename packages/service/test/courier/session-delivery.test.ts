import type { MessageOf } from '@carillon/wire'
import { expect, test } from 'vitest'
import { messageFor } from '../store/store-fixture.ts'
import { baseToken, connected, hash, topic } from './courier-world.ts'

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

test('delivery ends the session: the link is closed, the inbox told once', async () => {
  const { peer, inbox } = await connected()
  inbox.link.end('replaced')
  peer.session.closed()
  expect([peer.closedFor, inbox.calls]).toEqual(['replaced', ['close']])
})

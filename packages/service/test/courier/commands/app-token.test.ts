import { encodeCourierMessage, type MessageOf, topicHash } from '@carillon/wire'
import { expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { baseToken, connected, hash, settled, tokenRecordOf } from '../courier-world.ts'

test('a token is issued, its hash echoed', async () => {
  const token = new Uint8Array(32).fill(5)
  const { peer, world } = await connected({ tokens: [token] })
  peer.say({ type: 'appTokenRequest', baseToken, topicHash: hash, appId: 9 })
  await settled()
  expect(peer.hear()).toEqual([{ type: 'appTokenReply', status: 0, token, topicHash: hash, appId: 9 }])
  expect(world.tokenRequests[0]).toMatchObject({ device: 7, installation: undefined })
})

test('a topic without an App ID gets a status, no token, and its hash', async () => {
  const { peer, world } = await connected()
  const unknown = topicHash('nobody.knows')
  peer.say({ type: 'appTokenRequest', topicHash: unknown })
  world.tokenRequests[0]!.answer(undefined)
  await settled()
  expect(peer.hear()).toEqual([{ type: 'appTokenReply', status: 2, topicHash: unknown }])
})

test('token replies keep the order of their requests', async () => {
  const { peer, world } = await connected()
  for (const name of ['a', 'b', 'c']) peer.say({ type: 'appTokenRequest', topicHash: topicHash(name) })
  for (const index of [2, 0])
    world.tokenRequests[index]!.answer(tokenRecordOf(new Uint8Array(32).fill(index)))
  await settled()
  expect(peer.hear().length).toBe(1)
  world.tokenRequests[1]!.answer(tokenRecordOf(new Uint8Array(32).fill(1)))
  await settled()
  expect((peer.hear() as MessageOf<'appTokenReply'>[]).map((reply) => reply.token![0])).toEqual([1, 2])
})

test('too many waiting token requests close the connection; so does a registry that fails', async () => {
  const many = await connected()
  for (let index = 0; index <= limits.tokenRequestsWaitingMax; index++) {
    many.peer.say({ type: 'appTokenRequest', topicHash: hash })
  }
  expect(many.peer.closedFor).toBe('too many token requests')
  const failing = await connected()
  failing.peer.say({ type: 'appTokenRequest', topicHash: hash })
  failing.world.tokenRequests[0]!.fail()
  await settled()
  expect([failing.peer.closedFor, failing.inbox.calls]).toEqual(['registry failed', ['close']])
})

test('a token request that waits does not keep the chunk of its socket', async () => {
  const { peer, world } = await connected()
  const chunk = Buffer.from(encodeCourierMessage({ type: 'appTokenRequest', topicHash: hash }))
  peer.bytes(chunk)
  chunk.fill(0)
  world.tokenRequests[0]!.answer()
  await settled()
  expect((peer.hear() as MessageOf<'appTokenReply'>[])[0]!.topicHash).toEqual(hash)
})

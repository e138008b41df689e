import { expect, test } from 'vitest'
import { connected } from '../courier-world.ts'

test('keep-alive: an answer at once, or a receipt now and the answer later', async () => {
  const { peer, world } = await connected()
  peer.say({ type: 'keepAlive' })
  expect(peer.hear()).toEqual([{ type: 'keepAliveReply' }])
  peer.say({ type: 'keepAlive', replyAfter: 600 })
  expect(peer.hear()).toEqual([{ type: 'keepAliveReceipt' }])
  const start = world.clock.nowMs
  peer.session.tick(start + 599_999)
  expect(peer.hear()).toEqual([])
  peer.session.tick(start + 600_000)
  peer.session.tick(start + 601_000)
  expect(peer.hear()).toEqual([{ type: 'keepAliveReply' }])
})

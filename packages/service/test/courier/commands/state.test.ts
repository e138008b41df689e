import { courierActivity, topicHash } from '@carillon/wire'
import { expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { messageFor } from '../../store/store-fixture.ts'
import { connected, hash, topic } from '../courier-world.ts'

test('opportunistic topics wait for a device that is awake, or ride along with another notification', async () => {
  const { peer, world, inbox } = await connected()
  const other = 'dev.example.other'
  peer.say({ type: 'filter', opportunistic: [hash], enabled: [topicHash(other)] })
  const wish = () => inbox.link.wishFor(topic)
  // A device that never says whether it is active is taken as active.
  expect(wish()).toBe('deliver')
  peer.say({ type: 'state', state: courierActivity.inactive })
  expect([wish(), inbox.link.wishFor(other)]).toEqual(['hold', 'deliver'])
  inbox.link.send(messageFor({ nextSeq: () => 1 }, { topic: other }), 1, 'live')
  expect([wish(), peer.dueInMs, inbox.calls]).toEqual(['deliver', 0, ['topics']])
  peer.session.tick(world.clock.nowMs)
  expect(inbox.calls).toEqual(['topics', 'topics'])
  world.clock.nowMs += limits.opportunisticMsMax
  expect(wish()).toBe('hold')
  peer.say({ type: 'state', state: courierActivity.active, interval: 60 })
  expect([wish(), inbox.calls.length]).toEqual(['deliver', 3])
  world.clock.nowMs += 59_999
  peer.say({ type: 'activeInterval', interval: 30 })
  expect(wish()).toBe('deliver')
  world.clock.nowMs += 30_000
  expect(wish()).toBe('hold')
})

import { courierExtensions, topicHash } from '@carillon/wire'
import { expect, test } from 'vitest'
import { baseToken, connected, hash, topic } from '../courier-world.ts'

test('the topics that a device names decide what is delivered', async () => {
  const { peer, inbox } = await connected()
  const wish = (name: string) => inbox.link.wishFor(name)
  expect(wish(topic)).toBe('hold')
  const named = { enabled: 'e', opportunistic: 'o', nonWaking: 'n', ignored: 'i', paused: 'p' }
  const hashes = Object.fromEntries(Object.entries(named).map(([list, name]) => [list, [topicHash(name)]]))
  peer.say({ type: 'filter', token: baseToken, ...hashes, enabledMore: [topicHash('m'), new Uint8Array(3)] })
  expect(['e', 'o', 'n', 'm', 'i', 'p', 'x', topic].map(wish)).toEqual([
    'deliver',
    'deliver',
    'deliver',
    'deliver',
    'drop',
    'hold',
    'hold',
    'hold',
  ])
  peer.say({ type: 'filter', enabled: [hash], ignored: [hash] })
  expect([wish(topic), wish('e')]).toEqual(['deliver', 'hold'])
  peer.say({ type: 'filter' })
  expect(wish(topic)).toBe('hold')
  expect(inbox.calls).toEqual(['topics', 'topics', 'topics'])
})

test('a filter is confirmed with its version to those who were told that it would be', async () => {
  const ours = await connected({}, { extensions: 0 })
  ours.peer.say({ type: 'filter', enabled: [hash], version: 7n })
  expect(ours.peer.hear()).toEqual([{ type: 'filterReply', token: baseToken, version: 7n, status: 0 }])
  const foreign = await connected()
  foreign.peer.say({ type: 'filter', enabled: [hash], version: 7n })
  expect(foreign.peer.hear()).toEqual([])
})

test('resume: what the device has is told before its topics, where both know how', async () => {
  const handled = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2), new Uint8Array(3)]
  const ours = await connected({}, { extensions: courierExtensions.resume })
  ours.peer.say({ type: 'filter', enabled: [hash], handled })
  expect(ours.inbox.calls).toEqual(['handled 1 2', 'topics'])
  const other = await connected({}, { extensions: courierExtensions.closeReason })
  other.peer.say({ type: 'filter', enabled: [hash], handled })
  expect(other.inbox.calls).toEqual(['topics'])
})

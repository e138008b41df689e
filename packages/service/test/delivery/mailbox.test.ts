import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { nowMs, nowSeconds, openStoreFixture, storedSeqs } from '../store/store-fixture.ts'
import { deliveryOver, FakePhone, topic } from './delivery-fixture.ts'
import { ManualStore } from './manual-store.ts'

const other = 'dev.example.other'

test('a device that comes back gets what Apple’s rule keeps, then what is new, in order', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect } = deliveryOver(store)
  for (const name of ['one', 'two', 'three']) expect(await accept(name)).toBe('accepted')
  const phone = connect()
  const live = accept('four')
  await phone.until(() => phone.got.length === 2)
  expect(phone.names).toEqual(['three', 'four'])
  expect(phone.got.map((message) => message.origin)).toEqual(['last from storage', 'live'])
  expect(phone.storageSentTimes).toBe(1)
  phone.acknowledge('three')
  phone.acknowledge('four')
  expect(await live).toBe('accepted')
  expect(await storedSeqs(store)).toEqual([])
})

test('with a queue it gets all of them, in order, marked as stored', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect, settings } = deliveryOver(store)
  settings.inboxMax = 1000
  const names = Array.from({ length: limits.storedPageRowsMax * 3 + 1 }, (_, index) => `n${index}`)
  await Promise.all(names.map((name) => accept(name)))
  const phone = connect()
  await phone.until(() => phone.storageSentTimes === 1)
  expect(phone.names).toEqual(names)
  expect(new Set(phone.got.slice(0, -1).map((message) => message.origin))).toEqual(new Set(['storage']))
  expect(phone.got.at(-1)!.origin).toBe('last from storage')
})

test('nothing stored: told so at once', async () => {
  const { store } = await openStoreFixture()
  const { connect } = deliveryOver(store)
  const phone = connect()
  await phone.until(() => phone.storageSentTimes === 1)
  expect(phone.got).toEqual([])
})

test('what was sent and not acknowledged comes again after a reconnect, all of it, before what is new', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect } = deliveryOver(store)
  const first = connect()
  await first.until(() => first.storageSentTimes === 1)
  await Promise.all(['a', 'b', 'c'].map((name) => accept(name)))
  first.acknowledge('b')
  first.inbox.close()
  await accept('d')
  await accept('e')
  const second = connect()
  await second.until(() => second.storageSentTimes === 1)
  expect(second.names).toEqual(['a', 'c', 'e'])
})

test('a stored message that was flushed and not acknowledged is not dropped by the inbox rule', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect } = deliveryOver(store)
  await accept('a')
  const first = connect()
  await first.until(() => first.storageSentTimes === 1)
  first.inbox.close()
  await accept('b')
  const second = connect()
  await second.until(() => second.storageSentTimes === 1)
  expect(second.names).toEqual(['a', 'b'])
})

test('the same after a restart of the service', async () => {
  const fixture = await openStoreFixture()
  const before = deliveryOver(fixture.store)
  const phone = before.connect()
  await phone.until(() => phone.storageSentTimes === 1)
  await before.accept('sent')
  phone.inbox.close()
  await before.accept('kept')
  const after = deliveryOver((await fixture.reopen()).store)
  const again = after.connect()
  await again.until(() => again.storageSentTimes === 1)
  expect(again.names).toEqual(['sent', 'kept'])
})

test('messages that arrive during the flush queue behind it and are not subject to the inbox rule', async () => {
  const store = new ManualStore()
  const { accept, connect } = deliveryOver(store)
  void accept('stored')
  const phone = connect()
  for (const name of ['x', 'y', 'z']) void accept(name)
  void accept('now', { expiration: 0 })
  expect(phone.got).toEqual([])
  await store.answerReads()
  expect(phone.names).toEqual(['stored', 'x', 'y', 'z', 'now'])
})

test('a session that ends during the flush gets nothing more, and loses nothing', async () => {
  const store = new ManualStore()
  const { accept, connect } = deliveryOver(store)
  void accept('stored')
  const phone = connect()
  void accept('behind')
  phone.inbox.close()
  await store.answerReads()
  expect(phone.got).toEqual([])
  const again = connect()
  await store.answerReads()
  expect(again.names).toEqual(['stored', 'behind'])
})

test('a full window: the inbox rule applies, and acknowledgements let the rest flow', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect } = deliveryOver(store)
  const phone = connect()
  await phone.until(() => phone.storageSentTimes === 1)
  const names = Array.from({ length: limits.unackedPerSessionMax + 3 }, (_, index) => `n${index}`)
  await Promise.all(names.map((name) => accept(name)))
  expect(phone.names).toEqual(names.slice(0, limits.unackedPerSessionMax))
  for (const name of names.slice(0, limits.unackedPerSessionMax / 2)) phone.acknowledge(name)
  await phone.until(() => phone.got.length > limits.unackedPerSessionMax)
  // Of the three that came while the window was full the newest is left.
  expect(phone.names.slice(limits.unackedPerSessionMax)).toEqual([names.at(-1)])
  expect(await accept('later')).toBe('accepted')
  expect(phone.names.at(-1)).toBe('later')
})

test('a full window with a queue loses nothing and keeps the order', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect, settings } = deliveryOver(store)
  settings.inboxMax = 1000
  const phone = connect()
  await phone.until(() => phone.storageSentTimes === 1)
  const names = Array.from({ length: limits.unackedPerSessionMax + 300 }, (_, index) => `n${index}`)
  await Promise.all(names.map((name) => accept(name)))
  const acknowledged = new Set<string>()
  while (acknowledged.size < names.length) {
    const next = phone.names.find((name) => !acknowledged.has(name))
    if (next === undefined) {
      const seen = phone.got.length
      await phone.until(() => phone.got.length > seen)
    } else {
      acknowledged.add(next)
      phone.acknowledge(next)
    }
  }
  expect(phone.names).toEqual(names)
  expect(await storedSeqs(store)).toEqual([])
})

test('the window counts bytes too', async () => {
  const store = new ManualStore()
  const { accept, connect } = deliveryOver(store)
  const phone = connect()
  await store.answerReads()
  const large = limits.unackedBytesPerSessionMax / 4
  for (let index = 0; index < 6; index++)
    void accept(`${index}`, { payload: new Uint8Array(large).fill(48 + index) })
  expect(phone.got.length).toBe(4)
})

test('one message larger than the window may go alone', async () => {
  const store = new ManualStore()
  const { accept, connect } = deliveryOver(store)
  const phone = connect()
  await store.answerReads()
  void accept('large', { payload: new Uint8Array(limits.unackedBytesPerSessionMax + 1) })
  expect(phone.got.length).toBe(1)
})

test('a second session replaces the first and gets what the first did not acknowledge', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect, bus } = deliveryOver(store)
  const first = connect()
  await first.until(() => first.storageSentTimes === 1)
  await accept('a')
  const second = connect()
  expect(first.ended).toBe('replaced')
  // The late end of the first does not take the second off the bus.
  first.inbox.close()
  expect(bus.find(1)).toBeDefined()
  await second.until(() => second.got.length === 1)
  await accept('b')
  expect([first.names, second.names]).toEqual([['a'], ['a', 'b']])
})

test('an acknowledgement that comes late on a replaced session still counts', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect } = deliveryOver(store)
  const first = connect()
  await first.until(() => first.storageSentTimes === 1)
  await accept('a')
  const second = connect()
  first.acknowledge('a')
  await second.until(() => second.storageSentTimes === 1)
  expect([second.got, await storedSeqs(store)]).toEqual([[], []])
})

test('presence is told: once for coming, not for a replacement, once for going', () => {
  const { connect, bus } = deliveryOver(new ManualStore())
  const seen: [number, boolean][] = []
  const stop = bus.onPresence((device, isPresent) => void seen.push([device, isPresent]))
  connect({ device: 5 }).inbox.close()
  connect({ device: 5 })
  const second = connect({ device: 5 })
  expect(bus.localDevices).toBe(1)
  second.inbox.close()
  stop()
  connect({ device: 6 })
  expect(seen).toEqual([
    [5, true],
    [5, false],
    [5, true],
    [5, false],
  ])
})

test('held topics stay stored until the device names them; others flow meanwhile', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect } = deliveryOver(store)
  const phone = connect()
  await phone.until(() => phone.storageSentTimes === 1)
  await accept('held', { topic: other, bundleId: other })
  await accept('live')
  expect(phone.names).toEqual(['live'])
  phone.wishes.set(other, 'deliver')
  phone.inbox.topicsChanged()
  await phone.until(() => phone.storageSentTimes === 2)
  // `live` waits for its acknowledgement and is not sent a second time.
  expect(phone.names).toEqual(['live', 'held'])
})

test('before the device has named its topics everything is held', async () => {
  const store = new ManualStore()
  const { accept, connect } = deliveryOver(store)
  const phone = new FakePhone()
  phone.wishes.clear()
  connect({ phone, namesTopics: false })
  void accept('hello')
  void accept('now', { expiration: 0 })
  store.commit()
  expect([phone.got, store.rows.size, store.waitingReads]).toEqual([[], 1, 0])
})

test('topics that change during a flush begin it again; nothing comes twice', async () => {
  const store = new ManualStore()
  const { accept, connect } = deliveryOver(store)
  void accept('held', { topic: other, bundleId: other })
  void accept('stored')
  const phone = connect()
  void accept('behind')
  phone.wishes.set(other, 'deliver')
  phone.inbox.topicsChanged()
  while (store.waitingReads > 0) await store.answerReads()
  expect(phone.names).toEqual(['held', 'stored', 'behind'])
})

test.each([
  ['hold', 1],
  ['drop', 0],
] as const)('a topic that becomes one to %s during a flush', async (wish, storedAfterwards) => {
  const store = new ManualStore()
  const { accept, connect } = deliveryOver(store)
  const phone = connect()
  void accept('behind')
  phone.wishes.set(topic, wish)
  phone.inbox.topicsChanged()
  while (store.waitingReads > 0) await store.answerReads()
  store.commit()
  expect([phone.got, store.rows.size]).toEqual([[], storedAfterwards])
  phone.wishes.set(topic, 'deliver')
  phone.inbox.topicsChanged()
  while (store.waitingReads > 0) await store.answerReads()
  expect(phone.names).toEqual(wish === 'hold' ? ['behind'] : [])
})

test('a flood of filters costs one read at a time, and one word that nothing more is stored', async () => {
  const store = new ManualStore()
  const { connect } = deliveryOver(store)
  const phone = connect()
  for (let count = 0; count < 100; count++) phone.inbox.topicsChanged()
  expect(store.waitingReads).toBe(1)
  await store.answerReads()
  expect(store.waitingReads).toBe(1)
  await store.answerReads()
  expect([store.waitingReads, phone.storageSentTimes]).toEqual([0, 1])
})

test('what a device ignores is removed from the store', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect } = deliveryOver(store)
  await accept('a')
  const phone = new FakePhone()
  phone.wishes.set(topic, 'drop')
  connect({ phone })
  await phone.until(() => phone.storageSentTimes === 1)
  expect([phone.got, await storedSeqs(store)]).toEqual([[], []])
})

test('expired messages are never sent, and removed', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect, clock, settings, trace } = deliveryOver(store)
  settings.inboxMax = 5
  await accept('short', { expiration: nowSeconds + 10 })
  await accept('long', { expiration: nowSeconds + 20 })
  clock.nowMs = nowMs + 10_000
  const phone = connect()
  await phone.until(() => phone.storageSentTimes === 1)
  expect(phone.names).toEqual(['long'])
  // The deletion is a write of its own behind the read, and told when it is done.
  while (trace.of('short').length < 2) await storedSeqs(store)
  expect(trace.of('short')).toEqual(['stored offline', 'expired'])
  expect(await storedSeqs(store)).toHaveLength(1)
})

test('what waited behind a flush until it expired is not sent, and removed', async () => {
  const store = new ManualStore()
  const { accept, connect, clock } = deliveryOver(store)
  const phone = connect()
  void accept('short', { expiration: nowSeconds + 60 })
  void accept('long')
  clock.nowMs += 61_000
  while (store.waitingReads > 0) await store.answerReads()
  store.commit()
  expect([phone.names, [...store.rows.values()].length]).toEqual([['long'], 1])
})

test('a notification for now or never does not wait long behind a flush', async () => {
  const store = new ManualStore()
  const { accept, connect, clock } = deliveryOver(store)
  const phone = connect()
  void accept('long ago', { expiration: 0 })
  clock.nowMs += limits.onceBehindFlushMsMax
  void accept('now', { expiration: 0 })
  while (store.waitingReads > 0) await store.answerReads()
  expect(phone.names).toEqual(['now'])
})

test('something stored by another process is fetched when the bus wakes the mailbox', async () => {
  const { store } = await openStoreFixture()
  const { connect, bus } = deliveryOver(store)
  const elsewhere = deliveryOver(store)
  const phone = connect()
  await phone.until(() => phone.storageSentTimes === 1)
  await elsewhere.accept('from afar')
  expect(phone.got).toEqual([])
  bus.wake(1, bus.find(1)!)
  await phone.until(() => phone.got.length === 1)
  expect(phone.names).toEqual(['from afar'])
})

test('a store that cannot be read ends the session, so that the device comes again', async () => {
  const store = new ManualStore()
  store.read = () => Promise.reject(new Error('disk on fire'))
  const { connect, troubles, bus } = deliveryOver(store)
  const phone = connect()
  await phone.until(() => phone.ended !== undefined)
  expect(phone.ended).toBe('store failed')
  expect(troubles.length).toBe(1)
  expect(bus.find(1)).toBeUndefined()
})

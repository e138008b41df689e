import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { nowSeconds, openStoreFixture } from '../store/store-fixture.ts'
import { type DeliveryFixture, deliveryOver, FakePhone, topic } from './delivery-fixture.ts'

/*
 * Every branch of Apple's figure, as the trace is told of it: registered and enabled? offline or saving power?
 * expired? ("Viewing the status of push notifications using Metrics and APNs")
 */
async function fixture(): Promise<DeliveryFixture & { tick(): void }> {
  const { store } = await openStoreFixture()
  const over = deliveryOver(store)
  return { ...over, tick: () => store.tick(over.clock.nowMs) }
}

async function online(over: DeliveryFixture, phone = new FakePhone()): Promise<FakePhone> {
  over.connect({ phone })
  await phone.until(() => phone.storageSentTimes > 0)
  return phone
}

test('online: sent, acknowledged', async () => {
  const over = await fixture()
  const phone = await online(over)
  await over.accept('a')
  phone.acknowledge('a')
  expect(over.trace.of('a')).toEqual(['sent', 'acknowledged 0'])
})

test('offline: stored, then sent from storage', async () => {
  const over = await fixture()
  await over.accept('a')
  const phone = await online(over)
  phone.acknowledge('a')
  expect(over.trace.of('a')).toEqual(['stored offline', 'sent from storage', 'acknowledged 0 from storage'])
})

test('the connection is lost before the acknowledgement: stored, and sent again', async () => {
  const over = await fixture()
  const phone = await online(over)
  await over.accept('a')
  phone.inbox.close()
  const again = await online(over)
  again.acknowledge('a')
  expect(over.trace.of('a')).toEqual([
    'sent',
    'stored offline',
    'sent from storage',
    'acknowledged 0 from storage',
  ])
})

test('offline: the newest replaces the one before, which says by which', async () => {
  const over = await fixture()
  for (const name of ['a', 'b', 'c']) await over.accept(name)
  expect(over.trace.of('a')).toEqual(['stored offline', 'replaced by b'])
  expect(over.trace.of('b')).toEqual(['stored offline', 'replaced by c'])
  expect(over.trace.of('c')).toEqual(['stored offline'])
})

test('a queue: the oldest beyond it is replaced', async () => {
  const over = await fixture()
  over.settings.inboxMax = 2
  for (const name of ['a', 'b', 'c']) await over.accept(name)
  expect(over.trace.of('a')).toEqual(['stored offline', 'replaced by c'])
  expect(over.trace.of('b')).toEqual(['stored offline'])
})

test('a collapse id replaces its own in a queue', async () => {
  const over = await fixture()
  over.settings.inboxMax = 5
  for (const name of ['a', 'b']) await over.accept(name, { collapseId: name })
  await over.accept('c', { collapseId: 'a' })
  expect(over.trace.of('a')).toEqual(['stored offline', 'replaced by c'])
  expect(over.trace.of('b')).toEqual(['stored offline'])
})

test('an acknowledgement counts more than a replacement by collapse id', async () => {
  const over = await fixture()
  const phone = await online(over)
  await over.accept('a', { collapseId: 'score' })
  await over.accept('b', { collapseId: 'score' })
  phone.acknowledge('a')
  phone.acknowledge('b')
  expect(over.trace.of('a')).toEqual(['sent', 'acknowledged 0'])
  expect(over.trace.of('b')).toEqual(['sent', 'acknowledged 0'])
})

test('sent, replaced by its collapse id and never acknowledged: replaced, and not sent again', async () => {
  const over = await fixture()
  const phone = await online(over)
  await over.accept('a', { collapseId: 'score' })
  await over.accept('b', { collapseId: 'score' })
  phone.inbox.close()
  const again = await online(over)
  expect(over.trace.of('a')).toEqual(['sent', 'replaced by b'])
  expect(again.names).toEqual(['b'])
})

test('expired in the store: found by a device that comes back', async () => {
  const over = await fixture()
  over.settings.inboxMax = 5
  await over.accept('short', { expiration: nowSeconds + 1 })
  await over.accept('long')
  over.clock.nowMs += 2000
  const phone = await online(over)
  expect(phone.names).toEqual(['long'])
  // The deletion is a commit of its own; one more behind it says that it is over.
  await over.accept('other', { device: 2 })
  expect(over.trace.of('short')).toEqual(['stored offline', 'expired'])
})

test('expired in the store: found by the sweep', async () => {
  const over = await fixture()
  await over.accept('short', { expiration: nowSeconds + 1 })
  over.clock.nowMs += 2000
  while (over.trace.of('short').length < 2) {
    over.tick()
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(over.trace.of('short')).toEqual(['stored offline', 'expired'])
})

test('expired while it waited for its acknowledgement: the acknowledgement is its end', async () => {
  const over = await fixture()
  const phone = await online(over)
  await over.accept('short', { expiration: nowSeconds + 1 })
  await over.accept('elsewhere', { device: 2, expiration: nowSeconds + 1 })
  over.clock.nowMs += 2000
  while (over.trace.of('elsewhere').length < 2) {
    over.tick()
    await new Promise((resolve) => setImmediate(resolve))
  }
  phone.acknowledge('short')
  expect(over.trace.of('short')).toEqual(['sent', 'acknowledged 0'])
})

test.each([
  ['expiration 0', 0],
  ['already expired', nowSeconds - 1],
])('%s, offline: discarded', async (_name, expiration) => {
  const over = await fixture()
  await over.accept('now', { expiration })
  expect(over.trace.of('now')).toEqual(['discarded expired'])
})

test('expiration 0, sent and never acknowledged: discarded when the connection goes', async () => {
  const over = await fixture()
  const phone = await online(over)
  await over.accept('now', { expiration: 0 })
  phone.inbox.close()
  expect(over.trace.of('now')).toEqual(['sent', 'discarded expired'])
})

test('nobody takes the token: discarded, and the token is inactive', async () => {
  const over = await fixture()
  await over.accept('from storage')
  const phone = await online(over)
  await over.accept('live')
  phone.acknowledge('from storage', 2)
  phone.acknowledge('live', 2)
  expect(over.trace.of('from storage').at(-1)).toBe('discarded unregistered from storage')
  expect(over.trace.of('live')).toEqual(['sent', 'discarded unregistered'])
  expect(over.trace.inactiveTokens).toEqual(['01'.repeat(32), '01'.repeat(32)])
})

test('a topic that the device ignores: discarded, live and from storage', async () => {
  const over = await fixture()
  await over.accept('stored')
  const phone = new FakePhone()
  phone.wishes.set(topic, 'drop')
  await online(over, phone)
  await over.accept('live')
  await over.accept('now', { expiration: 0 })
  expect(over.trace.of('stored')).toEqual(['stored offline', 'discarded disabled from storage'])
  expect(over.trace.of('live')).toEqual(['discarded disabled'])
  expect(over.trace.of('now')).toEqual(['discarded disabled'])
})

test('a topic that is paused or not named: stored', async () => {
  const over = await fixture()
  const phone = new FakePhone()
  phone.wishes.set(topic, 'hold')
  await online(over, phone)
  await over.accept('a')
  expect(over.trace.of('a')).toEqual(['stored paused'])
})

test('a full window: stored', async () => {
  const over = await fixture()
  await online(over)
  for (let count = 0; count < limits.unackedPerSessionMax; count++) void over.accept(`n${count}`)
  await over.accept('one more')
  expect(over.trace.of('one more')).toEqual(['stored window'])
})

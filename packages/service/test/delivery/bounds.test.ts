import { expect, test } from 'vitest'
import { FlowWindow } from '../../src/delivery/flow-window.ts'
import { Outgoing } from '../../src/delivery/outgoing.ts'
import { UnackedTotal } from '../../src/delivery/unacked-total.ts'
import { limits } from '../../src/limits.ts'
import { messageFor, openStoreFixture } from '../store/store-fixture.ts'
import { deliveryOver } from './delivery-fixture.ts'
import { ManualStore } from './manual-store.ts'

const largeBytes = limits.unackedBytesPerSessionMax / 4

test('memory of all sessions is bounded: what is above waits in the store, and each device still gets one at a time', async () => {
  const { store } = await openStoreFixture()
  const over = deliveryOver(store, { unackedBytesMax: 10 })
  over.settings.inboxMax = 10
  const [hog, phone] = [over.connect({ device: 2 }), over.connect({ device: 1 })]
  await Promise.all([hog, phone].map((each) => each.until(() => each.storageSentTimes > 0)))
  // Its acknowledgement does not come.
  await over.accept('ten bytes.', { device: 2 })
  await over.accept('one more', { device: 2 })
  expect(hog.names).toEqual(['ten bytes.'])
  const names = ['a', 'b', 'c', 'd']
  await Promise.all(names.map((name) => over.accept(name)))
  expect([phone.names, over.trace.of('d')]).toEqual([['a'], ['stored window']])
  for (const name of names) {
    await phone.until(() => phone.names.includes(name))
    phone.acknowledge(name)
  }
  expect(phone.names).toEqual(names)
  // A session that ends gives its memory back.
  hog.inbox.close()
  await Promise.all(['e', 'f'].map((name) => over.accept(name)))
  expect(phone.names).toEqual([...names, 'e', 'f'])
})

test('what a window holds counts in the total until it is acknowledged or the session ends', () => {
  const total = new UnackedTotal()
  const window = new FlowWindow(total)
  const ids = ['a', 'b', 'c'].map((name) => {
    const message = messageFor(new ManualStore(), { payload: new TextEncoder().encode(name) })
    return window.add(Outgoing.once(message), 0)
  })
  expect(total.bytes).toBe(3)
  window.take(ids[0]!, 0)
  window.take(ids[0]!, 0)
  expect(total.bytes).toBe(2)
  window.end()
  window.end()
  window.take(ids[1]!, 0)
  expect(total.bytes).toBe(0)
})

test('a device that never acknowledges is sent away after a time, and comes back to what it missed', async () => {
  const { store } = await openStoreFixture()
  const over = deliveryOver(store)
  const phone = over.connect()
  await phone.until(() => phone.storageSentTimes > 0)
  await over.accept('a')
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1000) {
      over.clock.nowMs += 1000
      over.delivery.tick(over.clock.nowMs)
    }
  }
  pass(limits.unackedMsMax)
  expect(phone.ended).toBeUndefined()
  pass(1000)
  expect(phone.ended).toBe('does not acknowledge')
  expect(over.bus.find(1)).toBeUndefined()
  const again = over.connect()
  await again.until(() => again.got.length > 0)
  expect(again.names).toEqual(['a'])
})

test('each acknowledgement gives it new time, and a device that owes none has all the time there is', async () => {
  const store = new ManualStore()
  const over = deliveryOver(store)
  const phone = over.connect()
  await store.answerReads()
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 5000) {
      over.clock.nowMs += 5000
      over.delivery.tick(over.clock.nowMs)
    }
  }
  pass(2 * limits.unackedMsMax)
  void over.accept('a')
  void over.accept('b')
  pass(limits.unackedMsMax - 5000)
  phone.acknowledge('a')
  pass(limits.unackedMsMax - 5000)
  phone.acknowledge('b')
  pass(2 * limits.unackedMsMax)
  expect(phone.ended).toBeUndefined()
})

test('a clock that jumps forward takes no device’s time away', async () => {
  const store = new ManualStore()
  const over = deliveryOver(store)
  const phone = over.connect()
  await store.answerReads()
  void over.accept('a')
  over.clock.nowMs += 24 * 60 * 60_000
  over.delivery.tick(over.clock.nowMs)
  over.clock.nowMs -= 24 * 60 * 60_000
  over.delivery.tick(over.clock.nowMs)
  expect(phone.ended).toBeUndefined()
})

test('the rest of a page that finds no room is not kept in memory, and read again later', async () => {
  const { store } = await openStoreFixture()
  const over = deliveryOver(store)
  over.settings.inboxMax = 20
  const payload = new Uint8Array(largeBytes).fill(32)
  for (let count = 0; count < 10; count++) await over.accept(`${count}`, { payload })
  const phone = over.connect()
  await phone.until(() => phone.got.length === 4)
  let acknowledged = 0
  while (acknowledged < 10) {
    await phone.until(() => phone.got.length > acknowledged)
    phone.inbox.acknowledged(phone.got[acknowledged++]!.id, 0)
  }
  await phone.until(() => phone.storageSentTimes === 1)
  expect(phone.got.length).toBe(10)
})

test.each([
  ['kept for a device that is away', {}, false],
  ['sent to a device and kept', {}, true],
  ['sent to a device once', { expiration: 0 }, true],
])('a payload %s is not changed by what the socket brings next', async (_case, fields, isConnected) => {
  const { store } = await openStoreFixture()
  const over = deliveryOver(store)
  const early = isConnected ? over.connect() : undefined
  await early?.until(() => early.storageSentTimes > 0)
  const payload = new TextEncoder().encode('hello')
  const accepted = over.accept('hello', { payload, ...fields })
  payload.fill(0)
  await accepted
  const phone = early ?? over.connect()
  await phone.until(() => phone.names.length > 0)
  expect(phone.names).toEqual(['hello'])
})

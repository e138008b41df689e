import { expect, test } from 'vitest'
import type { Notification } from '../../src/delivery/delivery.ts'
import { type PowerState, powerDefaults } from '../../src/power/power-options.ts'
import { PowerPolicy } from '../../src/power/power-policy.ts'
import { nowSeconds, openStoreFixture, storedSeqs } from '../store/store-fixture.ts'
import { type DeliveryFixture, deliveryOver, FakePhone } from './delivery-fixture.ts'

const asleep: PowerState = { isPlugged: false, isLowPowerMode: false, isScreenOn: false }
const low = { priority: 5 }
const other = { topic: 'dev.example.other', bundleId: 'dev.example.other' }
const background = {
  priority: 5,
  pushType: 'background',
  expiration: nowSeconds + 86_400,
} satisfies Partial<Notification>

interface Held extends DeliveryFixture {
  readonly phone: FakePhone
  /** Lets time pass and the service look at its clock. */
  pass(ms: number): void
  stored(): Promise<number[]>
  report(power: PowerState): void
}

/** A phone that has reported its power, of an app with a queue. */
async function heldFixture({ power = asleep, inboxMax = 10 } = {}): Promise<Held> {
  const { store } = await openStoreFixture()
  const over = deliveryOver(store, { power: new PowerPolicy() })
  over.settings.inboxMax = inboxMax
  const phone = new FakePhone()
  phone.wishes.set(other.topic, 'deliver')
  over.connect({ phone })
  await phone.until(() => phone.storageSentTimes > 0)
  const report = (state: PowerState) => over.delivery.powerChanged(1, state)
  report(power)
  const pass = (ms: number) => {
    over.clock.nowMs += ms
    over.delivery.tick(over.clock.nowMs)
  }
  return { ...over, phone, pass, report, stored: () => storedSeqs(store) }
}

test('priority 5 waits on disk, and comes when its time is over', async () => {
  const { accept, phone, pass, stored, trace } = await heldFixture()
  expect(await accept('a', low)).toBe('accepted')
  expect([phone.names, (await stored()).length, trace.of('a')]).toEqual([[], 1, ['stored power']])
  await accept('b', low)
  pass(powerDefaults.groupMs - 1000)
  expect(phone.names).toEqual([])
  pass(1000)
  await phone.until(() => phone.got.length === 2)
  expect(phone.names).toEqual(['a', 'b'])
  phone.acknowledge('a')
  expect(trace.of('a')).toEqual(['stored power', 'sent from storage', 'acknowledged 0 from storage'])
})

test('in low power mode it waits longer', async () => {
  const { accept, phone, pass } = await heldFixture({ power: { ...asleep, isLowPowerMode: true } })
  await accept('a', low)
  pass(powerDefaults.groupMs)
  pass(powerDefaults.lowPowerGroupMs - powerDefaults.groupMs - 2000)
  expect(phone.names).toEqual([])
  pass(2000)
  await phone.until(() => phone.got.length === 1)
})

test('a message of priority 10 goes at once and takes along what waits, in order of acceptance', async () => {
  const { accept, phone } = await heldFixture()
  await accept('a', low)
  await accept('b', { priority: 1, ...other })
  await accept('c')
  await phone.until(() => phone.got.length === 3)
  expect(phone.names).toEqual(['a', 'b', 'c'])
  expect(phone.got.map(({ origin }) => origin)).toEqual(['storage', 'last from storage', 'live'])
})

test('priority 10 with nothing to take along is sent in the same turn', async () => {
  const { accept, phone } = await heldFixture()
  void accept('a')
  expect(phone.names).toEqual(['a'])
})

test.each([
  ['the screen goes on', { ...asleep, isScreenOn: true }],
  ['the device is plugged in', { ...asleep, isPlugged: true }],
])('%s: what waits comes, and what is new comes at once', async (_name, power) => {
  const { accept, phone, report } = await heldFixture()
  await accept('a', low)
  await accept('b', { priority: 1 })
  report(power)
  await phone.until(() => phone.got.length === 2)
  void accept('c', low)
  await phone.until(() => phone.got.length === 3)
  expect(phone.names).toEqual(['a', 'b', 'c'])
})

test('priority 1 alone waits longer than priority 5, and goes along with it', async () => {
  const { accept, phone, pass } = await heldFixture()
  await accept('a', { priority: 1 })
  pass(powerDefaults.groupMs)
  expect(phone.names).toEqual([])
  await accept('b', low)
  pass(powerDefaults.groupMs)
  await phone.until(() => phone.got.length === 2)
  expect(phone.names).toEqual(['a', 'b'])
})

test('priority 1 alone comes in the end', async () => {
  const { accept, phone, pass } = await heldFixture()
  await accept('a', { priority: 1, expiration: nowSeconds + 86_400 })
  pass(powerDefaults.lowestMs - 2000)
  expect(phone.names).toEqual([])
  pass(2000)
  await phone.until(() => phone.got.length === 1)
})

test('Apple’s inbox rule holds for what waits', async () => {
  const { accept, phone, report, trace } = await heldFixture({ inboxMax: 1 })
  await accept('a', low)
  await accept('b', low)
  report({ ...asleep, isPlugged: true })
  await phone.until(() => phone.got.length === 1)
  expect(phone.names).toEqual(['b'])
  expect(trace.of('a')).toEqual(['stored power', 'replaced by b'])
})

test('what was sent and is not acknowledged yet is not replaced by what waits', async () => {
  const { accept, phone, connect } = await heldFixture({ inboxMax: 1 })
  await accept('kept', { device: 2 })
  const second = connect({ device: 2 })
  await second.until(() => second.storageSentTimes > 0)
  void accept('urgent')
  await accept('waits', low)
  expect(phone.names).toEqual(['urgent'])
  phone.inbox.close()
  const again = connect()
  await again.until(() => again.storageSentTimes > 0)
  expect(again.names).toEqual(['urgent', 'waits'])
})

test('what is sent now or never does not wait: discarded', async () => {
  const { accept, phone, trace } = await heldFixture()
  expect(await accept('a', { ...low, expiration: 0 })).toBe('accepted')
  expect([phone.names, trace.of('a')]).toEqual([[], ['discarded expired']])
  await accept('b', { expiration: 0 })
  expect(phone.names).toEqual(['b'])
})

test('what is sent now or never takes along what waits, and goes behind it', async () => {
  const { accept, phone } = await heldFixture()
  await accept('a', low)
  await accept('now', { expiration: 0 })
  await phone.until(() => phone.got.length === 2)
  expect(phone.names).toEqual(['a', 'now'])
})

test('a reconnect brings what waited, whatever the device reports first', async () => {
  const { accept, phone, connect, delivery } = await heldFixture()
  await accept('a', low)
  phone.inbox.close()
  const again = connect({ namesTopics: false })
  delivery.powerChanged(1, asleep)
  again.inbox.topicsChanged()
  await again.until(() => again.storageSentTimes > 0)
  expect(again.names).toEqual(['a'])
})

test('what waits expires like everything stored', async () => {
  const { accept, phone, pass, clock, trace } = await heldFixture()
  await accept('short', { ...low, expiration: clock.nowMs / 1000 + 30 })
  await accept('long', low)
  pass(powerDefaults.groupMs)
  await phone.until(() => phone.got.length === 1)
  await accept('after', low)
  expect(phone.names).toEqual(['long'])
  expect(trace.of('short')).toEqual(['stored power', 'expired'])
})

test('background pushes above the budget wait, the newest of them is kept, and it comes in the end', async () => {
  const { accept, phone, pass, report, trace } = await heldFixture({ power: { ...asleep, isPlugged: true } })
  for (const name of ['1', '2', '3', '4', '5']) await accept(name, background)
  expect(phone.names).toEqual(['1', '2', '3'])
  expect(trace.of('4')).toEqual(['stored power', 'replaced by 5'])
  // Neither a good moment nor something urgent lets it through.
  report({ ...asleep, isScreenOn: true })
  await accept('urgent')
  expect(phone.names).toEqual(['1', '2', '3', 'urgent'])
  pass(60 * 60_000 - 2000)
  expect(phone.got.length).toBe(4)
  pass(2000)
  await phone.until(() => phone.got.length === 5)
  expect(phone.names.at(-1)).toBe('5')
})

test('a reconnect does not widen the budget', async () => {
  const { accept, phone, connect, delivery } = await heldFixture({ power: { ...asleep, isPlugged: true } })
  for (const name of ['1', '2', '3', '4']) await accept(name, background)
  for (const name of phone.names) phone.acknowledge(name)
  phone.inbox.close()
  const again = connect({ namesTopics: false })
  delivery.powerChanged(1, { ...asleep, isPlugged: true })
  again.inbox.topicsChanged()
  await again.until(() => again.storageSentTimes > 0)
  expect(again.names).toEqual([])
})

test('a device that reports nothing is awake', async () => {
  const { accept, connect } = await heldFixture()
  const foreign = connect({ device: 2 })
  await foreign.until(() => foreign.storageSentTimes > 0)
  for (const name of ['1', '2', '3', '4']) void accept(name, { ...background, device: 2 })
  void accept('low', { priority: 1, device: 2 })
  expect(foreign.names).toEqual(['1', '2', '3', '4', 'low'])
})

test('with power ignored everything goes at once, whatever a device reports', async () => {
  const { store } = await openStoreFixture()
  const over = deliveryOver(store)
  const phone = over.connect()
  await phone.until(() => phone.storageSentTimes > 0)
  over.delivery.powerChanged(1, asleep)
  void over.accept('a', { priority: 1 })
  expect(phone.names).toEqual(['a'])
})

test('when the clock is set back, what waits comes at once', async () => {
  const { accept, phone, pass } = await heldFixture()
  pass(0)
  await accept('a', low)
  pass(-24 * 60 * 60_000)
  await phone.until(() => phone.got.length === 1)
  expect(phone.names).toEqual(['a'])
})

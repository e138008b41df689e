import { apnsIdBytes } from '@carillon/wire'
import { expect, test } from 'vitest'
import { openStoreFixture, storedSeqs } from '../store/store-fixture.ts'
import { deliveryOver, FakePhone } from './delivery-fixture.ts'
import { apnsIdFor } from './recording-trace.ts'

test('what a device says it has is not sent again and leaves the store; all else comes', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect, settings } = deliveryOver(store)
  settings.inboxMax = 10
  const first = connect()
  await first.until(() => first.storageSentTimes === 1)
  // Sent, and acknowledged into a connection that is gone: the courier hears nothing of it.
  const accepted = ['a', 'b', 'c'].map((name) => accept(name))
  first.inbox.close()
  await Promise.all(accepted)
  await accept('d')
  const phone = new FakePhone()
  const second = connect({ phone, namesTopics: false })
  second.inbox.handled(['a', 'c', 'unknown'].map((name) => apnsIdBytes(apnsIdFor(name))!))
  second.inbox.topicsChanged()
  await second.until(() => second.storageSentTimes === 1)
  expect(second.names).toEqual(['b', 'd'])
  for (const name of ['b', 'd']) second.acknowledge(name)
  expect(await storedSeqs(store)).toEqual([])
})

test('it counts for what was stored before only: a later notification of the same id is delivered', async () => {
  const { store } = await openStoreFixture()
  const { accept, connect } = deliveryOver(store)
  const phone = connect({ namesTopics: false })
  phone.inbox.handled([apnsIdBytes(apnsIdFor('a'))!])
  phone.inbox.topicsChanged()
  await phone.until(() => phone.storageSentTimes === 1)
  const later = accept('a')
  await phone.until(() => phone.names.length === 1)
  phone.acknowledge('a')
  expect(await later).toBe('accepted')
})

import { expect, test } from 'vitest'
import type { MessageStore } from '../../src/store/message-store.ts'
import { OnlyWaiting } from '../../src/store/only-waiting.ts'
import { keep, messageFor, nowMs, nowSeconds, openStoreFixture, storedSeqs } from './store-fixture.ts'

const app = 'dev.example.app'
const places = { lastSeq: 0, nextSeq: () => ++places.lastSeq }

/** A message on its way to the disk, or there. */
function add(known: OnlyWaiting, isOnDisk: boolean, fields: Parameters<typeof messageFor>[1] = {}) {
  const message = messageFor(places, fields)
  const slot = known.slotOf(message.device, message.app)
  known.added(slot, message)
  if (isOnDisk) known.onDisk(slot, message.seq)
  return { message, slot }
}

const at = (known: OnlyWaiting, device: number, of = app) => known.at(known.slotOf(device, of), device, of)

test('what is on the disk is known with all that its removal tells', () => {
  const known = new OnlyWaiting()
  const { message } = add(known, true, { topic: `${app}.voip`, pushType: 'voip', priority: 5 })
  const { seq, device, apnsId, topic, token, pushType, priority, expiration } = message
  expect(at(known, 1)).toEqual({ seq, device, app, apnsId, topic, token, pushType, priority, expiration })
  expect(at(known, 2)).toBeUndefined()
  expect(at(known, 1, 'dev.example.other')).toBeUndefined()
})

test('nothing is known while a message is on its way, nor from one that another was added behind', () => {
  const known = new OnlyWaiting()
  add(known, true)
  const first = add(known, false)
  expect(at(known, 1)).toBeUndefined()
  const second = add(known, false)
  known.onDisk(first.slot, first.message.seq)
  expect(at(known, 1)).toBeUndefined()
  known.onDisk(second.slot, second.message.seq)
  expect(at(known, 1)?.seq).toBe(second.message.seq)
})

test('at its limit everything is forgotten, and what is on its way says nothing of those that come next', () => {
  const known = new OnlyWaiting(2000)
  for (let device = 1; device < 2000; device++) add(known, true, { device })
  const last = add(known, false, { device: 2000 })
  expect(at(known, 1999)).toBeDefined()
  add(known, false, { device: 2001 })
  known.onDisk(last.slot, last.message.seq)
  for (const device of [1, 1999, 2000, 2001]) expect(at(known, device)).toBeUndefined()
})

/** What the store tells of removed messages. */
function listenTo(store: MessageStore): [seq: number, what: string][] {
  const told: [number, string][] = []
  store.listener = {
    replaced: ({ seq }, by) => void told.push([seq, `replaced by ${by[0]}`]),
    expired: ({ seq }) => void told.push([seq, 'expired']),
  }
  return told
}

test('each one that is replaced is told once, known or not', async () => {
  const { store, reopen } = await openStoreFixture()
  const told = listenTo(store)
  for (let index = 0; index < 3; index++) await keep(store, 1)
  await Promise.all([keep(store, 1), keep(store, 1)])
  expect(told).toEqual([1, 2, 3, 4].map((seq) => [seq, `replaced by ${seq + 1}`]))
  const again = await reopen()
  const toldAgain = listenTo(again.store)
  await keep(again.store, 1)
  expect(toldAgain).toEqual([[5, 'replaced by 6']])
})

test('one that is known and was put on the wire, collapsed or swept is not replaced', async () => {
  const { store } = await openStoreFixture()
  const told = listenTo(store)
  const sent = await keep(store, 1)
  store.protect([sent])
  const collapsed = await keep(store, 1, { collapseId: 'a' })
  await new Promise((resolve) => store.addSent(messageFor(store, { collapseId: 'a' }), resolve))
  const swept = await keep(store, 1, { expiration: nowSeconds })
  store.tick(nowMs)
  while (told.length < 2) await storedSeqs(store)
  const last = await keep(store, 1)
  expect(await storedSeqs(store)).toEqual([sent.seq, collapsed.seq + 1, last.seq])
  expect(told).toEqual([
    [collapsed.seq, `replaced by ${collapsed.seq + 1}`],
    [swept.seq, 'expired'],
  ])
})

test('a queue that becomes an inbox of one keeps one, whatever was known before', async () => {
  const { store } = await openStoreFixture()
  const told = listenTo(store)
  for (const inboxMax of [1, 3, 3]) await keep(store, inboxMax)
  const last = await keep(store, 1)
  expect(await storedSeqs(store)).toEqual([last.seq])
  expect(told).toEqual([1, 2, 3].map((seq) => [seq, `replaced by ${last.seq}`]))
})

test('behind a message that a full disk refused nothing is known', async () => {
  const { store, database } = await openStoreFixture()
  const told = listenTo(store)
  const first = await keep(store, 1)
  await database.returning(database.prepare('PRAGMA max_page_count = 1'))
  const payload = new Uint8Array(100_000)
  await expect(keep(store, 1, { payload })).rejects.toThrow('the store failed')
  await database.returning(database.prepare('PRAGMA max_page_count = 1000000'))
  expect(await storedSeqs(store)).toEqual([first.seq])
  const last = await keep(store, 1)
  expect(await storedSeqs(store)).toEqual([last.seq])
  expect(told).toEqual([[first.seq, `replaced by ${last.seq}`]])
})

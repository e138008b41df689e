import { expect, test } from 'vitest'
import type { MessageStore } from '../../src/store/message-store.ts'
import { OnlyWaiting } from '../../src/store/only-waiting.ts'
import {
  keep,
  keepSent,
  messageFor,
  nowMs,
  nowSeconds,
  openStoreFixture,
  storedSeqs,
} from './store-fixture.ts'

const app = 'dev.example.app'
const places = { lastSeq: 0, nextSeq: () => ++places.lastSeq }

function add(known: OnlyWaiting, fields: Parameters<typeof messageFor>[1] = {}) {
  const message = messageFor(places, fields)
  known.added(known.slotOf(message.device, message.app), message)
  return message
}

const at = (known: OnlyWaiting, device: number, of = app) => known.at(known.slotOf(device, of), device, of)

test('what was added last is known with all that its removal tells', () => {
  const known = new OnlyWaiting()
  add(known)
  const message = add(known, { topic: `${app}.voip`, pushType: 'voip', priority: 5 })
  const { seq, device, apnsId, topic, token, pushType, priority, expiration } = message
  const what = { seq, device, app, apnsId, topic, token, pushType, priority, expiration }
  expect(at(known, 1)).toEqual(what)
  expect(at(known, 2)).toBeUndefined()
  expect(at(known, 1, 'dev.example.other')).toBeUndefined()
  expect(known.forget(1, app)).toEqual(what)
  expect(at(known, 1)).toBeUndefined()
})

test('at its limit everything is forgotten', () => {
  const known = new OnlyWaiting(2000)
  for (let device = 1; device <= 2000; device++) add(known, { device })
  for (const device of [1, 1024, 1025, 2000]) expect(at(known, device)?.device).toBe(device)
  add(known, { device: 2001 })
  expect(at(known, 2001)?.device).toBe(2001)
  for (const device of [1, 1024, 1025, 2000]) expect(at(known, device)).toBeUndefined()
})

test('a token of another length is not known', () => {
  const known = new OnlyWaiting()
  add(known)
  add(known, { token: new Uint8Array(31) })
  expect(at(known, 1)).toBeUndefined()
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

test('what a message that is refused was to replace is replaced by the one behind it', async () => {
  const { store } = await openStoreFixture()
  const told = listenTo(store)
  const first = await keep(store, 1)
  const other = await keepSent(store, { device: 2 })
  // Its number is taken.
  const refused = keep(store, 1, { seq: other.seq })
  const behind = keep(store, 1)
  await expect(refused).rejects.toThrow('the store failed')
  const { seq } = await behind
  await keep(store, 1, { device: 2 })
  expect(await storedSeqs(store)).toEqual([seq])
  expect(told).toEqual([[first.seq, `replaced by ${seq}`]])
})

test('messages that are refused replace nothing', async () => {
  const { store } = await openStoreFixture()
  const told = listenTo(store)
  const first = await keep(store, 1)
  const other = await keepSent(store, { device: 2 })
  const refused = [keep(store, 1, { seq: other.seq }), keep(store, 1, { seq: other.seq })]
  expect((await Promise.allSettled(refused)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await keep(store, 1, { device: 3 })
  expect(await storedSeqs(store)).toEqual([first.seq])
  const last = await keep(store, 1)
  expect(await storedSeqs(store)).toEqual([last.seq])
  expect(told).toEqual([[first.seq, `replaced by ${last.seq}`]])
})

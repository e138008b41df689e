import { type Database, DatabaseError, type SqlValue, type WriteDone } from '@carillon/database'
import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { openMessageStore } from '../../src/store/database-message-store.ts'
import { RemovalQueue } from '../../src/store/removal-queue.ts'
import type { StoredMessage } from '../../src/store/stored-message.ts'
import {
  keep,
  keepSent,
  messageFor,
  nowMs,
  nowSeconds,
  openStoreFixture,
  storedSeqs,
} from './store-fixture.ts'

test('a message comes back as it was stored', async () => {
  const { store } = await openStoreFixture()
  const message = await keep(store, 3, {
    collapseId: 'score',
    topic: 'dev.example.app.voip',
    pushType: 'voip',
  })
  const page = await store.read(1, 0, store.lastSeq)
  expect(page).toEqual({ messages: [{ ...message, inboxMax: 3 }], hasMore: false, throughSeq: message.seq })
})

interface RuleCase {
  readonly name: string
  readonly inboxMax: number
  /** In order; `sent` marks those that were put on the wire. */
  readonly given: readonly (Partial<StoredMessage> & { readonly sent?: true })[]
  /** Indexes of `given` that stay. */
  readonly stay: readonly number[]
}

const expired = { expiration: nowSeconds }
const rules: readonly RuleCase[] = [
  { name: 'Apple’s rule: the newest replaces the one before', inboxMax: 1, given: [{}, {}, {}], stay: [2] },
  { name: 'one per app', inboxMax: 1, given: [{}, { app: 'dev.example.other' }, {}], stay: [1, 2] },
  { name: 'one per device', inboxMax: 1, given: [{}, { device: 2 }], stay: [0] },
  {
    name: 'a collapse id does not widen the slot',
    inboxMax: 1,
    given: [{ collapseId: 'a' }, { collapseId: 'b' }],
    stay: [1],
  },
  {
    name: 'what was sent stays beside it',
    inboxMax: 1,
    given: [{ sent: true }, { sent: true }, {}, {}],
    stay: [0, 1, 3],
  },
  {
    name: 'a collapse id replaces even what was sent',
    inboxMax: 1,
    given: [{ sent: true, collapseId: 'a' }, { sent: true }, { collapseId: 'a' }],
    stay: [1, 2],
  },
  { name: 'a queue keeps the newest', inboxMax: 3, given: [{}, {}, {}, {}, {}], stay: [2, 3, 4] },
  {
    name: 'a queue counts per app',
    inboxMax: 2,
    given: [{}, { app: 'x' }, {}, { app: 'x' }, {}],
    stay: [1, 2, 3, 4],
  },
  {
    name: 'in a queue a collapse id replaces its own',
    inboxMax: 3,
    given: [{ collapseId: 'a' }, {}, {}, { collapseId: 'a' }],
    stay: [1, 2, 3],
  },
  {
    name: 'in a full queue a collapse id takes no further place',
    inboxMax: 2,
    given: [{}, { collapseId: 'a' }, { collapseId: 'a' }],
    stay: [0, 2],
  },
  {
    name: 'an empty collapse id collapses nothing',
    inboxMax: 3,
    given: [{ collapseId: '' }, { collapseId: '' }],
    stay: [0, 1],
  },
  { name: 'expired ones take no place in a queue', inboxMax: 2, given: [{}, expired, {}], stay: [0, 1, 2] },
  {
    name: 'what was sent takes no place in a queue',
    inboxMax: 2,
    given: [{}, { sent: true }, {}],
    stay: [0, 1, 2],
  },
  { name: 'a queue may be set below 1: it is 1', inboxMax: 0, given: [{}, {}], stay: [1] },
]

test.each(rules)('$name', async ({ inboxMax, given, stay }) => {
  const { store } = await openStoreFixture()
  const messages: StoredMessage[] = []
  for (const { sent, ...fields } of given) {
    messages.push(await (sent === true ? keepSent(store, fields) : keep(store, inboxMax, fields)))
  }
  expect(await storedSeqs(store)).toEqual(stay.map((index) => messages[index]!.seq))
})

test('the rule holds within one commit as well', async () => {
  const { store } = await openStoreFixture()
  const all = await Promise.all([keep(store, 1), keep(store, 1), keep(store, 1)])
  expect(await storedSeqs(store)).toEqual([all[2].seq])
})

test('a smaller queue takes effect with the next message', async () => {
  const { store } = await openStoreFixture()
  for (let index = 0; index < 5; index++) await keep(store, 5)
  const last = await keep(store, 2)
  expect(await storedSeqs(store)).toEqual([last.seq - 1, last.seq])
})

test('protected messages survive the inbox rule', async () => {
  const { store } = await openStoreFixture()
  const first = await keep(store, 1)
  store.protect([first])
  const second = await keep(store, 1)
  expect(await storedSeqs(store)).toEqual([first.seq, second.seq])
})

test('a read sees what is still on its way to the disk', async () => {
  const { store } = await openStoreFixture()
  const message = messageFor(store)
  store.addSent(message, () => {})
  expect(await storedSeqs(store)).toEqual([message.seq])
})

test('a read does not wait for what comes behind it', async () => {
  const { store } = await openStoreFixture()
  const first = messageFor(store)
  store.addSent(first, () => {})
  const reading = storedSeqs(store)
  let behind = 0
  const more = () => {
    behind++
    if (behind < 500) store.addSent(messageFor(store), more)
  }
  more()
  expect((await reading)[0]).toBe(first.seq)
  expect(behind).toBeLessThan(500)
  behind = 500
})

test('a read waits for what was added before it, whatever is added behind it and taken back', async () => {
  const { store } = await openStoreFixture()
  // Accepted first and written last: it has waited for its acknowledgement.
  const sent = messageFor(store)
  const kept = messageFor(store)
  store.addToInbox(kept, 1, () => {})
  const reading = storedSeqs(store)
  expect(
    store.cancel(
      store.addSent(sent, () => {}),
      sent,
    ),
  ).toBe(true)
  expect(await reading).toEqual([kept.seq])
})

test('a cancelled message is never written, and a read does not wait for it', async () => {
  const { store } = await openStoreFixture()
  const message = messageFor(store)
  let told = 0
  const ticket = store.addSent(message, () => told++)
  expect(store.cancel(ticket, message)).toBe(true)
  expect(await storedSeqs(store)).toEqual([])
  expect(store.cancel(ticket, message)).toBe(false)
  await keep(store, 1, { device: 2 })
  expect(told).toBe(0)
})

test('a removed message is not read again, gathered or gone, before or behind its commit', async () => {
  const { store, reopen } = await openStoreFixture()
  const [first, second] = [await keepSent(store), await keepSent(store)]
  store.remove(first.seq)
  expect(await storedSeqs(store)).toEqual([second.seq])
  const overtaken = messageFor(store)
  const stored = new Promise((resolve) => store.addSent(overtaken, resolve))
  store.remove(overtaken.seq)
  await stored
  expect(await storedSeqs(store)).toEqual([second.seq])
  const again = await reopen()
  expect(await storedSeqs(again.store)).toEqual([second.seq])
})

test('many removals ride along with later writes', async () => {
  const { store, database } = await openStoreFixture()
  const all = await Promise.all(Array.from({ length: 100 }, () => keepSent(store)))
  const before = database.statistics().commits
  for (const { seq } of all) store.remove(seq)
  expect(database.statistics().unitsWaiting).toBe(0)
  await keepSent(store, { device: 2 })
  expect(database.statistics().commits - before).toBe(1)
  const count = await database.get<{ n: number }>(database.prepare('SELECT count(*) AS n FROM messages'))
  expect(count?.n).toBe(1)
})

test('removals that a full disk refused are tried again, a bounded number at a time', async () => {
  const { database } = await openStoreFixture()
  const units: { readonly seqs: readonly SqlValue[]; readonly done: WriteDone }[] = []
  const write: Database['write'] = (_statement, seqs, done) => units.push({ seqs, done: done! })
  const removals = new RemovalQueue({ prepare: (sql) => database.prepare(sql), write })
  const answer = (error?: DatabaseError) => {
    for (const unit of units.splice(0)) unit.done(error, 0)
  }
  const total = limits.removalsGatheredMax + 40
  for (let seq = 1; seq <= total; seq++) removals.add(seq)
  removals.flush()
  answer(new DatabaseError('DATABASE_FULL', 'The disk is full.'))
  expect([removals.has(1), removals.has(total)]).toEqual([true, true])
  removals.flush()
  expect(units.flatMap((unit) => unit.seqs).length).toBe(limits.removalsGatheredMax)
  answer()
  removals.flush()
  answer()
  expect([removals.has(1), removals.has(total)]).toEqual([false, false])
  removals.flush()
  expect(units).toEqual([])
})

test('a damaged message does not keep a device from the others', async () => {
  const { database } = await openStoreFixture()
  const troubles: string[] = []
  const store = await openMessageStore({ database, onTrouble: (sentence) => void troubles.push(sentence) })
  const [first, second, third] = [await keepSent(store), await keepSent(store), await keepSent(store)]
  await database.run(database.prepare('UPDATE messages SET record = ? WHERE seq = ?'), [
    Uint8Array.of(9),
    second.seq,
  ])
  expect(await storedSeqs(store)).toEqual([first.seq, third.seq])
  expect(troubles).toEqual([`Stored message ${second.seq} for device 1 cannot be read.`])
})

test('pages follow each other in order of acceptance', async () => {
  const { store } = await openStoreFixture()
  const total = limits.storedPageRowsMax * 2 + 5
  const all = await Promise.all(Array.from({ length: total }, () => keepSent(store)))
  const seqs: number[] = []
  let after = 0
  for (let page = 0; page < 3; page++) {
    const { messages, hasMore, throughSeq } = await store.read(1, after, store.lastSeq)
    seqs.push(...messages.map((message) => message.seq))
    expect(hasMore).toBe(page < 2)
    after = throughSeq
  }
  expect(seqs).toEqual(all.map((message) => message.seq))
})

test('a page whose every message was removed still leads on', async () => {
  const { store } = await openStoreFixture()
  const total = limits.storedPageRowsMax + 1
  const all = await Promise.all(Array.from({ length: total }, () => keepSent(store)))
  for (const { seq } of all.slice(0, -1)) store.remove(seq)
  const first = await store.read(1, 0, store.lastSeq)
  expect(first).toMatchObject({ messages: [], hasMore: true })
  const second = await store.read(1, first.throughSeq, store.lastSeq)
  expect(second.messages.map((message) => message.seq)).toEqual([all.at(-1)!.seq])
})

test('the order of acceptance goes on after a restart', async () => {
  const { store, reopen } = await openStoreFixture()
  const before = await keep(store, 5)
  const { store: again } = await reopen()
  const after = await keep(again, 5)
  expect(after.seq).toBeGreaterThan(before.seq)
  expect(await storedSeqs(again)).toEqual([before.seq, after.seq])
})

test('expired messages are swept a piece at a time, the others stay', async () => {
  const { store, database } = await openStoreFixture()
  const count = database.prepare('SELECT count(*) AS n FROM messages')
  const total = limits.sweptPerTickMax + 50
  await Promise.all(
    Array.from({ length: total }, (_, index) => keepSent(store, { expiration: nowSeconds + (index % 2) })),
  )
  const left = () => database.get<{ n: number }>(count).then((row) => row!.n)
  const seen: number[] = [total]
  // Each tick starts one piece; how many have passed is read from the table itself.
  while (seen.at(-1)! > total / 2 && seen.length < 10_000) {
    store.tick(nowMs)
    seen.push(await left())
  }
  expect(seen.at(-1)).toBe(total / 2)
  expect(seen).toContain(total - limits.sweptPerTickMax / 2)
})

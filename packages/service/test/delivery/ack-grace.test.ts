import { expect, test } from 'vitest'
import type { AcceptOutcome } from '../../src/delivery/delivery.ts'
import { limits } from '../../src/limits.ts'
import { deliveryOver } from './delivery-fixture.ts'
import { ManualStore } from './manual-store.ts'

/** A connected phone behind a wait whose rounds the test turns. */
async function waitingDelivery() {
  const store = new ManualStore()
  const timers: (() => void)[] = []
  const fixture = deliveryOver(store, { shortTimer: (run) => void timers.push(run) })
  const phone = fixture.connect()
  await store.answerReads()
  const outcomes = new Map<string, AcceptOutcome>()
  const accept = (name: string) => {
    void fixture.accept(name).then((outcome) => outcomes.set(name, outcome))
  }
  const round = () => {
    for (const run of timers.splice(0)) run()
  }
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
  return { ...fixture, store, phone, timers, outcomes, accept, round, settled }
}

test('what is acknowledged within the wait never reaches the store', async () => {
  const { store, phone, timers, outcomes, accept, round, settled } = await waitingDelivery()
  accept('a')
  expect(phone.names).toEqual(['a'])
  round()
  phone.acknowledge('a')
  await settled()
  expect(outcomes.get('a')).toBe('accepted')
  round()
  round()
  store.commit()
  expect([store.calls, store.rows.size, timers]).toEqual([[], 0, []])
})

test('what is not acknowledged within the wait is written, and accepted when it is on disk', async () => {
  const { store, phone, outcomes, accept, round, settled } = await waitingDelivery()
  accept('a')
  round()
  store.commit()
  expect(store.rows.size).toBe(0)
  round()
  await settled()
  expect(outcomes.size).toBe(0)
  store.commit()
  await settled()
  expect([outcomes.get('a'), store.rows.size]).toEqual(['accepted', 1])
  phone.acknowledge('a')
  store.commit()
  expect(store.rows.size).toBe(0)
})

test('a session that ends writes at once what waited, and the next one gets it', async () => {
  const { store, phone, outcomes, accept, connect, round, settled } = await waitingDelivery()
  accept('a')
  phone.inbox.close()
  const again = connect()
  await store.answerReads()
  await settled()
  expect([outcomes.get('a'), again.names]).toEqual(['accepted', ['a']])
  round()
  round()
  store.commit()
  expect(store.rows.size).toBe(1)
})

test('a session that is replaced loses nothing that waited', async () => {
  const { store, accept, connect } = await waitingDelivery()
  accept('a')
  accept('b')
  const second = connect()
  await store.answerReads()
  expect(second.names).toEqual(['a', 'b'])
})

test('a store that is full when the wait is over: what was sent waits on, instead of being sent twice', async () => {
  const { store, phone, outcomes, accept, round, settled } = await waitingDelivery()
  for (const name of ['a', 'b', 'c']) accept(name)
  store.isFull = true
  for (let count = 0; count < 5; count++) round()
  phone.acknowledge('b')
  await settled()
  expect([...outcomes]).toEqual([['b', 'accepted']])
  store.isFull = false
  round()
  store.commit()
  await settled()
  expect([outcomes.get('a'), outcomes.get('c'), store.rows.size]).toEqual(['accepted', 'accepted', 2])
})

test('a store that takes nothing for long: busy', async () => {
  const { store, phone, timers, outcomes, accept, round, settled } = await waitingDelivery()
  accept('a')
  store.isFull = true
  for (let count = 0; count <= limits.refusedRoundsMax; count++) round()
  await settled()
  expect(outcomes.size).toBe(0)
  round()
  await settled()
  expect([outcomes.get('a'), timers]).toEqual(['busy', []])
  phone.acknowledge('a')
  store.isFull = false
  accept('b')
  round()
  round()
  store.commit()
  await settled()
  expect([outcomes.get('b'), store.rows.size]).toEqual(['accepted', 1])
})

test('a session that ends while the store is full: busy, and nothing of it later', async () => {
  const { store, phone, outcomes, accept, round, settled } = await waitingDelivery()
  accept('a')
  store.isFull = true
  phone.inbox.close()
  store.isFull = false
  round()
  round()
  store.commit()
  await settled()
  expect([outcomes.get('a'), store.rows.size]).toEqual(['busy', 0])
})

test('a device that is slower than the wait is spared it for some messages', async () => {
  const { store, phone, outcomes, clock, accept, round, settled } = await waitingDelivery()
  accept('slow')
  round()
  round()
  clock.nowMs += limits.ackGraceMsMax + 1
  phone.acknowledge('slow')
  accept('next')
  store.commit()
  await settled()
  // Written without a round of the timer.
  expect(outcomes.get('next')).toBe('accepted')
  phone.acknowledge('next')
  for (let index = 0; index < 4; index++) accept(`later ${index}`)
  store.commit()
  expect(store.rows.size).toBe(3)
})

test('a device that has become quick again costs no more writes', async () => {
  const { store, phone, clock, accept, round, settled } = await waitingDelivery()
  const take = async (name: string) => {
    accept(name)
    store.commit()
    phone.acknowledge(name)
    store.commit()
    await settled()
  }
  accept('slow')
  round()
  round()
  clock.nowMs += limits.ackGraceMsMax + 1
  phone.acknowledge('slow')
  for (let index = 0; index < 4; index++) await take(`written ${index}`)
  store.calls.length = 0
  for (let index = 0; index < 20; index++) await take(`spared ${index}`)
  expect(store.calls).toEqual([])
})

/** Lets `count` messages wait for so many rounds before each is acknowledged, or not. @returns how many were written */
async function writtenOf(
  { store, phone, accept, round }: Awaited<ReturnType<typeof waitingDelivery>>,
  name: string,
  count: number,
  { rounds, isAcknowledged }: { rounds: number; isAcknowledged: boolean },
): Promise<number> {
  for (let index = 0; index < count; index++) accept(`${name} ${index}`)
  for (let left = rounds; left > 0; left--) round()
  const before = store.rows.size
  store.commit()
  const written = store.rows.size - before
  if (isAcknowledged) for (let index = 0; index < count; index++) phone.acknowledge(`${name} ${index}`)
  store.commit()
  return written
}

test('acknowledgements that come soon after the wait make it longer, up to a limit', async () => {
  const delivery = await waitingDelivery()
  for (let rounds = 2; rounds <= limits.ackGraceRoundsMax + 1; rounds++) {
    let written = 64
    for (let batch = 0; batch < 4 && written > 0; batch++) {
      written = await writtenOf(delivery, `${rounds} ${batch}`, 64, { rounds, isAcknowledged: true })
      // The rounds that remain, so that the next batch begins with a first one.
      while (delivery.timers.length > 0) delivery.round()
    }
    expect([rounds, written]).toEqual([rounds, rounds > limits.ackGraceRoundsMax ? 64 : 0])
  }
})

test('acknowledgements that do not come make the wait short again', async () => {
  const delivery = await waitingDelivery()
  for (const name of ['a', 'b']) {
    await writtenOf(delivery, name, 64, { rounds: 2, isAcknowledged: true })
  }
  const two = { rounds: 2, isAcknowledged: false }
  expect(await writtenOf(delivery, 'c', 64, two)).toBe(0)
  while (delivery.timers.length > 0) delivery.round()
  await writtenOf(delivery, 'd', 64, { rounds: 3, isAcknowledged: false })
  expect(await writtenOf(delivery, 'e', 64, two)).toBe(64)
})

test('no timer runs while nothing waits', async () => {
  const { timers, accept, phone, round } = await waitingDelivery()
  expect(timers.length).toBe(0)
  for (const name of ['a', 'b', 'c']) accept(name)
  expect(timers.length).toBe(1)
  for (const name of ['a', 'b', 'c']) phone.acknowledge(name)
  round()
  round()
  expect(timers.length).toBe(0)
})

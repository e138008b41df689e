import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { nowSeconds } from '../store/store-fixture.ts'
import { deliveryOver, notificationFor, topic } from './delivery-fixture.ts'
import { ManualStore } from './manual-store.ts'

/** Outcomes as they come, so that a test can say "not yet". */
function watch<T>(promise: Promise<T>): { value: T | undefined } {
  const seen: { value: T | undefined } = { value: undefined }
  promise.then((value) => {
    seen.value = value
  })
  return seen
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

async function onlinePhone() {
  const store = new ManualStore()
  const fixture = deliveryOver(store)
  const phone = fixture.connect()
  await store.answerReads()
  return { store, phone, ...fixture }
}

test('offline: accepted when it is on disk, not before', async () => {
  const store = new ManualStore()
  const { accept } = deliveryOver(store)
  const outcome = watch(accept('hello'))
  await turn()
  expect(outcome.value).toBeUndefined()
  store.commit()
  await turn()
  expect(outcome.value).toBe('accepted')
  expect(store.rows.size).toBe(1)
})

test('online: an acknowledgement before the commit starts accepts it, and nothing is ever written', async () => {
  const { store, phone, accept } = await onlinePhone()
  const outcome = watch(accept('hello'))
  expect(phone.names).toEqual(['hello'])
  phone.acknowledge('hello')
  await turn()
  expect(outcome.value).toBe('accepted')
  store.commit()
  expect(store.rows.size).toBe(0)
  expect(store.calls).toEqual(['cancel'])
})

test('online: an acknowledgement during the commit accepts it and deletes it behind the commit', async () => {
  const { store, phone, accept } = await onlinePhone()
  const outcome = watch(accept('hello'))
  store.beginCommit()
  phone.acknowledge('hello')
  await turn()
  expect(outcome.value).toBe('accepted')
  store.endCommit()
  expect(store.rows.size).toBe(1)
  store.commit()
  expect(store.rows.size).toBe(0)
})

test('online: the commit accepts it, the acknowledgement deletes it', async () => {
  const { store, phone, accept } = await onlinePhone()
  const outcome = watch(accept('hello'))
  store.commit()
  await turn()
  expect(outcome.value).toBe('accepted')
  expect(store.rows.size).toBe(1)
  phone.acknowledge('hello')
  store.commit()
  expect(store.rows.size).toBe(0)
})

test('the commit fails: the provider is told, once', async () => {
  const { store, phone, accept } = await onlinePhone()
  const outcome = watch(accept('hello'))
  store.beginCommit()
  store.endCommit('failed')
  await turn()
  expect(outcome.value).toBe('failed')
  phone.acknowledge('hello')
  expect(store.calls).toEqual([])
})

test('the store is full: busy, and nothing is sent', async () => {
  const { store, phone, accept } = await onlinePhone()
  store.isFull = true
  expect(await accept('hello')).toBe('busy')
  expect(await accept('hello', { device: 2 })).toBe('busy')
  expect(phone.got).toEqual([])
})

interface OnceCase {
  readonly name: string
  readonly expiration: number
  readonly isOnline: boolean
}
test.each<OnceCase>([
  { name: 'expiration 0, online: sent once', expiration: 0, isOnline: true },
  { name: 'expiration 0, offline: discarded', expiration: 0, isOnline: false },
  { name: 'already expired, online: sent once', expiration: nowSeconds, isOnline: true },
  { name: 'already expired, offline: discarded', expiration: nowSeconds - 1, isOnline: false },
])('$name, accepted at once, never stored', async ({ expiration, isOnline }) => {
  const store = new ManualStore()
  const { accept, connect } = deliveryOver(store)
  const phone = isOnline ? connect() : undefined
  await store.answerReads()
  expect(await accept('now', { expiration })).toBe('accepted')
  store.commit()
  expect(store.rows.size).toBe(0)
  if (phone === undefined) return
  expect(phone.names).toEqual(['now'])
  phone.acknowledge('now')
  expect(store.calls).toEqual([])
})

test('`done` is called in the same turn where nothing has to be waited for', () => {
  const { delivery } = deliveryOver(new ManualStore())
  let outcome = ''
  delivery.accept(notificationFor('now', { expiration: 0 }), 1, (_context, value) => {
    outcome = value
  })
  expect(outcome).toBe('accepted')
})

test('a life is at most 30 days', async () => {
  const store = new ManualStore()
  const { accept } = deliveryOver(store)
  void accept('long', { expiration: nowSeconds + 365 * 86_400 })
  store.commit()
  expect([...store.rows.values()][0]!.expiration).toBe(nowSeconds + limits.storedLifeSecondsMax)
})

test('the app’s inbox setting is used', async () => {
  const store = new ManualStore()
  const { accept, settings } = deliveryOver(store)
  settings.inboxMax = 2
  for (const name of ['a', 'b', 'c']) void accept(name)
  store.commit()
  expect(store.rows.size).toBe(2)
})

test('an ignored topic: accepted and dropped', async () => {
  const { store, phone, accept } = await onlinePhone()
  phone.wishes.set(topic, 'drop')
  expect(await accept('never')).toBe('accepted')
  store.commit()
  expect([phone.got, store.rows.size]).toEqual([[], 0])
})

test('nobody takes the token: it becomes inactive and the message is gone', async () => {
  const { store, phone, accept, deactivated } = await onlinePhone()
  void accept('hello')
  store.commit()
  phone.acknowledge('hello', 2)
  store.commit()
  expect(deactivated).toEqual(['01'.repeat(32)])
  expect(store.rows.size).toBe(0)
})

test.each([1, 3, 5, 255])(
  'status %i means that the device has given it up: gone, the token lives',
  async (status) => {
    const { store, phone, accept, deactivated } = await onlinePhone()
    void accept('hello')
    store.commit()
    phone.acknowledge('hello', status)
    store.commit()
    expect([deactivated, store.rows.size]).toEqual([[], 0])
  },
)

test('acknowledgements of nothing are ignored', async () => {
  const { store, phone, accept } = await onlinePhone()
  void accept('hello')
  phone.inbox.acknowledged(12345, 0)
  phone.acknowledge('hello')
  phone.acknowledge('hello')
  expect(store.calls).toEqual(['cancel'])
})

test('the apns-id travels as its 16 bytes, whatever its case', async () => {
  const store = new ManualStore()
  const { accept } = deliveryOver(store)
  void accept('hello', { apnsId: '01234567-89ab-CDEF-0123-456789abcdef' })
  store.commit()
  expect(Buffer.from([...store.rows.values()][0]!.apnsId).toString('hex')).toBe(
    '0123456789abcdef0123456789abcdef',
  )
})

test('a device in another process: durable first, then its node is woken', async () => {
  const store = new ManualStore()
  const { accept, bus } = deliveryOver(store)
  const woken: number[] = []
  bus.find = () => ({ inbox: undefined, node: 'courier-2' })
  bus.wake = (device) => void woken.push(device)
  const outcome = watch(accept('hello'))
  expect(woken).toEqual([])
  store.commit()
  await turn()
  expect([woken, outcome.value, store.rows.size]).toEqual([[1], 'accepted', 1])
})

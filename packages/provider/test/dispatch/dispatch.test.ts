import { join } from 'node:path'
import { type Database, DatabaseError, openDatabase } from '@carillon/database'
import { describe, expect, onTestFinished, test } from 'vitest'
import { providerLimits, providerMigrations } from '../../src/index.ts'
import { Outbox } from '../../src/outbox/outbox.ts'
import {
  accepted,
  allAre,
  bundleId,
  credentials,
  ManualClock,
  newToken,
  PushServiceDouble,
  rejected,
  start,
  temporaryDirectory,
  token,
} from '../support/world.ts'

const message = { token, notification: { title: 'x' } }
/** Tried, and to be tried again. */
const waits = (recipients: readonly { state: string; attempts: number }[]) =>
  recipients.every(({ state, attempts }) => state === 'waiting' && attempts > 0)

async function startWithClock() {
  const clock = new ManualClock()
  const world = await start({ now: clock.now, after: clock.after })
  await world.prepare()
  return { clock, ...world }
}

describe('a token that is dead', () => {
  test.each([
    ['Unregistered', 410],
    ['ExpiredToken', 410],
  ])(
    'is retired after %s: the next message is refused with the reason, until it is registered again',
    async (reason, status) => {
      const { call, send, service, recipientsUntil, clock } = await startWithClock()
      service.answer = () => rejected(status, reason, { tokenIsDead: true, timestamp: clock.time })
      const id = await send(message)
      expect(await recipientsUntil(id, allAre('failed'))).toMatchObject([{ status, reason, attempts: 1 }])
      expect((await call('GET', `/v1/devices/${token}`)).body).toMatchObject({ retiredReason: reason })
      expect(await call('POST', '/v1/messages', { message })).toMatchObject({
        status: 410,
        body: { code: 'DEVICE_RETIRED', reason, detail: expect.stringContaining('2026-11-21T12:00:00.000Z') },
      })
      expect(service.pushes).toHaveLength(1)

      clock.time += 1
      const again = await call('PUT', `/v1/devices/${token}`, { bundleId, environment: 'sandbox' })
      expect(again.body.retiredAt).toBeUndefined()
      service.answer = accepted
      await recipientsUntil(await send(message), allAre('sent'))
    },
  )

  test('among living ones fails alone', async () => {
    const { call, send, service, recipientsUntil } = await startWithClock()
    const alive = newToken()
    await call('PUT', `/v1/devices/${alive}`, { bundleId, environment: 'sandbox' })
    service.answer = () => rejected(410, 'Unregistered', { tokenIsDead: true })
    await recipientsUntil(await send(message), allAre('failed'))
    service.answer = accepted
    const id = await send({ tokens: [token, alive], notification: { title: 'both' } })
    const recipients = await recipientsUntil(id, ([, second]) => second!.state === 'sent')
    expect(recipients[0]).toMatchObject({
      token,
      state: 'failed',
      attempts: 0,
      status: 410,
      reason: 'Unregistered',
    })
    expect(service.pushes.at(-1)).toMatchObject({ deviceToken: alive })
  })

  test('lives when the app registered it after the time that the service speaks of, and the push is tried again', async () => {
    const { call, send, service, recipientsUntil, clock } = await startWithClock()
    const registeredAt = clock.time
    service.answer = () => rejected(410, 'Unregistered', { tokenIsDead: true, timestamp: registeredAt - 1 })
    const id = await send(message)
    await recipientsUntil(id, waits)
    expect((await call('GET', `/v1/devices/${token}`)).body.retiredAt).toBeUndefined()
    service.answer = accepted
    clock.advance(60_000)
    const [recipient] = await recipientsUntil(id, allAre('sent'))
    expect(recipient!.attempts).toBe(2)
  })

  test('is retired when the time is that of the registration itself', async () => {
    const { call, send, service, recipientsUntil, clock } = await startWithClock()
    service.answer = () => rejected(410, 'Unregistered', { tokenIsDead: true, timestamp: clock.time })
    await recipientsUntil(await send(message), allAre('failed'))
    expect((await call('GET', `/v1/devices/${token}`)).body.retiredAt).toBeDefined()
  })

  test('without a timestamp, a registration during the attempt saves it', async () => {
    const { call, send, service, recipientsUntil, clock } = await startWithClock()
    service.answer = async () => {
      clock.time += 5
      await call('PUT', `/v1/devices/${token}`, { bundleId, environment: 'sandbox' })
      return rejected(410, 'Unregistered', { tokenIsDead: true })
    }
    await recipientsUntil(await send(message), waits)
    expect((await call('GET', `/v1/devices/${token}`)).body.retiredAt).toBeUndefined()
  })

  test('BadDeviceToken fails the message but not the registration: most often the environment is wrong', async () => {
    const { call, send, service, recipientsUntil } = await startWithClock()
    service.answer = () => rejected(400, 'BadDeviceToken')
    expect(await recipientsUntil(await send(message), allAre('failed'))).toMatchObject([
      { reason: 'BadDeviceToken' },
    ])
    expect((await call('GET', `/v1/devices/${token}`)).body.retiredAt).toBeUndefined()
  })
})

describe('trying again', () => {
  test.each([
    ['no answer', 0, 'ConnectionLost'],
    ['a service at fault', 503, 'ServiceUnavailable'],
    ['too many requests', 429, 'TooManyRequests'],
    ['an expired provider token', 403, 'ExpiredProviderToken'],
  ])('after %s, with the same apns-id, until it is sent', async (_name, status, reason) => {
    const { send, service, recipientsUntil, clock } = await startWithClock()
    let left = 3
    service.answer = (push) => (left-- > 0 ? rejected(status, reason, { retryable: true }) : accepted(push))
    const id = await send(message)
    for (let attempt = 1; attempt <= 3; attempt++) {
      const [recipient] = await recipientsUntil(
        id,
        ([one]) => one!.state === 'waiting' && one!.attempts === attempt,
      )
      expect(recipient).toMatchObject({ status, reason })
      expect(Date.parse(recipient!.nextAttemptAt!)).toBeGreaterThanOrEqual(clock.time)
      // Longer than any pause: Apple's 15 minutes and the widest span.
      clock.advance(76 * 60_000)
    }
    const [recipient] = await recipientsUntil(id, allAre('sent'))
    expect(recipient!.attempts).toBe(4)
    expect(service.pushes.map(({ apnsId }) => apnsId)).toEqual([id, id, id, id])
  })

  test('ends when the message expires', async () => {
    const { send, service, recipientsUntil, clock } = await startWithClock()
    service.answer = () => rejected(0, 'ConnectFailed', { retryable: true })
    const id = await send({ ...message, ttlSeconds: 10 })
    await recipientsUntil(id, waits)
    clock.advance(10_000)
    const [recipient] = await recipientsUntil(id, allAre('expired'))
    expect(recipient!.attempts).toBeGreaterThan(1)
    expect(service.pushes.length).toBeLessThan(recipient!.attempts)
  })

  test('a message of "now or never" is tried for half a minute, with expiration 0', async () => {
    const { send, service, recipientsUntil, clock } = await startWithClock()
    service.answer = () => rejected(0, 'ConnectFailed', { retryable: true })
    const id = await send({ ...message, ttlSeconds: 0 })
    await recipientsUntil(id, waits)
    expect(service.pushes[0]!.expiration).toBe(0)
    clock.advance(providerLimits.immediateMsMax)
    await recipientsUntil(id, allAre('expired'))
  })

  test('what the service refuses for good is not tried again', async () => {
    const { send, service, recipientsUntil, clock } = await startWithClock()
    service.answer = () => rejected(400, 'TopicDisallowed')
    const id = await send(message)
    expect(await recipientsUntil(id, allAre('failed'))).toMatchObject([
      { reason: 'TopicDisallowed', attempts: 1 },
    ])
    clock.advance(providerLimits.sleepMsMax)
    expect(service.pushes).toHaveLength(1)
  })
})

test('an app whose service does not answer does not hold up another', async () => {
  const { call, send, service, recipientsUntil } = await startWithClock()
  await call('POST', '/v1/apps', {
    bundleId: 'com.example.stuck',
    environments: { sandbox: { credentials } },
  })
  const released = Promise.withResolvers<void>()
  service.answer = async (push) => {
    if (push.topic === 'com.example.stuck') await released.promise
    return accepted(push)
  }
  const stuck: string[] = []
  for (let batch = 0; batch < 2; batch++) {
    const tokens = Array.from({ length: 800 }, newToken)
    stuck.push(
      await send({
        tokens,
        bundleId: 'com.example.stuck',
        environment: 'sandbox',
        notification: { title: 'x' },
      }),
    )
  }
  await service.received(providerLimits.inFlightPerLaneMax)
  await recipientsUntil(await send(message), allAre('sent'))
  expect(service.pushes).toHaveLength(providerLimits.inFlightPerLaneMax + 1)
  released.resolve()
  for (const id of stuck) await recipientsUntil(id, allAre('sent'))
  expect(service.pushes).toHaveLength(1601)
})

describe('leases', () => {
  async function outboxWithOne() {
    const file = join(temporaryDirectory(), 'provider.sqlite')
    const database = await openDatabase({ engine: 'sqlite', file, migrations: providerMigrations })
    const outbox = new Outbox(database)
    const stored = {
      id: 'm',
      bundleId,
      topic: bundleId,
      pushType: 'alert',
      priority: 10,
      expiration: 1,
      collapseId: undefined,
      payload: '{}',
      createdAt: 1000,
      expiresAt: 1e12,
    } as const
    await outbox.accept(stored, [{ token, environment: 'sandbox', apnsId: 'a' }], undefined)
    const claim = (owner: string, now: number) => outbox.claim(bundleId, 'sandbox', owner, now, 10)
    const finish = (recipient: Awaited<ReturnType<typeof claim>>[number], owner: string) =>
      new Promise<void>((resolve, reject) =>
        outbox.finish(
          { recipient, state: 'sent', dueAt: undefined, status: 200, reason: undefined, answeredAt: 1 },
          owner,
          (error) => (error ? reject(error) : resolve()),
        ),
      )
    const state = async () => (await outbox.recipients('m'))[0]!
    return { database, outbox, claim, finish, state }
  }

  test('a claimed recipient is nobody else’s until the lease ends; then it returns by itself', async () => {
    const { database, outbox, claim } = await outboxWithOne()
    expect(await claim('first', 999)).toEqual([])
    expect(await claim('first', 1000)).toMatchObject([{ attempts: 1, apnsId: 'a' }])
    expect(await claim('second', 1000 + providerLimits.leaseMs - 1)).toEqual([])
    expect(await outbox.nextDueAt(bundleId, 'sandbox')).toBe(1000 + providerLimits.leaseMs)
    expect(await claim('second', 1000 + providerLimits.leaseMs)).toMatchObject([{ attempts: 2, apnsId: 'a' }])
    await database.close()
  })

  test('an owner that lost its lease cannot write its outcome any more', async () => {
    const { database, claim, finish, state } = await outboxWithOne()
    const [late] = await claim('first', 1000)
    const [current] = await claim('second', 1000 + providerLimits.leaseMs)
    await finish(late!, 'first')
    expect(await state()).toMatchObject({ state: 'sending' })
    await finish(current!, 'second')
    expect(await state()).toMatchObject({ state: 'sent', attempts: 2 })
    await database.close()
  })

  test('a start ends the leases of those who are gone', async () => {
    const { database, outbox, claim } = await outboxWithOne()
    await claim('gone', 1000)
    await outbox.endLeases(2000)
    expect(await claim('new', 2000)).toHaveLength(1)
    await database.close()
  })
})

test('messages are deleted when they were kept long enough, with their recipients', async () => {
  const clock = new ManualClock()
  const world = await start({ now: clock.now, after: clock.after })
  await world.prepare()
  const id = await world.send(message)
  await world.recipientsUntil(id, allAre('sent'))
  clock.advance(providerLimits.messageKeptMs + 1)
  let answer = await world.call('GET', `/v1/messages/${id}`)
  while (answer.status === 200) {
    clock.advance(providerLimits.sweepEveryMs)
    answer = await world.call('GET', `/v1/messages/${id}`)
  }
  expect(answer.status).toBe(404)
})

test('an app that cannot be served is tried less and less often, and fills no log', async () => {
  const clock = new ManualClock()
  const service = new PushServiceDouble()
  let isBroken = false
  let failed = Promise.withResolvers<unknown>()
  const { prepare, send, recipientsUntil } = await start({
    now: clock.now,
    after: clock.after,
    connectPushClient: (options) => {
      if (isBroken) throw new Error('its service is gone')
      return service.connect(options)
    },
    onFailure: (error) => failed.resolve(error),
  })
  await prepare()
  isBroken = true
  const id = await send(message)
  const waits = [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]
  for (const waitMs of waits) {
    expect(await failed.promise).toMatchObject({ message: 'its service is gone' })
    failed = Promise.withResolvers()
    clock.advance(waitMs)
  }
  await failed.promise
  isBroken = false
  clock.advance(60_000)
  await recipientsUntil(id, allAre('sent'))
})

test('a message that could not be read for a moment is sent a second later, not when its lease ends', async () => {
  const clock = new ManualClock()
  const file = join(temporaryDirectory(), 'provider.sqlite')
  const database = await openDatabase({ engine: 'sqlite', file, migrations: providerMigrations })
  onTestFinished(() => database.close())
  const first = await start({ now: clock.now, after: clock.after, database })
  await first.prepare()
  first.service.answer = () => rejected(503, 'ServiceUnavailable', { retryable: true })
  const id = await first.send(message)
  await first.recipientsUntil(id, waits)
  await first.provider.close()

  let failuresLeft = 1
  const busy = new DatabaseError('DATABASE_BUSY', 'Too many reads.')
  const get: Database['get'] = (statement, parameters) =>
    statement.sql.startsWith('SELECT * FROM message') && failuresLeft-- > 0
      ? Promise.reject(busy)
      : database.get(statement, parameters)
  const flaky = new Proxy(database, {
    get(target, name) {
      const value = name === 'get' ? get : Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  clock.advance(30 * 60_000)
  const told = Promise.withResolvers<unknown>()
  const world = { now: clock.now, after: clock.after, database: flaky, onFailure: told.resolve }
  const second = await start(world)
  expect(await told.promise).toBe(busy)
  await second.recipientsUntil(id, ([recipient]) => recipient?.reason === 'OutboxBusy')
  clock.advance(1000)
  await second.recipientsUntil(id, allAre('sent'))
})

import { courierCapabilities, courierExtensions, topicHash } from '@carillon/wire'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { HandledNotifications } from '../../src/session/handled-notifications.ts'
import { identity, SessionWorld, startMs } from '../support/session-world.ts'
import { appToken } from '../support/test-courier.ts'

const topic = topicHash('dev.example.app')
const ours = courierExtensions.resume | courierExtensions.closeReason
const id = (n: number) => new Uint8Array(16).fill(n)

describe('keep-alives timed by the courier', () => {
  const timed = () => {
    const world = SessionWorld.connected({ keepAliveSeconds: 600 })
    return world
  }
  const question = { type: 'keepAlive', intervalMinutes: 10, replyAfter: 600 }

  test('the reply that comes when its time is over is answered with the next question', () => {
    const world = timed()
    world.say({ type: 'keepAliveReceipt' })
    world.pass(600_000)
    expect(world.sent).toEqual([])
    world.say({ type: 'keepAliveReply' })
    expect(world.sent).toEqual([question])
    world.say({ type: 'keepAliveReceipt' })
    world.pass(600_000 + limits.keepAliveLateMsMax)
    expect(world.ends).toEqual([])
    world.pass(1)
    expect(world.ends).toEqual([{ why: 'lost', detail: 'the courier did not answer a keep-alive' }])
  })

  test('a courier that replies at once is asked after silences instead, not again and again', () => {
    const world = timed()
    world.say({ type: 'keepAliveReply' }, { type: 'keepAliveReply' })
    expect(world.sent).toEqual([])
    world.pass(limits.keepAliveMs + 1)
    expect(world.sent).toEqual([{ type: 'keepAlive', intervalMinutes: limits.keepAliveMs / 60_000 }])
  })

  test('the courier may ask at any time', () => {
    const world = timed()
    world.say({ type: 'keepAliveRequest' })
    expect(world.sent).toEqual([question])
  })
})

describe('resume', () => {
  test('the next connection names what was acknowledged and not answered since, once', () => {
    const handled = new HandledNotifications()
    const first = SessionWorld.connected({ extensions: ours }, handled)
    first.say({ type: 'keepAliveReply' })
    first.session.acknowledge(1, appToken, 'ok', id(1))
    first.session.acknowledge(2, appToken, 'gone', id(2))
    first.session.acknowledge(3, appToken, 'ok', id(3))
    first.session.transportLost('cable')
    // Kept too late for its connection: the courier will send it again, unless it is named.
    first.session.acknowledge(4, appToken, 'ok', id(4))
    const second = SessionWorld.connected({ extensions: ours }, handled)
    second.session.setTopics([topic])
    second.session.setTopics([])
    expect(second.sent).toMatchObject([
      { type: 'filter', enabled: [topic], handled: [id(1), id(3), id(4)] },
      { type: 'filter' },
    ])
    expect(second.sent[1]).not.toHaveProperty('handled')
  })

  test('nothing is named to a courier that does not know it', () => {
    const handled = new HandledNotifications()
    handled.acknowledged(id(1))
    const world = SessionWorld.connected({}, handled)
    world.session.setTopics([topic])
    expect(world.sent[0]).not.toHaveProperty('handled')
  })
})

describe('filter replies', () => {
  const confirming = () => SessionWorld.connected({ capabilities: courierCapabilities.filterReplies })

  test('a filter carries its version, and a confirmation of the last one ends the wait', () => {
    const world = confirming()
    world.session.setTopics([topic])
    world.session.setTopics([])
    expect(world.sent).toMatchObject([{ version: 1n }, { version: 2n }])
    world.say({ type: 'filterReply', version: 2n, status: 0 })
    world.pass(limits.filterReplyMsMax + 1)
    expect(world.ends).toEqual([])
  })

  test('a filter that is not confirmed means that the connection is broken', () => {
    const world = confirming()
    world.session.setTopics([topic])
    world.say({ type: 'filterReply', version: 0n })
    world.pass(limits.filterReplyMsMax)
    expect(world.ends).toEqual([])
    world.pass(1)
    expect(world.ends).toMatchObject([{ why: 'lost' }])
  })
})

test('what the courier says before it closes is told, with the time to stay away', () => {
  const world = SessionWorld.connected({ extensions: ours })
  world.say({ type: 'closing', reason: 'shutdown', retryAfterMs: 5000 })
  expect(world.ends).toEqual([])
  world.session.transportLost('the courier closed the connection')
  expect(world.ends).toEqual([
    { why: 'lost', detail: 'the courier closed the connection (shutdown)', retryAfterMs: 5000 },
  ])
})

describe('a key that signs elsewhere', () => {
  const start = { clockMs: startMs, random: new Uint8Array(8) }

  test('is waited for', async () => {
    const signed = Promise.resolve(Uint8Array.of(7))
    const world = new SessionWorld(undefined, { ...identity, sign: () => signed })
    world.session.start(start)
    expect(world.sent).toEqual([])
    await signed
    await Promise.resolve()
    expect(world.sent).toMatchObject([{ type: 'connect', signature: Uint8Array.of(1, 2, 7) }])
  })

  test('that fails ends the session', async () => {
    const world = new SessionWorld(undefined, {
      ...identity,
      sign: () => Promise.reject(new Error('locked')),
    })
    world.session.start(start)
    await new Promise((resolve) => setImmediate(resolve))
    expect(world.ends).toEqual([{ why: 'lost', detail: "the device's key does not sign: locked" }])
  })
})

describe('power', () => {
  const onBattery = { plugged: false, lowPower: false, screenOn: false }

  test.each([
    [onBattery, 0],
    [{ ...onBattery, plugged: true }, 1],
    [{ ...onBattery, lowPower: true }, 2],
    [{ ...onBattery, screenOn: true }, 4],
    [{ plugged: true, lowPower: true, screenOn: true }, 7],
  ])('%o is told as %i', (power, bits) => {
    const world = SessionWorld.connected({ extensions: courierExtensions.power })
    world.session.reportPower(power)
    expect(world.sent).toMatchObject([{ type: 'state', state: 1, power: bits }])
  })

  test('a courier that did not agree to hear of it is told nothing', () => {
    const world = SessionWorld.connected({ extensions: courierExtensions.installation })
    world.session.reportPower(onBattery)
    expect(world.sent).toEqual([])
  })
})

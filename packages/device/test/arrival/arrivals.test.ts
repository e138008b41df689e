import { hexText, type MessageOf, topicHash } from '@carillon/wire'
import { beforeEach, describe, expect, test } from 'vitest'
import { ClientApp } from '../../src/app/client-app.ts'
import { Arrivals } from '../../src/arrival/arrivals.ts'
import type { DeviceFiles } from '../../src/state/device-files.ts'
import { DeviceState } from '../../src/state/device-state.ts'
import { NotificationJournal } from '../../src/state/notification-journal.ts'
import { SessionWorld } from '../support/session-world.ts'
import { afterTest, temporaryFiles } from '../support/temporary.ts'
import { apnsIdOf, appToken, notification } from '../support/test-courier.ts'
import { bundleId, EventLog } from '../support/test-phone.ts'

const installed = { bundleId, environment: 'sandbox', installation: '0102030405060708' } as const

let files: DeviceFiles
let world: Awaited<ReturnType<typeof arrivalWorld>>
beforeEach(async () => {
  files = await temporaryFiles()
  world = await arrivalWorld()
  await world.state.addApp(installed)
})

/** Arrivals on real files, and a courier in memory. */
async function arrivalWorld() {
  const state = await DeviceState.open(files)
  const journal = await NotificationJournal.open(files)
  afterTest(() => journal.close())
  const log = new EventLog()
  const app = new ClientApp(bundleId, {
    register: () => Promise.reject(new Error('not here')),
    subscribe: () => Promise.reject(new Error('not here')),
    unsubscribe: () => Promise.reject(new Error('not here')),
    channelsOf: () => [],
    opened: () => {},
    failed: (error) => log.record({ event: 'failed', code: 'APP', message: String(error) }),
  })
  let drawn = 0
  const arrivals = new Arrivals({
    state,
    journal,
    random: (bytes) => new Uint8Array(bytes).fill(++drawn),
    appOf: () => app,
    tell: log.record,
    showKeptBroadcast: () => false,
    activityStarted: () => {},
    presented: () => {},
    failed: (error) => log.record({ event: 'failed', code: 'DEVICE', message: String(error) }),
  })
  const courier = SessionWorld.connected()
  const arrive = (n: number, fields: Partial<MessageOf<'notification'>> = {}) =>
    arrivals.arrived('sandbox', notification(bundleId, n, fields), courier.session)
  const acks = () =>
    courier.sent
      .filter(({ type }) => type === 'ack')
      .map((ack) => [(ack as MessageOf<'ack'>).id, (ack as MessageOf<'ack'>).status])
  return { state, journal, log, app, arrivals, courier, arrive, acks }
}

test('is shown, handed to the app and acknowledged with its own id and token', async () => {
  const { app, log, arrivals, arrive, courier } = world
  const received: unknown[] = []
  app.onNotification((one) => received.push(one))
  arrive(1)
  await arrivals.settled()
  expect(log.events).toMatchObject([
    {
      event: 'notification',
      bundleId,
      apnsId: apnsIdOf(1),
      payload: { aps: { alert: 'number 1' } },
      shown: { kind: 'banner', body: 'number 1' },
    },
  ])
  expect(received).toMatchObject([{ apnsId: apnsIdOf(1), shown: { body: 'number 1' } }])
  expect(courier.sent).toEqual([{ type: 'ack', id: 1, status: 0, token: appToken }])
})

test('what is shown depends on the state of the app', async () => {
  const { app, log, arrivals, arrive } = world
  app.state = 'foreground'
  arrive(1)
  await arrivals.settled()
  app.foreground = { banner: true }
  arrive(2)
  await arrivals.settled()
  app.state = 'background'
  app.allowsAlerts = false
  arrive(3)
  await arrivals.settled()
  expect(log.all('notification').map(({ shown }) => shown.kind)).toEqual(['app', 'banner', 'none'])
})

describe('twice', () => {
  test('while the first is being written: shown once, acknowledged twice', async () => {
    const { log, arrivals, arrive, acks } = world
    arrive(1)
    arrive(1, { id: 7 })
    await arrivals.settled()
    arrive(1, { id: 8 })
    await arrivals.settled()
    expect(log.shown).toEqual([apnsIdOf(1)])
    expect(acks().sort()).toEqual([
      [1, 0],
      [7, 0],
      [8, 0],
    ])
  })

  test('without an id, a foreign courier’s is known by its token and time', async () => {
    const { log, arrivals, courier } = world
    const foreign = (id: number, fields: Partial<MessageOf<'notification'>>) => {
      const { tracingId: _, ...message } = notification(bundleId, 1, { id, ...fields })
      arrivals.arrived('sandbox', message, courier.session)
    }
    foreign(1, { sentAtNs: 5n })
    foreign(9, { sentAtNs: 5n })
    foreign(1, { sentAtNs: 6n })
    // Nothing to tell them apart by: better shown twice than not at all.
    foreign(1, {})
    foreign(1, {})
    await arrivals.settled()
    expect(log.shown).toEqual([
      `${hexText(appToken)}-5`,
      `${hexText(appToken)}-6`,
      '01'.repeat(16),
      '02'.repeat(16),
    ])
  })
})

test('an acknowledgement never goes to another connection, where its id means another message', async () => {
  const { log, arrivals, arrive, courier } = world
  arrive(1)
  courier.session.transportLost('gone')
  const next = SessionWorld.connected()
  await arrivals.settled()
  expect(log.shown).toEqual([apnsIdOf(1)])
  expect([...courier.sent, ...next.sent]).toEqual([])
  arrivals.arrived('sandbox', notification(bundleId, 1, { id: 4 }), next.session)
  await arrivals.settled()
  expect(log.shown).toHaveLength(1)
  expect(next.sent).toMatchObject([{ type: 'ack', id: 4, status: 0 }])
})

describe('for nobody', () => {
  test.each([
    ['an unknown topic', { topicHash: topicHash('com.example.other') }],
    ['a hash of another length', { topicHash: Uint8Array.of(1) }],
  ])('%s: "no recipient", and nothing is kept', async (_what, fields) => {
    const { log, arrivals, arrive, acks, journal } = world
    arrive(1, fields)
    await arrivals.settled()
    expect(acks()).toEqual([[1, 2]])
    expect(log.events).toEqual([])
    expect(await journal.keep({ apnsId: apnsIdOf(1), bundleId, payload: {} })).toBe('new')
  })

  test('an app of the other environment', async () => {
    const { arrivals, courier, acks } = world
    arrivals.arrived('production', notification(bundleId, 1), courier.session)
    await arrivals.settled()
    expect(acks()).toEqual([[1, 2]])
  })

  test.each([false, true])(
    'an app that is removed while its notification is written (installed anew: %s)',
    async (anew) => {
      const { log, arrivals, arrive, acks, state } = world
      arrive(1)
      void state.removeApp(bundleId)
      if (anew) void state.addApp({ ...installed, installation: 'ffffffffffffffff' })
      await arrivals.settled()
      expect(log.events).toEqual([])
      expect(acks()).toEqual([[1, 2]])
      await state.settled()
      const later = await arrivalWorld()
      later.arrivals.showLeftOver()
      expect(later.log.events).toEqual([])
    },
  )
})

describe('after a crash', () => {
  test('what was kept and not shown is shown once, also when the courier brings it again', async () => {
    await Promise.all([1, 2].map((n) => world.journal.keep({ apnsId: apnsIdOf(n), bundleId, payload: {} })))
    const { log, arrivals, arrive, acks } = await arrivalWorld()
    arrive(1)
    arrivals.showLeftOver()
    arrive(2)
    arrivals.showLeftOver()
    await arrivals.settled()
    expect(log.shown).toEqual([apnsIdOf(1), apnsIdOf(2)])
    expect(acks()).toEqual([
      [1, 0],
      [2, 0],
    ])
    const third = await arrivalWorld()
    third.arrivals.showLeftOver()
    expect(third.log.events).toEqual([])
  })

  test('an app that is launched while its notification is written does not get it twice', async () => {
    const { log, arrivals, arrive } = world
    arrive(1)
    arrivals.showLeftOver()
    await arrivals.settled()
    arrivals.showLeftOver()
    expect(log.shown).toEqual([apnsIdOf(1)])
  })

  test('what was for an app that was removed since is dropped for good', async () => {
    await world.journal.keep({ apnsId: apnsIdOf(1), bundleId, payload: {} })
    await world.state.removeApp(bundleId)
    const later = await arrivalWorld()
    later.arrivals.showLeftOver()
    await later.state.addApp(installed)
    const third = await arrivalWorld()
    third.arrivals.showLeftOver()
    expect([...later.log.events, ...third.log.events]).toEqual([])
  })
})

test.each(['', '{', '[]', 'null', '"text"', '17', '{"aps":[]}', '{"aps":{"alert":{"title":7}}}'])(
  'the payload %j shows nothing, and is acknowledged',
  async (text) => {
    const { log, arrivals, arrive, acks } = world
    arrive(1, { payload: Buffer.from(text) })
    await arrivals.settled()
    expect(log.all('notification')).toMatchObject([{ shown: { kind: 'none', title: undefined } }])
    expect(acks()).toEqual([[1, 0]])
  },
)

test('the badge stays when the same app’s token arrives meanwhile', async () => {
  const { arrivals, arrive, state } = world
  arrive(1, { payload: Buffer.from('{"aps":{"badge":5}}') })
  const saved = state.changeApp(bundleId, { deviceToken: 'cc' })
  await arrivals.settled()
  await saved
  await state.settled()
  expect((await DeviceState.open(files)).app(bundleId)).toMatchObject({ badge: 5, deviceToken: 'cc' })
})

test('a listener that throws is told of, and keeps nothing from anybody', async () => {
  const { app, log, arrivals, arrive, acks } = world
  const received: string[] = []
  const stop = app.onNotification(() => {
    throw new Error('oops')
  })
  app.onNotification(({ apnsId }) => received.push(apnsId))
  arrive(1)
  await arrivals.settled()
  expect(log.all('failed')).toEqual([{ event: 'failed', code: 'APP', message: 'Error: oops' }])
  expect(acks()).toEqual([[1, 0]])
  stop()
  arrive(2)
  await arrivals.settled()
  expect(received).toEqual([apnsIdOf(1), apnsIdOf(2)])
  expect(log.all('failed')).toHaveLength(1)
})

test('opening a notification brings the app to the foreground and tells it', () => {
  const { app } = world
  const opened: string[] = []
  const stop = app.onOpened(({ apnsId }) => opened.push(apnsId))
  const one = { apnsId: 'x', bundleId, payload: {}, shown: {} as never }
  app.open(one)
  stop()
  app.open(one)
  expect([app.state, opened]).toEqual(['foreground', ['x']])
})

test('a notification that the disk does not take is not acknowledged, and the connection made anew for it', async () => {
  const { log, arrivals, arrive, acks, courier, journal } = world
  await journal.close()
  arrive(1)
  await arrivals.settled()
  expect(log.events).toMatchObject([{ event: 'failed', code: 'DEVICE' }])
  expect(acks()).toEqual([])
  expect(courier.ends).toEqual([{ why: 'lost', detail: 'a notification could not be kept' }])
})

test('"nothing more in storage" is told after all that came before it was shown', async () => {
  const { log, arrivals, arrive } = world
  arrive(1)
  arrive(2)
  arrivals.storageEmpty('sandbox')
  arrive(3)
  await arrivals.settled()
  const names = log.events.map(({ event }) => event)
  expect(names.indexOf('storageEmpty')).toBeGreaterThanOrEqual(2)
  expect(log.shown).toHaveLength(3)
})

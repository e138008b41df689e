import * as compat from '@carillon/apns/compat/apns2'
import * as original from 'apns2'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { comparable, outcomeOf, sameOutcome, tellReason } from './support/compare-clients.ts'
import { bundleId, type LocalApp } from './support/local-app.ts'
import { startRedirectedApp } from './support/redirect-apple.ts'

type Apns2 = typeof original
type Client = Omit<original.ApnsClient, 'client'>

/** Programs written for the original compile with ours in its place, as long as they leave its pool alone. */
const ours = compat as unknown as Apns2
const exported: Omit<Apns2, 'ApnsClient'> = compat
const client: new (
  options: original.ApnsOptions,
) => Pick<Client, 'send' | 'sendMany' | 'close' | 'destroy' | 'ping' | 'team' | 'host'> = compat.ApnsClient

let app: LocalApp
beforeAll(async () => {
  app = await startRedirectedApp()
})
afterEach(() => app.system.faults.production.clear())
afterAll(() => app.close())

/** The original knows Apple's host alone, and its connections are redirected. */
const options = (apns2: Apns2): original.ApnsOptions => ({
  ...{ team: app.key.teamId, keyId: app.key.keyId, signingKey: app.key.pem, defaultTopic: bundleId },
  ...(apns2 === ours ? { host: 'localhost', port: app.gateway.port, ca: app.caPem } : { keepAlive: false }),
})

async function withClient<T>(
  apns2: Apns2,
  work: (client: original.ApnsClient) => T | Promise<T>,
  more: Partial<original.ApnsOptions> = {},
): Promise<T> {
  const client = new apns2.ApnsClient({ ...options(apns2), ...more })
  try {
    return await work(client)
  } finally {
    await client.destroy()
  }
}

/** Runs a script with both and compares what they said; returns it. */
const same = (script: (apns2: Apns2) => unknown): Promise<unknown> =>
  sameOutcome(app, [original, ours], script, (said) => comparable(plain(said)))

/** Errors of either library as what a program reads of them. */
function plain(value: unknown): unknown {
  if (value instanceof original.ApnsError || value instanceof compat.ApnsError) {
    const { message, statusCode, reason, timestamp, notification, response } = value
    return { message, statusCode, reason, timestamp, notification: { ...notification }, response }
  }
  if (value instanceof Error) return { failed: true }
  if (value instanceof original.Notification || value instanceof compat.Notification) return { ...value }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

const sendOne =
  (fields: object = {}, device?: string) =>
  (apns2: Apns2) =>
    withClient(apns2, (client) =>
      client.send(new apns2.Notification(device ?? app.deviceToken, { alert: 'Hello', ...fields })),
    )

describe('the same results', () => {
  test('constants', () => {
    const constants = ({ Host, Errors, PushType, Priority }: typeof exported) => [
      Host,
      Errors,
      PushType,
      Priority,
    ]
    expect(constants(exported)).toEqual(constants(original))
    expect(client.name).toBe('ApnsClient')
  })

  test.each<[string, object]>([
    ['an alert', {}],
    [
      'with all options',
      { badge: 3, sound: 'a', category: 'c', threadId: 't', mutableContent: true, data: { n: 1 } },
    ],
    ['with priority, collapse id and topic', { priority: 5, collapseId: 'a', topic: bundleId }],
    ['that expires at a date', { expiration: new Date(2_000_000_000_500) }],
    ['that expires at a fraction of a second', { expiration: 2_000_000_000.4 }],
    ['with aps of its own', { alert: undefined, aps: { alert: 'own' } }],
    ['with an empty collapse id', { collapseId: '' }],
    ['with a collapse id that is a number', { collapseId: 17 }],
    ['with a priority that is a text', { priority: '5' }],
  ])('%s is accepted', async (_name, fields) => {
    const said = await same(sendOne(fields))
    expect(said).toMatchObject({ value: { deviceToken: app.deviceToken } })
  })

  test('a silent notification', async () => {
    const said = await same((apns2) =>
      withClient(apns2, async (client) => {
        const silent = new apns2.SilentNotification(app.deviceToken)
        expect(await client.send(silent)).toBe(silent)
        return silent.buildApnsOptions()
      }),
    )
    expect(said).toEqual({ value: { aps: { 'content-available': 1 } } })
  })

  test('data that an object inherits are sent, too', async () => {
    const said = await same((apns2) =>
      new apns2.Notification('', { data: Object.create({ n: 1 }) }).buildApnsOptions(),
    )
    expect(said).toEqual({ value: { aps: {}, n: 1 } })
  })

  test('the phone shows the same', async () => {
    let sent = 0
    await same(async (apns2) => {
      const alert = `shown ${++sent}`
      await sendOne({ alert, data: { n: 1 }, badge: 2 })(apns2)
      const { payload } = await app.waitFor(({ shown }) => shown.body === alert)
      return { ...payload, aps: { ...(payload.aps as object), alert: '' } }
    })
  })

  test.each<[reason: string, fields: object, device?: string]>([
    ['BadDeviceToken', {}, 'nonsense'],
    ['BadDeviceToken', {}, 'ab'.repeat(32)],
    ['MissingDeviceToken', {}, ''],
    ['TopicDisallowed', { topic: 'com.example.other' }],
    ['BadPriority', { priority: 7 }],
    ['BadExpirationDate', { expiration: -1 }],
    ['BadCollapseId', { collapseId: 'a'.repeat(65) }],
    ['InvalidPushType', { type: 'sms' }],
    ['PayloadTooLarge', { alert: 'a'.repeat(5000) }],
  ])('%s is thrown', async (reason, fields, device) => {
    const said = await same(sendOne(fields, device))
    expect(said).toMatchObject({ thrown: { reason } })
  })

  test.each([
    'BadCertificate',
    'BadPath',
    'DeviceTokenNotForTopic',
    'Forbidden',
    'InternalServerError',
    'InvalidProviderToken',
    'MethodNotAllowed',
    'ServiceUnavailable',
    'TooManyRequests',
    'Unregistered',
  ])('%s, told on purpose, is thrown and emitted, after one attempt', async (reason) => {
    const said = await same(async (apns2) => {
      const more = reason === 'Unregistered' ? { timestamp: 1_700_000_000_000 } : { retryAfter: 1 }
      tellReason(app, reason, { times: 1 }, more)
      return withClient(apns2, async (client) => {
        const heard: unknown[] = []
        client.on(reason, (error) => heard.push(['own', error]))
        client.on(apns2.Errors.error, (error) => heard.push(['any', error]))
        const thrown = await outcomeOf(() => client.send(new apns2.Notification(app.deviceToken)))
        return { thrown, heard }
      })
    })
    expect(said).toMatchObject({
      value: {
        thrown: { thrown: { reason } },
        heard: [
          ['own', { reason }],
          ['any', { reason }],
        ],
      },
    })
  })

  test('many, each in its place', async () => {
    const said = await same((apns2) =>
      withClient(apns2, (client) => {
        const devices = [app.deviceToken, 'nonsense', app.deviceToken, '']
        return client.sendMany(devices.map((device, n) => new apns2.Notification(device, { badge: n })))
      }),
    )
    const [accepted, rejected] = [{ options: {} }, { error: { statusCode: 400 } }]
    expect(said).toMatchObject({ value: [accepted, rejected, accepted, rejected] })
  })

  test('an array that is emptied meanwhile: results still belong to their notifications', async () => {
    const said = await same((apns2) =>
      withClient(apns2, (client) => {
        const pushes = [app.deviceToken, 'nonsense'].map((device) => new apns2.Notification(device))
        const sending = client.sendMany(pushes)
        pushes.length = 0
        return sending
      }),
    )
    const error = { notification: { deviceToken: 'nonsense' } }
    expect(said).toMatchObject({ value: [{ deviceToken: app.deviceToken }, { error }] })
  })

  test('a listener that throws fails its own notification and no other', async () => {
    const said = await same((apns2) =>
      withClient(apns2, (client) => {
        client.on(apns2.Errors.badDeviceToken, () => {
          throw new Error('from the listener')
        })
        const devices = ['nonsense', app.deviceToken, app.deviceToken]
        return client.sendMany(devices.map((device) => new apns2.Notification(device)))
      }),
    )
    const accepted = { deviceToken: app.deviceToken }
    expect(said).toMatchObject({ value: [{ error: expect.any(Error) }, accepted, accepted] })
  })

  test('what is pending when the client is destroyed with an error fails with that error', async () => {
    const said = await same(async (apns2) => {
      const fault = { kind: 'latency', ms: 1000 } as const
      app.system.faults.production.set({ rules: [{ id: 'late', fault }] })
      const client = new apns2.ApnsClient(options(apns2))
      const sending = outcomeOf(() => client.send(new apns2.Notification(app.deviceToken)))
      const reason = new Error('the program ends')
      await client.destroy(reason)
      return ((await sending) as { thrown: unknown }).thrown === reason
    })
    expect(said).toEqual({ value: true })
  })

  test('none', () => same((apns2) => withClient(apns2, (client) => client.sendMany([]))))

  test('an answer that is none', async () => {
    const said = await same(async (apns2) => {
      const fault = { kind: 'answer', status: 502, body: '<html>Bad Gateway</html>' } as const
      app.system.faults.production.set({ rules: [{ id: 'proxy', fault }] })
      const outcome = (await outcomeOf(() => sendOne()(apns2))) as { thrown: original.ApnsError }
      const { statusCode, reason, timestamp } = outcome.thrown
      return { statusCode, reason, hasTime: timestamp > 0 }
    })
    expect(said).toEqual({ value: { statusCode: 502, reason: 'UnknownError', hasTime: true } })
  })

  test.each<[string, Partial<original.ApnsOptions>]>([
    ['a key that is none', { signingKey: 'key' }],
    ['no key', { signingKey: undefined as never }],
  ])('%s fails the push, not the constructor, and each of many', async (_name, more) => {
    const said = await same((apns2) =>
      withClient(apns2, (client) => client.send(new apns2.Notification(app.deviceToken)), more),
    )
    expect(said).toMatchObject({ thrown: expect.any(Error) })
    const many = await same((apns2) => {
      const pushes = [1, 2].map((badge) => new apns2.Notification(app.deviceToken, { badge }))
      return withClient(apns2, (client) => client.sendMany(pushes), more)
    })
    expect(many).toMatchObject({ value: [{ error: expect.any(Error) }, { error: expect.any(Error) }] })
  })

  test.each(['close', 'destroy'] as const)('after %s', async (how) => {
    for (const apns2 of [original, ours]) {
      const client = new apns2.ApnsClient(options(apns2))
      await client[how]()
      const push = client.send(new apns2.Notification(app.deviceToken))
      await expect(push).rejects.toMatchObject({ code: 'UND_ERR_DESTROYED' })
    }
  })
})

describe('faults of the original that the adapter has not', () => {
  const each = async (script: (apns2: Apns2) => Promise<unknown>) => {
    const theirs = await outcomeOf(() => script(original))
    return [theirs, await outcomeOf(() => script(ours))]
  }

  test('R5: an expired provider token is renewed, and the push sent again', async () => {
    const [theirs, own] = await each((apns2) => {
      tellReason(app, 'ExpiredProviderToken', { times: 1 })
      return sendOne()(apns2)
    })
    expect(theirs).toMatchObject({ thrown: { reason: 'ExpiredProviderToken' } })
    expect(own).toMatchObject({ value: { deviceToken: app.deviceToken } })
  })

  test('R5: requestTimeout is used', async () => {
    const rule = { id: 'late', fault: { kind: 'latency', ms: 1000 } } as const
    const push = (apns2: Apns2) => {
      app.system.faults.production.set({ rules: [rule] })
      return withClient(apns2, (client) => client.send(new apns2.Notification(app.deviceToken)), {
        requestTimeout: 100,
      })
    }
    const [theirs, own] = await each(push)
    expect(theirs).toMatchObject({ value: {} })
    expect(own).toMatchObject({ thrown: { code: 'UND_ERR_HEADERS_TIMEOUT' } })
  })

  test('many streams on a connection that GOAWAY ends: none is lost', async () => {
    // Each connection is shut after its first 100 requests: ours opens two in a row.
    const count = 150
    const [theirs, own] = await each((apns2) => {
      const fault = { kind: 'goaway', reason: 'Shutdown' } as const
      app.system.faults.production.set({
        rules: [{ id: 'away', match: { after: 100, perConnection: true }, fault }],
      })
      const pushes = Array.from({ length: count }, () => new apns2.Notification(app.deviceToken))
      return withClient(apns2, async (client) => {
        const answers = await client.sendMany(pushes)
        return answers.filter((answer) => 'error' in answer).length
      })
    })
    expect((theirs as { value: number }).value).toBeGreaterThan(0)
    expect(own).toEqual({ value: 0 })
  })

  test('R6: refused streams are sent again', async () => {
    const [theirs, own] = await each((apns2) => {
      const rule = { id: 'refused', match: { times: 1 }, fault: { kind: 'resetStream' } } as const
      app.system.faults.production.set({ rules: [rule] })
      return sendOne()(apns2)
    })
    expect(theirs).toMatchObject({ thrown: expect.any(Error) })
    expect(own).toMatchObject({ value: {} })
  })

  test('10,000 at once', async () => {
    const answers = await withClient(ours, (client) =>
      client.sendMany(Array.from({ length: 10_000 }, () => new ours.Notification(app.deviceToken))),
    )
    expect(answers.filter((answer) => 'error' in answer)).toEqual([])
  })
})

import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import compat from '@carillon/apns/compat/node-apn'
import original from '@parse/node-apn'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { comparable, outcomeOf, sameOutcome, tellReason } from './support/compare-clients.ts'
import { bundleId, type LocalApp, startLocalApp } from './support/local-app.ts'

/** Programs written for the original compile with ours in its place. */
const ours: typeof original = compat
type Apn = typeof original

let app: LocalApp
let certificate: { certFile: string; keyFile: string }
beforeAll(async () => {
  app = await startLocalApp()
  certificate = await app.certificate()
})
afterEach(() => app.system.faults.production.clear())
afterAll(() => app.close())

const fixedId = randomUUID().toUpperCase()

const address = () => ({
  ...{ address: 'localhost', port: app.gateway.port, ca: [app.caFile], requestTimeout: 60_000 },
  ...{ manageChannelsAddress: 'localhost', manageChannelsPort: app.gateway.port },
})
const token = () => ({ key: app.key.file, keyId: app.key.keyId, teamId: app.key.teamId })

/** Runs a script with both and compares what they said; returns it. */
const same = (script: (apn: Apn) => unknown): Promise<unknown> =>
  sameOutcome(app, [original, ours], script, (said) => comparable(said, [fixedId]))

async function withProvider<T>(
  apn: Apn,
  work: (provider: original.Provider) => Promise<T>,
  options: original.ProviderOptions = { token: token() },
): Promise<T> {
  const provider = new apn.Provider({ ...address(), ...options })
  try {
    return await work(provider)
  } finally {
    await end(apn, provider)
  }
}

/** Once a connect has failed, the original's shutdown never calls back: nobody waits for it. */
async function end(apn: Apn, provider: original.Provider): Promise<void> {
  if (apn === ours) await new Promise<void>((resolve) => void provider.shutdown(resolve))
  else void provider.shutdown()
}

type Fields = Record<string, unknown>
const notificationOf = (apn: Apn, fields: Fields): original.Notification =>
  new apn.Notification({ topic: bundleId, pushType: 'alert', alert: 'Hello', ...fields })

const sendOne = (fields: Fields, device?: string) => (apn: Apn) =>
  withProvider(apn, (provider) => provider.send(notificationOf(apn, fields), device ?? app.deviceToken))

describe('what is accepted', () => {
  test.each<[string, Fields]>([
    ['an alert', {}],
    ['with an id, which comes back', { id: fixedId }],
    ['with expiry, collapse id and priority', { expiry: 2_000_000_000, collapseId: 'a', priority: 5 }],
    ['for now or never', { expiry: 0 }],
    ['that has expired already', { expiry: 1 }],
    ['without a push type', { pushType: undefined }],
    ['in the background', { pushType: 'background', priority: 5, alert: undefined, contentAvailable: true }],
    ['with a payload as it is', { rawPayload: { aps: { alert: 'raw' }, more: [1, 'é', null] } }],
    ['with a priority that is no number, which is left out', { priority: 'high' }],
  ])('%s', async (_name, fields) => {
    const said = await same(sendOne(fields))
    expect(said).toMatchObject({ value: { sent: [{ device: app.deviceToken }], failed: [] } })
  })

  test('one, several, the same twice, and none', async () => {
    for (const recipients of [app.deviceToken, [app.deviceToken, app.deviceToken], []]) {
      await same((apn) => withProvider(apn, (provider) => provider.send(notificationOf(apn, {}), recipients)))
    }
  })

  test('results stand in the order of the recipients', async () => {
    const recipients = ['nonsense', app.deviceToken, 'abcd', app.deviceToken.toUpperCase()]
    const said = await same((apn) =>
      withProvider(apn, (provider) => provider.send(notificationOf(apn, {}), recipients)),
    )
    expect(said).toMatchObject({ value: { failed: [{ device: 'nonsense' }, { device: 'abcd' }] } })
  })

  test('an array that is emptied meanwhile: results still name their devices', async () => {
    const said = await same((apn) =>
      withProvider(apn, (provider) => {
        const recipients = ['nonsense', app.deviceToken, 'abcd']
        const sending = provider.send(notificationOf(apn, {}), recipients)
        recipients.length = 0
        return sending
      }),
    )
    expect(said).toMatchObject({
      value: { sent: [{ device: app.deviceToken }], failed: [{ device: 'nonsense' }, { device: 'abcd' }] },
    })
  })

  test('the phone shows the same', async () => {
    const bodies: string[] = []
    await same(async (apn) => {
      const alert = `shown ${bodies.push('')}`
      await sendOne({ alert, payload: { n: 1 }, badge: 3, title: 'T' })(apn)
      const { payload } = await app.waitFor(({ shown }) => shown.body === alert)
      return { ...payload, aps: { ...(payload.aps as object), alert: '' } }
    })
    expect(bodies).toHaveLength(2)
  })
})

describe('what is rejected', () => {
  test.each<[reason: string, Fields, device?: string]>([
    ['BadDeviceToken', {}, 'nonsense'],
    ['BadDeviceToken', {}, 'ab'.repeat(32)],
    ['MissingDeviceToken', {}, ''],
    ['MissingTopic', { topic: undefined }],
    ['TopicDisallowed', { topic: 'com.example.other' }],
    ['BadPriority', { priority: 7 }],
    ['BadExpirationDate', { expiry: 1.5 }],
    ['BadExpirationDate', { expiry: '' }],
    ['BadExpirationDate', { expiry: true }],
    ['BadExpirationDate', { expiry: '0x10' }],
    ['BadCollapseId', { collapseId: 'a'.repeat(65) }],
    ['BadMessageId', { id: 'first' }],
    ['InvalidPushType', { pushType: 'sms' }],
    ['PayloadEmpty', { rawPayload: {} }],
    ['PayloadTooLarge', { alert: 'a'.repeat(5000) }],
  ])('%s', async (reason, fields, device) => {
    const said = await same(sendOne(fields, device))
    expect(said).toMatchObject({ value: { sent: [], failed: [{ response: { reason } }] } })
  })

  test.each([
    'BadCertificate',
    'BadPath',
    'DeviceTokenNotForTopic',
    'DuplicateHeaders',
    'Forbidden',
    'IdleTimeout',
    'MethodNotAllowed',
  ])('%s, told on purpose', async (reason) => {
    const said = await same((apn) => {
      tellReason(app, reason)
      return sendOne({})(apn)
    })
    expect(said).toMatchObject({ value: { sent: [], failed: [{ response: { reason } }] } })
  })

  test('Unregistered has its timestamp', async () => {
    const said = await same((apn) => {
      tellReason(app, 'Unregistered', {}, { timestamp: 1_700_000_000_000 })
      return sendOne({})(apn)
    })
    const response = { reason: 'Unregistered', timestamp: 1_700_000_000_000 }
    expect(said).toMatchObject({ value: { failed: [{ status: 410, response }] } })
  })

  describe('what may be tried again', () => {
    const reasons = ['InternalServerError', 'ServiceUnavailable', 'TooManyRequests'] as const
    const timesToAnswer = [undefined, 3] as const
    const cases = reasons.flatMap((reason) => timesToAnswer.map((times) => ({ reason, times })))
    const said = new Map<string, unknown>()
    const nameOf = (apn: Apn, reason: string, times: number | undefined) =>
      [apn === ours ? 'ours' : 'original', reason, times].join()

    // Ours pauses for seconds between attempts. All pause at the same time: rules know each by a key of its own.
    beforeAll(async () => {
      const { portal, faults } = app.system
      const tries = await Promise.all(
        cases.flatMap(({ reason, times }) =>
          [original, ours].map(async (apn) => {
            const { keyId, teamId, privateKeyPem } = await portal.keys.create({ name: reason })
            const fault = { kind: 'answer' as const, reason }
            const rule = { id: keyId, match: { keyId, ...(times === undefined ? {} : { times }) }, fault }
            return { name: nameOf(apn, reason, times), apn, rule, key: { key: privateKeyPem, keyId, teamId } }
          }),
        ),
      )
      faults.production.set({ rules: tries.map(({ rule }) => rule) })
      await Promise.all(
        tries.map(async ({ name, apn, key }) => {
          const send = (provider: original.Provider) =>
            provider.send(notificationOf(apn, {}), app.deviceToken)
          const outcome = await outcomeOf(() => withProvider(apn, send, { token: key }))
          said.set(name, comparable(outcome, [fixedId]))
        }),
      )
    })

    test.each(reasons)('%s, for as long as they try', (reason) => {
      const byOriginal = said.get(nameOf(original, reason, undefined))
      expect(byOriginal).toMatchObject({ value: { sent: [], failed: [{ device: app.deviceToken }] } })
      expect(said.get(nameOf(ours, reason, undefined))).toEqual(byOriginal)
    })

    test.each(reasons)('%s three times is tried a fourth time', (reason) => {
      const byOriginal = said.get(nameOf(original, reason, 3))
      expect(byOriginal).toMatchObject({ value: { sent: [{ device: app.deviceToken }] } })
      expect(said.get(nameOf(ours, reason, 3))).toEqual(byOriginal)
    })
  })

  test('an answer that is none', async () => {
    const fault = { kind: 'answer', status: 404, body: '<html>Not found</html>' } as const
    const said = await same((apn) => {
      app.system.faults.production.set({ rules: [{ id: 'proxy', fault }] })
      return sendOne({})(apn)
    })
    expect(said).toMatchObject({ value: { failed: [{ error: { name: 'VError' } }] } })
  })

  test('a key that the service does not know', async () => {
    const options = { token: { ...token(), keyId: 'AAAAAAAAAA' } }
    const said = await same((apn) =>
      withProvider(apn, (provider) => provider.send(notificationOf(apn, {}), app.deviceToken), options),
    )
    expect(said).toMatchObject({ value: { failed: [{ response: { reason: 'InvalidProviderToken' } }] } })
  })

  test('a service that is not there', async () => {
    const said = await same((apn) =>
      withProvider(apn, (provider) => provider.send(notificationOf(apn, {}), app.deviceToken), {
        token: token(),
        port: 1,
      }),
    )
    expect(said).toMatchObject({ value: { failed: [{ error: { name: 'VError' } }] } })
  })

  test('an authority that is not trusted, and one that need not be', async () => {
    for (const rejectUnauthorized of [true, false]) {
      await same((apn) => {
        const options = { token: token(), rejectUnauthorized, ca: [] }
        return withProvider(
          apn,
          (provider) => provider.send(notificationOf(apn, {}), app.deviceToken),
          options,
        )
      })
    }
  })

  test('an address with a port, which is not used', async () => {
    const said = await same((apn) =>
      withProvider(apn, (provider) => provider.send(notificationOf(apn, {}), app.deviceToken), {
        token: token(),
        address: 'localhost:1',
      }),
    )
    expect(said).toMatchObject({ value: { sent: [{ device: app.deviceToken }] } })
  })

  test('no answer in time', async () => {
    const said = await same((apn) => {
      app.system.faults.production.set({ rules: [{ id: 'late', fault: { kind: 'latency', ms: 1000 } }] })
      return withProvider(apn, (provider) => provider.send(notificationOf(apn, {}), app.deviceToken), {
        token: token(),
        requestTimeout: 200,
      })
    })
    expect(said).toMatchObject({ value: { failed: [{ error: { message: 'apn write timeout' } }] } })
  })

  test('after shutdown', async () => {
    const said = await same(async (apn) => {
      const provider = new apn.Provider({ ...address(), token: token() })
      await end(apn, provider)
      return provider.send(notificationOf(apn, {}), [app.deviceToken, 'nonsense'])
    })
    expect(said).toMatchObject({ value: { failed: [{ error: { message: 'client is destroyed' } }, {}] } })
  })
})

describe('who sends', () => {
  const byCertificate = () => ({ cert: certificate.certFile, key: certificate.keyFile })

  test('a certificate, with a topic and without', async () => {
    for (const topic of [bundleId, undefined]) {
      const said = await same((apn) =>
        withProvider(
          apn,
          (provider) => provider.send(notificationOf(apn, { topic }), app.deviceToken),
          byCertificate(),
        ),
      )
      // The certificate is for several topics: one has to be named.
      const [sent, failed] = topic === undefined ? [[], [{ status: 400 }]] : [[{}], []]
      expect(said).toMatchObject({ value: { sent, failed } })
    }
  })

  test.each<[string, (file: string) => string | Buffer]>([
    ['the path', (file) => file],
    ['the bytes', (file) => readFileSync(file)],
  ])('%s of a .p12 with a passphrase', async (_name, pfxOf) => {
    const file = join(app.dir, 'push.p12')
    const material = ['-inkey', certificate.keyFile, '-in', certificate.certFile]
    execFileSync('openssl', ['pkcs12', '-export', ...material, '-out', file, '-passout', 'pass:secret'])
    const said = await same((apn) =>
      withProvider(apn, (provider) => provider.send(notificationOf(apn, {}), app.deviceToken), {
        pfx: pfxOf(file),
        passphrase: 'secret',
      }),
    )
    expect(said).toMatchObject({ value: { sent: [{}] } })
  })

  test('several connections', async () => {
    await same(async (apn) => {
      const provider = new apn.MultiProvider({ ...address(), token: token(), clientCount: 3 })
      const said = await provider.send(notificationOf(apn, {}), Array(30).fill(app.deviceToken))
      await end(apn, provider)
      return said
    })
  })

  test('a function that is called without new', async () => {
    await same(async (apn) => {
      const make = apn.Provider as unknown as (options: original.ProviderOptions) => original.Provider
      const provider = make({ ...address(), token: token() })
      expect(provider).toBeInstanceOf(apn.Provider)
      const said = await provider.send(notificationOf(apn, {}), app.deviceToken)
      await end(apn, provider)
      return said
    })
  })

  test.each<[string, () => object]>([
    ['no key id', () => ({ token: { ...token(), keyId: undefined } })],
    ['a key id that is a number', () => ({ token: { ...token(), keyId: 1 } })],
    ['no team', () => ({ token: { ...token(), teamId: '' } })],
    ['a key file that is not there', () => ({ token: { ...token(), key: '/nowhere.p8' } })],
    ['a key that is none', () => ({ token: { ...token(), key: Buffer.from('key') } })],
    ['a passphrase that is a number', () => ({ passphrase: 1 })],
    ['no credentials at all', () => ({})],
    ['a certificate that is not there', () => ({ cert: '/nowhere.pem', key: certificate.keyFile })],
    ['a CA that is not there', () => ({ token: token(), ca: ['/nowhere.pem'] })],
    ['no clients', () => ({ token: token(), clientCount: -1 })],
  ])('wrong options: %s', async (_name, options) => {
    const said = await same((apn) => {
      const given = { ...address(), ...options() } as original.MultiProviderOptions
      void ('clientCount' in given ? new apn.MultiProvider(given) : new apn.Provider(given))
    })
    expect(said).toMatchObject({ thrown: expect.any(Error) })
  })

  test('a certificate with the key of another, and one of another environment', async () => {
    const { portal } = app.system
    const make = (kind: 'universal' | 'production') =>
      portal.certificates.create({ bundleId, kind, keyType: 'rsa' })
    const [own, other, production] = [
      await make('universal'),
      await make('universal'),
      await make('production'),
    ]
    for (const options of [
      { cert: own.certPem, key: other.keyPem ?? '' },
      { cert: production.certPem, key: production.keyPem ?? '' },
    ]) {
      const said = await same((apn) => void new apn.Provider({ ...address(), ...options }))
      expect(said).toMatchObject({ thrown: expect.any(Error) })
    }
  })
})

describe('channels', () => {
  const manage = (apn: Apn, fields: Fields, action: original.ChannelAction) =>
    withProvider(apn, (provider) =>
      provider.manageChannels(Object.assign(new apn.Notification(), fields), bundleId, action),
    )
  const makeChannel = async (apn: Apn, storage: number): Promise<string> => {
    const { sent } = await manage(apn, { payload: { 'message-storage-policy': storage } }, 'create')
    return sent[0]?.['apns-channel-id'] ?? ''
  }

  test('made, read, listed, deleted, and gone', async () => {
    const said = await same(async (apn) => {
      const made = await manage(
        apn,
        { requestId: fixedId, payload: { 'message-storage-policy': 1 } },
        'create',
      )
      const channelId = made.sent[0]?.['apns-channel-id'] ?? ''
      const read = await manage(apn, { channelId, requestId: fixedId }, 'read')
      const all = await manage(apn, {}, 'readAll')
      expect(all.sent[0]?.channels).toContain(channelId)
      const deleted = await manage(apn, { channelId }, 'delete')
      return { made, read, deleted, gone: await manage(apn, { channelId }, 'read') }
    })
    expect(said).toMatchObject({ value: { made: { sent: [{ 'apns-request-id': fixedId }] } } })
    expect(said).toMatchObject({ value: { gone: { failed: [{ bundleId, status: 400 }] } } })
  })

  test.each<[string, Fields, original.ChannelAction]>([
    ['no storage policy', { payload: {} }, 'create'],
    ['a storage policy that is none', { payload: { 'message-storage-policy': 7 } }, 'create'],
    ['another push type', { payload: { 'message-storage-policy': 1, 'push-type': 'alert' } }, 'create'],
    ['nothing to read', {}, 'read'],
    ['an id that is none', { channelId: 'first' }, 'read'],
    ['an unknown one', { channelId: Buffer.alloc(16).toString('base64') }, 'delete'],
    ['a request id that is none', { requestId: 'first' }, 'readAll'],
  ])('a request with %s fails', async (_name, fields, action) => {
    const said = await same((apn) =>
      manage(apn, { ...fields, payload: { ...(fields.payload ?? {}) } }, action),
    )
    expect(said).toMatchObject({ value: { sent: [], failed: [{ bundleId }] } })
  })

  test('no bundle id', async () => {
    const said = await same((apn) =>
      withProvider(apn, (provider) =>
        provider.manageChannels(new apn.Notification(), undefined as never, 'readAll'),
      ),
    )
    expect(said).toMatchObject({ value: { sent: [], failed: [{ status: 403 }] } })
  })

  test('an action that is none', async () => {
    const said = await same((apn) => manage(apn, {}, 'rename' as original.ChannelAction))
    expect(said).toMatchObject({ thrown: { bundleId, error: expect.any(Error) } })
  })

  test.each<[string, Fields]>([
    ['as it should be', {}],
    ['without a channel', { channelId: undefined }],
    ['of another push type', { pushType: 'alert' }],
    ['to be stored where nothing is', { expiry: 2_000_000_000 }],
    ['without a push type', { pushType: undefined }],
  ])('a broadcast %s', async (_name, fields) => {
    await same(async (apn) => {
      const channelId = await makeChannel(apn, 0)
      const aps = { timestamp: 1, event: 'update', 'content-state': { score: 1 } }
      const base = { channelId, requestId: fixedId, priority: 10, pushType: 'liveactivity', expiry: 0 }
      const notification = Object.assign(new apn.Notification(), { ...base, rawPayload: { aps }, ...fields })
      return withProvider(apn, (provider) => provider.broadcast([notification, notification], bundleId))
    })
  })
})

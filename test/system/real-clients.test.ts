import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import apn from '@parse/node-apn'
import { Notification as Apns2Notification, ApnsClient, type ApnsError, Errors } from 'apns2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasProgram } from './programs.ts'
import { Place } from './run-carillon.ts'
import { bundleId, pushCertificate, type RunningApp, startApp } from './running-app.ts'

const place = new Place()
let app: RunningApp
interface Files {
  readonly certFile: string
  readonly keyFile: string
  readonly p12File: string
}
let certificates: Record<'rsa' | 'p256', Files>
/** A certificate of the sandbox alone: one topic, where a universal one carries those of VoIP and the rest. */
let sandboxCertificate: Files

beforeAll(async () => {
  app = await startApp(place)
  const second = ['--bundle-id', otherBundleId, '--name', 'Second']
  await place.line('portal', 'app', 'create', '--data', place.data, ...second)
  const certificate = (kind: string, type: string) =>
    pushCertificate(place, kind, '--key-type', type, ...password) as Promise<Files>
  const [rsa, p256, sandbox] = await Promise.all([
    certificate('universal', 'rsa'),
    certificate('universal', 'p256'),
    certificate('sandbox', 'rsa'),
  ])
  certificates = { rsa, p256 }
  sandboxCertificate = sandbox
})
afterAll(() => place.close())

const otherBundleId = 'com.example.second'
const password = ['--p12-password', 'of the test']
const unknownToken = 'ab'.repeat(32)
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A payload that no other test sends. */
function payloadOf(body: string) {
  return { aps: { alert: { title: 'Real clients', body }, badge: 3 }, mark: randomUUID() }
}

/** The device shows exactly what was sent; gives its event. */
async function expectShown(payload: { mark: string; aps: { alert: { body: string } } }) {
  const event = await app.shown(({ mark }) => mark === payload.mark)
  expect(event).toEqual({
    event: 'notification',
    bundleId,
    apnsId: expect.stringMatching(uuid),
    payload,
    shown: expect.objectContaining({ title: 'Real clients', body: payload.aps.alert.body, badge: 3 }),
  })
  return event
}

describe('@parse/node-apn', () => {
  // A machine that is busy answers late; the client's own 5 s are not what is tested here.
  const to = () => ({
    address: 'localhost',
    port: app.gateway.port,
    ca: [app.caFile],
    requestTimeout: 60_000,
  })
  const token = () => ({ token: { key: app.key.file, keyId: app.key.keyId, teamId: app.key.teamId } })
  const certificate = (type: 'rsa' | 'p256') => () => ({
    cert: certificates[type].certFile,
    key: certificates[type].keyFile,
  })
  const ways: [string, () => apn.ProviderOptions][] = [
    ['a provider token', token],
    ['a push certificate with an RSA key', certificate('rsa')],
    // Its own check reads RSA keys only; where it cannot read a key it says so in its log and goes on.
    ['a push certificate with a P-256 key', certificate('p256')],
  ]

  test.each(ways)('with %s: the device shows the notification', async (_name, credentials) => {
    const payload = payloadOf('from node-apn')
    const notification = new apn.Notification()
    notification.rawPayload = payload
    notification.topic = bundleId
    notification.pushType = 'alert'
    notification.id = randomUUID()
    const provider = new apn.Provider({ ...credentials(), ...to() })
    try {
      const { sent, failed } = await provider.send(notification, app.deviceToken)
      expect(failed).toEqual([])
      expect(sent).toEqual([expect.objectContaining({ device: app.deviceToken, 'apns-id': notification.id })])
      expect((await expectShown(payload)).apnsId).toBe(notification.id)
    } finally {
      await provider.shutdown()
    }
  })

  test('with its own setters: everything it composes arrives', async () => {
    const mark = randomUUID()
    const notification = new apn.Notification({
      topic: bundleId,
      pushType: 'alert',
      priority: 10,
      expiry: Math.floor(Date.now() / 1000) + 3600,
      collapseId: 'same-thing',
      alert: { title: 'Title', subtitle: 'Subtitle', body: 'Body — ünïcödé 🔔' },
      badge: 7,
      sound: 'ping.aiff',
      threadId: 'thread',
      payload: { mark },
    })
    const provider = new apn.Provider({ ...token(), ...to() })
    try {
      expect((await provider.send(notification, [app.deviceToken])).failed).toEqual([])
      const { payload, shown } = await app.shown((shown) => shown.mark === mark)
      expect(payload).toEqual({
        aps: {
          alert: { title: 'Title', subtitle: 'Subtitle', body: 'Body — ünïcödé 🔔' },
          badge: 7,
          sound: 'ping.aiff',
          'thread-id': 'thread',
        },
        mark,
      })
      expect(shown).toMatchObject({
        title: 'Title',
        subtitle: 'Subtitle',
        body: 'Body — ünïcödé 🔔',
        badge: 7,
      })
    } finally {
      await provider.shutdown()
    }
  })

  test.each(ways)('with %s: an unknown token is among the failed ones', async (_name, credentials) => {
    const notification = new apn.Notification({ topic: bundleId, pushType: 'alert', alert: 'Nobody' })
    const provider = new apn.Provider({ ...credentials(), ...to() })
    try {
      expect(await provider.send(notification, unknownToken)).toEqual({
        sent: [],
        failed: [
          {
            device: unknownToken,
            status: 400,
            response: { reason: 'BadDeviceToken' },
            'apns-id': expect.stringMatching(uuid),
          },
        ],
      })
    } finally {
      await provider.shutdown()
    }
  })

  test('a key that the portal does not know gives InvalidProviderToken', async () => {
    const wrong = { key: app.key.file, keyId: 'ZZZZZZZZZZ', teamId: app.key.teamId }
    const notification = new apn.Notification({ topic: bundleId, pushType: 'alert', alert: 'Nobody' })
    const provider = new apn.Provider({ token: wrong, ...to() })
    try {
      const { failed } = await provider.send(notification, app.deviceToken)
      expect(failed).toMatchObject([
        { device: app.deviceToken, status: 403, response: { reason: 'InvalidProviderToken' } },
      ])
    } finally {
      await provider.shutdown()
    }
  })
})

describe('apns2', () => {
  /** Its host has no port and no CA: its pool is replaced by one to our gateway. */
  async function connect(keyId = app.key.keyId): Promise<ApnsClient> {
    const { teamId: team, pem: signingKey } = app.key
    const client = new ApnsClient({ team, keyId, signingKey, defaultTopic: bundleId, keepAlive: false })
    const Pool = client.client.constructor as new (url: string, options: object) => ApnsClient['client']
    await client.client.close()
    const pool = new Pool(`https://localhost:${app.gateway.port}`, {
      connections: 1,
      allowH2: true,
      connect: { ca: readFileSync(app.caFile, 'utf8') },
    })
    return Object.assign(client, { client: pool })
  }

  test('with a provider token: the device shows the notification', async () => {
    const payload = payloadOf('from apns2')
    const client = await connect()
    try {
      const { aps, mark } = payload
      await client.send(new Apns2Notification(app.deviceToken, { aps, data: { mark } }))
      await expectShown(payload)
    } finally {
      await client.close()
    }
  })

  test('an unknown token is thrown as ApnsError', async () => {
    const client = await connect()
    const heard: ApnsError[] = []
    client.on(Errors.badDeviceToken, (error: ApnsError) => heard.push(error))
    client.on(Errors.error, () => {})
    try {
      await expect(
        client.send(new Apns2Notification(unknownToken, { alert: 'Nobody' })),
      ).rejects.toMatchObject({
        statusCode: 400,
        reason: 'BadDeviceToken',
        notification: { deviceToken: unknownToken },
      })
      expect(heard).toHaveLength(1)
    } finally {
      await client.close()
    }
  })

  test('a key that the portal does not know is thrown as ApnsError', async () => {
    const client = await connect('ZZZZZZZZZZ')
    client.on(Errors.error, () => {})
    try {
      await expect(
        client.send(new Apns2Notification(app.deviceToken, { alert: 'Nobody' })),
      ).rejects.toMatchObject({ statusCode: 403, reason: 'InvalidProviderToken' })
    } finally {
      await client.close()
    }
  })
})

describe.skipIf(!hasProgram('curl', /HTTP2/))('curl --http2', () => {
  const bearer = (iat = Math.floor(Date.now() / 1000)) => [
    '-H',
    `authorization: bearer ${jwtOf(app.key, iat)}`,
  ]
  const certificate = (type: 'rsa' | 'p256') => [
    '--cert',
    certificates[type].certFile,
    '--key',
    certificates[type].keyFile,
  ]
  const topic = ['-H', `apns-topic: ${bundleId}`]
  const otherTopic = ['-H', `apns-topic: ${otherBundleId}`]

  async function curl(token: string, ...args: string[]) {
    const url = `https://localhost:${app.gateway.port}/3/device/${token}`
    const data = args.includes('-d') || args.includes('-X') ? [] : ['-d', '{"aps":{"alert":"Hello"}}']
    const options = ['-sS', '--http2', '--cacert', app.caFile, '-i', ...data, ...args, url]
    const { code, stdout, stderr } = await place.exec('curl', options)
    expect([code, stderr]).toEqual([0, ''])
    const [head = '', body = ''] = stdout.split('\r\n\r\n')
    const [status = '', ...fields] = head.split('\r\n')
    const headers = Object.fromEntries(fields.map((field) => field.split(': ')))
    return { status, headers, body } as { status: string; headers: Record<string, string>; body: string }
  }

  test.each([
    ['a provider token', () => bearer()],
    ['a push certificate with an RSA key', () => certificate('rsa')],
    ['a push certificate with a P-256 key', () => certificate('p256')],
  ])('with %s: the device shows the notification', async (_name, credentials) => {
    const payload = payloadOf('from curl')
    const apnsId = randomUUID()
    const id = ['-H', `apns-id: ${apnsId}`]
    const answer = await curl(
      app.deviceToken,
      ...credentials(),
      ...topic,
      ...id,
      '-d',
      JSON.stringify(payload),
    )
    expect(answer).toMatchObject({ status: 'HTTP/2 200 ', body: '', headers: { 'apns-id': apnsId } })
    // A sandbox answer has this one as well, for the push notifications console.
    expect(answer.headers['apns-unique-id']).toMatch(uuid)
    expect((await expectShown(payload)).apnsId).toBe(apnsId)
  })

  test('with one topic in the certificate, out of a .p12: the topic may be left out', async () => {
    const payload = payloadOf('from curl with PKCS#12')
    const p12 = ['--cert-type', 'P12', '--cert', `${sandboxCertificate.p12File}:of the test`]
    const answer = await curl(app.deviceToken, ...p12, '-d', JSON.stringify(payload))
    expect(answer).toMatchObject({ status: 'HTTP/2 200 ', body: '' })
    await expectShown(payload)
  })

  const errors: [number, string, () => { token?: string; args: string[] }][] = [
    [400, 'BadDeviceToken', () => ({ token: unknownToken, args: [...bearer(), ...topic] })],
    [400, 'BadDeviceToken', () => ({ token: unknownToken, args: [...certificate('rsa'), ...topic] })],
    [400, 'MissingTopic', () => ({ args: bearer() })],
    [400, 'MissingTopic', () => ({ args: certificate('rsa') })],
    [400, 'DeviceTokenNotForTopic', () => ({ args: [...bearer(), ...otherTopic] })],
    [400, 'TopicDisallowed', () => ({ args: [...certificate('rsa'), ...otherTopic] })],
    [400, 'BadPriority', () => ({ args: [...bearer(), ...topic, '-H', 'apns-priority: 11'] })],
    [400, 'BadExpirationDate', () => ({ args: [...bearer(), ...topic, '-H', 'apns-expiration: soon'] })],
    [400, 'BadMessageId', () => ({ args: [...bearer(), ...topic, '-H', 'apns-id: 17'] })],
    [400, 'PayloadEmpty', () => ({ args: [...bearer(), ...topic, '-d', ''] })],
    [403, 'MissingProviderToken', () => ({ args: topic })],
    [403, 'InvalidProviderToken', () => ({ args: [...topic, '-H', 'authorization: bearer e30.e30.e30'] })],
    [
      403,
      'ExpiredProviderToken',
      () => ({ args: [...bearer(Math.floor(Date.now() / 1000) - 7200), ...topic] }),
    ],
    [405, 'MethodNotAllowed', () => ({ args: [...bearer(), ...topic, '-X', 'GET'] })],
    [413, 'PayloadTooLarge', () => ({ args: [...bearer(), ...topic, '-d', payloadOfBytes(4097)] })],
  ]
  test.each(errors)('%i %s comes as JSON with an apns-id', async (status, reason, request) => {
    const { token = app.deviceToken, args } = request()
    const answer = await curl(token, ...args)
    expect(answer.status.trim()).toBe(`HTTP/2 ${status}`)
    expect(JSON.parse(answer.body)).toEqual({ reason })
    expect(answer.headers['apns-id']).toMatch(uuid)
  })

  test('a payload of exactly 4096 bytes is shown', async () => {
    const text = payloadOfBytes(4096)
    const answer = await curl(app.deviceToken, ...bearer(), ...topic, '-d', text)
    expect(answer.status).toBe('HTTP/2 200 ')
    const { payload } = await app.shown((shown) => JSON.stringify(shown) === text)
    expect(payload).toEqual(JSON.parse(text))
  })
})

describe.skipIf(!hasProgram('nghttp'))('nghttp', () => {
  async function nghttp(token: string, payload: object, ...args: string[]) {
    const file = place.path(`${randomUUID()}.json`)
    await writeFile(file, JSON.stringify(payload))
    const url = `https://localhost:${app.gateway.port}/3/device/${token}`
    const headers = ['-H', `apns-topic: ${bundleId}`, '-H', ':method: POST']
    return place.exec('nghttp', ['-v', ...headers, ...args, '-d', file, url])
  }

  test.each([
    ['a provider token', () => ['-H', `authorization: bearer ${jwtOf(app.key)}`]],
    [
      'a push certificate',
      () => [`--cert=${certificates.p256.certFile}`, `--key=${certificates.p256.keyFile}`],
    ],
  ])('with %s: the device shows the notification', async (_name, credentials) => {
    const payload = payloadOf('from nghttp')
    const { stdout, code } = await nghttp(app.deviceToken, payload, ...credentials())
    expect(code).toBe(0)
    expect(stdout).toContain(':status: 200')
    const apnsId = /apns-id: (\S+)/.exec(stdout)?.[1]
    expect((await expectShown(payload)).apnsId).toBe(apnsId)
  })

  test('an unknown token is answered with one HEADERS and one DATA frame that ends the stream', async () => {
    const bearer = ['-H', `authorization: bearer ${jwtOf(app.key)}`]
    const { stdout } = await nghttp(unknownToken, payloadOf('to nobody'), ...bearer)
    expect(stdout).toContain(':status: 400')
    expect(stdout).toContain('{"reason":"BadDeviceToken"}')
    expect(stdout.match(/recv HEADERS frame/g)).toHaveLength(1)
    expect(stdout.match(/recv DATA frame <length=27, flags=0x01/g)).toHaveLength(1)
    expect(stdout.match(/recv DATA frame/g)).toHaveLength(1)
  })
})

describe.skipIf(!hasProgram('openssl'))('openssl s_client', () => {
  const connection = () => [
    ...['s_client', '-connect', `localhost:${app.gateway.port}`, '-CAfile', app.caFile],
    ...['-verify_return_error', '-verify_hostname', 'localhost'],
    ...['-cert', certificates.rsa.certFile, '-key', certificates.rsa.keyFile],
  ]

  test.each(['-tls1_2', '-tls1_3'])('%s with a push certificate: verified, ALPN h2', async (version) => {
    const { code, stdout } = await place.exec('openssl', [...connection(), version, '-alpn', 'h2'], '')
    expect(code).toBe(0)
    expect(stdout).toContain('ALPN protocol: h2')
    expect(stdout).toMatch(/Verif(y return code|ication): (0 \(ok\)|OK)/)
    expect(stdout).toMatch(/Acceptable client certificate CA names/)
  })

  test.each(['with ALPN', 'without ALPN (prior knowledge)'])(
    '%s: SETTINGS answer the preface',
    async (how) => {
      const alpn = how === 'with ALPN' ? ['-alpn', 'h2'] : []
      const run = place.start('openssl', [...connection(), ...alpn, '-quiet'])
      const emptySettings = '\0\0\0\x04\0\0\0\0\0'
      run.child.stdin?.write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${emptySettings}`, 'latin1')
      // RFC 9113 §3.4: the server's preface is a SETTINGS frame; then it acknowledges ours (§6.5.3).
      await run.waitFor(
        'the acknowledgement',
        ({ stdout }) => stdout.includes('\0\0\0\x04\x01\0\0\0\0') || undefined,
      )
      const typeFlagsAndStream = [...run.stdout.slice(3, 9)].map((byte) => byte.charCodeAt(0))
      expect(typeFlagsAndStream).toEqual([4, 0, 0, 0, 0, 0])
      await run.end()
    },
  )
})

/** A provider token (RFC 7519) as any back end makes it. */
function jwtOf(key: RunningApp['key'], iat = Math.floor(Date.now() / 1000)): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'ES256', kid: key.keyId })}.${part({ iss: key.teamId, iat })}`
  const signature = sign('sha256', Buffer.from(signed), {
    key: createPrivateKey(key.pem),
    dsaEncoding: 'ieee-p1363',
  })
  return `${signed}.${signature.toString('base64url')}`
}

function payloadOfBytes(bytes: number): string {
  const empty = JSON.stringify({ aps: { alert: '' } })
  return JSON.stringify({ aps: { alert: 'x'.repeat(bytes - empty.length) } })
}

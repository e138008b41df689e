import { X509Certificate } from 'node:crypto'
import { statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Place } from '../run-carillon.ts'
import { bundleId, pushCertificate, type RunningApp, startApp } from '../running-app.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const place = new Place()
let app: RunningApp
beforeAll(async () => {
  app = await startApp(place)
})
afterAll(() => place.close())

const address = { host: '127.0.0.1', port: expect.any(Number) }
const environment = {
  http2: address,
  binary: address,
  feedback: address,
  courier: address,
  courierWebSocket: { url: expect.stringMatching(/^wss:\/\/127\.0\.0\.1:\d+\/$/) },
  admin: { url: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/) },
}

test('up --json prints exactly one line, and endpoints.json holds the same', async () => {
  const { run, endpoints } = app.up
  expect(run.lines).toEqual([endpoints])
  expect(run.stderr).toBe('')
  expect(endpoints).toEqual({
    event: 'ready',
    dataDir: place.data,
    caFile: expect.any(String),
    adminKeyFile: expect.any(String),
    portal: {
      url: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
      enrolmentKeyFile: expect.any(String),
    },
    provider: { url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/), apiKeyFile: expect.any(String) },
    console: { url: null },
    environments: { sandbox: environment, production: environment },
  })
  expect(JSON.parse(await readFile(place.path('data', 'endpoints.json'), 'utf8'))).toEqual(endpoints)
  const { caFile, adminKeyFile, portal, provider } = endpoints
  const files = [
    adminKeyFile,
    portal.enrolmentKeyFile,
    provider.apiKeyFile,
    place.path('data', 'endpoints.json'),
  ]
  expect(files.map((file) => statSync(file).mode & 0o777)).toEqual(files.map(() => 0o600))
  expect(new X509Certificate(await readFile(caFile)).ca).toBe(true)
})

test('its HTTP APIs want a key', async () => {
  const { provider } = app.up.endpoints
  expect((await fetch(`${provider.url}/v1/apps/com.example.nobody`)).status).toBe(401)
  const authorization = `Bearer ${(await readFile(provider.apiKeyFile, 'utf8')).trim()}`
  const unknown = await fetch(`${provider.url}/v1/apps/com.example.nobody`, { headers: { authorization } })
  expect(unknown.status).toBe(404)
})

test('device run --json says connected, registered, then every notification', async () => {
  expect(await app.device.event('connected')).toEqual({ event: 'connected', environment: 'sandbox' })
  expect(await app.device.event('registered')).toEqual({
    event: 'registered',
    bundleId,
    deviceToken: expect.stringMatching(/^[0-9a-f]{64}$/),
    environment: 'sandbox',
  })
  const { apnsId } = await app.push('--alert', 'For the device')
  expect(await app.device.event('notification', (line) => line.apnsId === apnsId)).toEqual({
    event: 'notification',
    bundleId,
    apnsId,
    payload: { aps: { alert: 'For the device' } },
    shown: expect.objectContaining({ body: 'For the device' }),
  })
  const events = app.device.lines.map(({ event }) => event)
  expect(events.slice(0, 2)).toEqual(['connected', 'registered'])
  expect([...new Set(events.slice(2))]).toEqual(['notification'])
  expect(app.device.stderr).toBe('')
})

test('push --json prints ok and the apns-id', async () => {
  // The sandbox has a second id, for its log.
  const ids = { apnsId: expect.stringMatching(uuid), apnsUniqueId: expect.stringMatching(uuid) }
  const accepted = { ok: true, outcome: 'accepted', ...ids }
  expect(await app.push('--alert', 'One')).toEqual(accepted)
  const apnsId = '0123abcd-0123-4567-89ab-0123456789ab'
  const file = place.path('payload.json')
  await writeFile(file, ' { "aps": { "alert": { "title": "Sp\\u00e4t" } } , "mark": [1, 2] } ')
  const all = ['--apns-id', apnsId, '--priority', '5', '--expiration', '0', '--collapse-id', 'c']
  expect(await app.push('--payload', file, '--push-type', 'alert', ...all)).toEqual({
    ...accepted,
    apnsId,
  })
  const { payload } = await app.device.event('notification', (line) => line.apnsId === apnsId)
  expect(payload).toEqual({ aps: { alert: { title: 'Spät' } }, mark: [1, 2] })
})

test('push with a certificate, and by address instead of data directory', async () => {
  const { certFile, keyFile } = await pushCertificate(place, 'sandbox')
  const to = ['--connect', `localhost:${app.gateway.port}`, '--ca', app.caFile, '--environment', 'sandbox']
  const what = ['--topic', bundleId, '--token', app.deviceToken, '--alert', 'By certificate']
  const { ok, apnsId } = await place.line('push', ...to, ...what, '--cert', certFile, '--cert-key', keyFile)
  expect(ok).toBe(true)
  await app.device.event('notification', (line) => line.apnsId === apnsId)
})

test('people get sentences on stdout, and nothing on stderr', async () => {
  const list = await place.carillon('portal', 'app', 'list', '--data', place.data)
  expect(list).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^\w{10}\.com\.example\.app {2}/),
  })
  const sent = await place.carillon(...app.pushCommand('--alert', 'Readable'))
  expect(sent).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^accepted, apns-id \S{36}\n$/),
  })
})

test('device run shows a banner to people, and says that it is disconnected when the system ends', async () => {
  const other = new Place()
  try {
    const running = await startApp(other)
    await running.device.end()
    // The same device again, this time for a person.
    const where = ['--data', other.data, '--state', other.path('phone')]
    const app = ['--profile', running.profile, '--app', bundleId]
    const person = other.startCarillon('device', 'run', ...where, ...app)
    await person.waitFor('the token', ({ stdout }) => stdout.includes(running.deviceToken) || undefined)
    await running.push('--alert', 'Drawn in a box')
    await person.waitFor(
      'the banner',
      ({ stdout }) => /╭─+╮\n│ com\.example\.app +│\n│ Drawn in a box +│/.exec(stdout) ?? undefined,
    )
    await running.up.run.end()
    await person.waitFor('the end', ({ stdout }) => stdout.includes('disconnected: ') || undefined)
    expect(await person.end()).toMatchObject({ code: 0, stderr: '' })
  } finally {
    await other.close()
  }
})

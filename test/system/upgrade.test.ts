import { mkdtempSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { FeedbackClient, type GoneToken, PushClient, type PushClientOptions } from '@carillon/apns'
import { type AppNotification, type ClientApp, type Device, startDevice } from '@carillon/device'
import { type RunningSystem, startSystem } from '@carillon/system'
import { environments } from '@carillon/wire'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { appIn, type FirstRelease, writeFirstRelease } from './support/first-release.ts'

// Whoever has the first release takes the new one, starts it on the same data directory, and nothing is lost.
const dir = mkdtempSync(join(tmpdir(), 'carillon-upgrade-'))
let old: FirstRelease
let system: RunningSystem
let phone: Device
let caPem: string
const apps = {} as Record<'sandbox' | 'production', ClientApp>
const shown: AppNotification[] = []
const waiting = new Set<() => void>()
const clients: PushClient[] = []

beforeAll(async () => {
  old = await writeFirstRelease(dir)
  system = await startSystem({ dataDir: old.dataDir, ports: 'auto' })
  const { sandbox, production } = system.endpoints.environments
  caPem = await readFile(system.endpoints.caFile, 'utf8')
  phone = await startDevice({
    stateDir: old.stateDir,
    caPem,
    couriers: { sandbox: sandbox.courier, production: production.courier },
    activate: () => Promise.reject(new Error('its certificate is good')),
    now: Date.now,
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    onEvent: () => {},
  })
  for (const environment of environments) {
    apps[environment] = await phone.install({
      bundleId: appIn[environment],
      profile: old.profiles[environment],
    })
    apps[environment].onNotification((notification) => {
      shown.push(notification)
      for (const look of waiting) look()
    })
  }
})

afterAll(async () => {
  for (const client of clients) await client.close()
  await phone?.close()
  await system?.close()
  await rm(dir, { recursive: true, force: true })
})

function arrived(apnsId: string): Promise<AppNotification> {
  return new Promise((resolve) => {
    const look = () => {
      const found = shown.find((notification) => notification.apnsId === apnsId)
      if (found === undefined) return
      waiting.delete(look)
      resolve(found)
    }
    waiting.add(look)
    look()
  })
}

function clientFor(
  environment: 'sandbox' | 'production',
  auth: PushClientOptions['auth'],
): (deviceToken: string, alert: string) => ReturnType<PushClient['send']> {
  const client = new PushClient({
    ...{ environment, auth, ca: caPem, retry: false },
    ...system.endpoints.environments[environment].http2,
  })
  clients.push(client)
  return (deviceToken, alert) =>
    client.send({ deviceToken, topic: appIn[environment], payload: { aps: { alert } } })
}

const tokenAuth = ({ keyId, teamId, privateKeyPem: privateKey }: FirstRelease['teamKey']) =>
  ({ type: 'token', keyId, teamId, privateKey }) as const

test('everything that was stored arrives, in its order, with what the provider had accepted', async () => {
  for (const environment of environments) {
    for (const apnsId of old.stored[environment]) await arrived(apnsId)
    const order = shown.filter(
      ({ bundleId, apnsId }) => bundleId === appIn[environment] && apnsId !== old.queued,
    )
    expect(order.map(({ apnsId }) => apnsId).slice(0, old.stored[environment].length)).toEqual(
      old.stored[environment],
    )
  }
  expect((await arrived(old.stored.sandbox[1]!)).payload).toEqual({ aps: { alert: 'Stored 1' } })
  expect((await arrived(old.queued)).payload).toEqual({ aps: { alert: 'Queued' } })
})

test.each(environments)(
  'in %s apps keep their device tokens, keys and certificates are good',
  async (name) => {
    expect(await apps[name].register()).toBe(old.deviceTokens[name])
    const byToken = await clientFor(name, tokenAuth(old.teamKey))(old.deviceTokens[name], 'By token')
    expect(byToken).toMatchObject({ ok: true })
    await arrived(byToken.apnsId!)
    if (name === 'production') return
    const auths = [tokenAuth(old.sandboxKey), { type: 'certificate', ...old.certificate } as const]
    for (const auth of auths) {
      const result = await clientFor(name, auth)(old.deviceTokens[name], auth.type)
      expect(result).toMatchObject({ ok: true })
      await arrived(result.apnsId!)
    }
  },
)

test('what was limited or revoked stays so', async () => {
  const { sandbox, production } = old.deviceTokens
  const send = async (environment: 'sandbox' | 'production', auth: PushClientOptions['auth'], to: string) =>
    (await clientFor(environment, auth)(to, 'Never')) as { reason?: string }
  expect(await send('sandbox', tokenAuth(old.revokedKey), sandbox)).toMatchObject({
    reason: 'InvalidProviderToken',
  })
  expect(await send('production', tokenAuth(old.sandboxKey), production)).toMatchObject({
    reason: 'BadEnvironmentKeyInToken',
  })
  const certificate = { type: 'certificate', ...old.revokedCertificate } as const
  expect(await send('sandbox', certificate, sandbox)).toMatchObject({ reason: 'BadCertificate' })
})

test('a token that was dead is dead since the same time, and the feedback service tells of it', async () => {
  const result = await clientFor('sandbox', tokenAuth(old.teamKey))(old.deadToken, 'Nobody')
  expect(result).toMatchObject({ ok: false, reason: 'Unregistered', timestamp: old.deadSinceMs })
  const told: GoneToken[] = []
  const feedback = new FeedbackClient({
    ...{ auth: { type: 'certificate', ...old.certificate }, environment: 'sandbox', ca: caPem },
    ...system.endpoints.environments.sandbox.feedback!,
  })
  for await (const token of feedback) told.push(token)
  expect(told).toEqual([{ token: old.deadToken, at: new Date(Math.floor(old.deadSinceMs / 1000) * 1000) }])
})

test('the provider knows its app and its devices', async () => {
  const { url } = system.endpoints.provider
  const headers = { authorization: `Bearer ${old.apiKey}` }
  const answer = await fetch(`${url}/v1/devices/${old.deviceTokens.sandbox}`, { headers })
  expect([answer.status, await answer.json()]).toMatchObject([200, { user: 'anna', locale: 'de' }])
})

test('its databases become what a new system has', async () => {
  const upgraded = (await writeFirstRelease(join(dir, 'again'))).dataDir
  const fresh = join(dir, 'fresh')
  for (const dataDir of [upgraded, fresh]) await (await startSystem({ dataDir, ports: 'auto' })).close()
  for (const file of databases) {
    expect(columnsOf(join(upgraded, file)), file).toEqual(columnsOf(join(fresh, file)))
  }
})

const databases = [
  'portal/portal.db',
  'provider/provider.sqlite',
  'sandbox/push.sqlite',
  'production/push.sqlite',
]

/** Each table and index with its columns. */
function columnsOf(file: string): unknown[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const columns = database.prepare(
    `SELECT item.type, item.name AS item, field.name, field.type AS declared, field."notnull", field.dflt_value
     FROM sqlite_master AS item JOIN pragma_table_xinfo(item.name) AS field ORDER BY item.name, field.cid`,
  )
  const rows = columns.all()
  database.close()
  return rows
}

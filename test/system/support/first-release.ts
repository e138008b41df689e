import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Migration, openDatabase, type SqlValue } from '@carillon/database'
import { createSigningRequest } from '@carillon/device'
import { type IssuedKey, openPortal, type Portal } from '@carillon/portal'
import type { Environment } from '@carillon/wire'
import { firstPortalSchema, firstProviderSchema, firstServiceSchema } from './first-release-schema.ts'

/** The app of each environment. */
export const appIn = { sandbox: 'com.example.app', production: 'com.example.shop' } as const

/** What waits in a data directory of the first release, and what it had given out. */
export interface FirstRelease {
  readonly dataDir: string
  readonly stateDir: string
  readonly udid: string
  readonly profiles: Readonly<Record<Environment, Uint8Array>>
  /** Hex. */
  readonly deviceTokens: Readonly<Record<Environment, string>>
  /** A token in the sandbox whose app was removed. */
  readonly deadToken: string
  readonly deadSinceMs: number
  readonly teamKey: IssuedKey
  readonly sandboxKey: IssuedKey
  readonly revokedKey: IssuedKey
  readonly certificate: { readonly cert: string; readonly key: string }
  readonly revokedCertificate: { readonly cert: string; readonly key: string }
  readonly apiKey: string
  /** The `apns-id` of all that waits for the phone, in each environment in order. */
  readonly stored: Readonly<Record<Environment, readonly string[]>>
  /** What the provider has accepted and not sent yet. */
  readonly queued: string
}

/**
 * Makes a data directory with the files and rows that the first release wrote, and beside it the state of a phone
 * with two apps. Keys and certificates are made by the portal, which then gets a database of that time.
 */
export async function writeFirstRelease(dir: string): Promise<FirstRelease> {
  const dataDir = join(dir, 'data')
  const stateDir = join(dir, 'phone')
  const deviceTokens = { sandbox: hex(32), production: hex(32) }
  const deadToken = hex(32)
  const deadSinceMs = Date.now() - 3_600_000
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const issued = await issue(join(dataDir, 'portal'), stateDir)
  await writeState(stateDir, deviceTokens)
  const stored = {
    sandbox: [randomUuid(), randomUuid(), randomUuid()],
    production: [randomUuid()],
  }
  for (const environment of ['sandbox', 'production'] as const) {
    await writeService(
      join(dataDir, environment),
      { deviceId: issued.deviceId, app: appIn[environment], token: deviceTokens[environment] },
      stored[environment],
      environment === 'sandbox' ? { token: deadToken, sinceMs: deadSinceMs } : undefined,
    )
  }
  const queued = randomUuid()
  await writeProvider(join(dataDir, 'provider'), issued.teamKey, deviceTokens.sandbox, queued)
  const apiKey = randomBytes(32).toString('base64url')
  await writeFile(join(dataDir, 'provider.key'), `${apiKey}\n`, { mode: 0o600 })
  return { dataDir, stateDir, deviceTokens, deadToken, deadSinceMs, apiKey, stored, queued, ...issued }
}

type Issued = Pick<
  FirstRelease,
  'udid' | 'profiles' | 'teamKey' | 'sandboxKey' | 'revokedKey' | 'certificate' | 'revokedCertificate'
> & { readonly deviceId: string }

/** CA, keys, certificates and profiles, and the rows in which the first release kept them. */
async function issue(dataDir: string, stateDir: string): Promise<Issued> {
  const portal = await openPortal({ dataDir, teamName: 'First', now: Date.now })
  const apps = [
    await portal.apps.create({ bundleId: appIn.sandbox, name: 'App', inboxMax: 3 }),
    await portal.apps.create({ bundleId: appIn.production, name: 'Shop' }),
  ]
  const teamKey = await portal.keys.create({ name: 'Team' })
  const topics = [appIn.sandbox]
  const sandboxKey = await portal.keys.create({ name: 'Sandbox', environment: 'sandbox', topics })
  const revokedKey = await portal.keys.create({ name: 'Revoked' })
  const kind = { bundleId: appIn.sandbox, kind: 'universal' } as const
  const certificate = await portal.certificates.create(kind)
  const revokedCertificate = await portal.certificates.create(kind)
  const phone = await activatePhone(portal, stateDir)
  const development = await portal.profiles.create({
    bundleId: appIn.sandbox,
    kind: 'development',
    deviceIds: [phone.deviceId],
  })
  const inhouse = await portal.profiles.create({ bundleId: appIn.production, kind: 'inhouse' })
  await portal.close()
  for (const end of ['', '-wal', '-shm']) await rm(join(dataDir, `portal.db${end}`), { force: true })
  const now = Date.now()
  const keyRow = (key: IssuedKey, environment: string, only: string | null, revokedAt: number | null) => [
    ...[key.keyId, key.name, environment, only, now, revokedAt, key.publicKeyPem],
  ]
  const certificateRow = (of: typeof certificate, revokedAt: number | null) => [
    ...[of.serial, appIn.sandbox, 'universal', of.notBefore, of.notAfter, revokedAt, derOf(of.certPem)],
  ]
  await writeRows(join(dataDir, 'portal.db'), firstPortalSchema, [
    ['apps', apps.map((app) => [app.bundleId, app.name, 1, app.inboxMax, now])],
    ['certificates', [certificateRow(certificate, null), certificateRow(revokedCertificate, now)]],
    [
      'auth_keys',
      [
        keyRow(teamKey, 'all', null, null),
        keyRow(sandboxKey, 'sandbox', JSON.stringify(topics), null),
        keyRow(revokedKey, 'all', null, now),
      ],
    ],
    ['devices', [[phone.deviceId, phone.udid, 'Phone', 1, now, now, null]]],
    ['device_certificates', [[phone.serial, phone.deviceId, phone.notAfter, derOf(phone.certPem)]]],
    [
      'profiles',
      [development, inhouse].map((one) => [
        ...[one.uuid, one.name, one.bundleId, one.kind, now, one.expiresAt, one.der],
      ]),
    ],
  ])
  const filesOf = ({ certPem, chainPem, keyPem = '' }: typeof certificate) => ({
    cert: certPem + chainPem,
    key: keyPem,
  })
  return {
    ...{ deviceId: phone.deviceId, udid: phone.udid, teamKey, sandboxKey, revokedKey },
    profiles: { sandbox: development.der, production: inhouse.der },
    certificate: filesOf(certificate),
    revokedCertificate: filesOf(revokedCertificate),
  }
}

/** A registered phone with its key and certificate in its state directory. */
async function activatePhone(portal: Portal, stateDir: string) {
  const { udid } = await portal.devices.add({ name: 'Phone' })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const csrPem = await createSigningRequest(privateKey, 'Carillon device')
  const activation = await portal.devices.activate({ csrPem, udid })
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  await writeFile(join(stateDir, 'device.key.pem'), keyPem, { mode: 0o600 })
  const { certPem, chainPem } = activation
  await writeFile(join(stateDir, 'device.pem'), `${certPem.trimEnd()}\n${chainPem}`, { mode: 0o600 })
  return activation
}

/** Base token and installation of the phone in each environment: rows of the service name them as well. */
const baseToken = randomBytes(32)
const installation = randomBytes(8)

function writeState(stateDir: string, deviceTokens: FirstRelease['deviceTokens']): Promise<void> {
  const apps = (['sandbox', 'production'] as const).map((environment) => ({
    ...{ bundleId: appIn[environment], environment, installation: installation.toString('hex'), badge: 2 },
    deviceToken: deviceTokens[environment],
  }))
  const base = baseToken.toString('hex')
  const state = { version: 1, baseTokens: { sandbox: base, production: base }, apps, gone: [] }
  return writeFile(join(stateDir, 'state.json'), `${JSON.stringify(state)}\n`, { mode: 0o600 })
}

async function writeService(
  directory: string,
  phone: { readonly deviceId: string; readonly app: string; readonly token: string },
  apnsIds: readonly string[],
  dead: { readonly token: string; readonly sinceMs: number } | undefined,
): Promise<void> {
  const now = Date.now()
  const { deviceId, app } = phone
  const token = Buffer.from(phone.token, 'hex')
  const expires = Math.floor(now / 1000) + 86_400
  const gone = 'com.example.app'
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeRows(join(directory, 'push.sqlite'), firstServiceSchema, [
    [
      'devices',
      [
        [1, deviceId, baseToken, now],
        [2, 'ANOTHER123', randomBytes(32), now],
      ],
    ],
    [
      'tokens',
      [
        [1, token, 1, app, app, installation, now, 0],
        ...(dead === undefined
          ? []
          : [[2, Buffer.from(dead.token, 'hex'), 2, gone, gone, null, now - 7_200_000, dead.sinceMs]]),
      ],
    ],
    [
      'messages',
      // The first was sent and not acknowledged: it stays whatever the inbox rule says.
      apnsIds.map((apnsId, index) => [
        ...[index + 1, 1, app, '', index === 0 ? 0 : 3, expires],
        recordOf({ apnsId, app, token, payload: `{"aps":{"alert":"Stored ${index}"}}`, now }),
      ]),
    ],
  ])
}

/** The record of a message, version 1, byte for byte. */
function recordOf(message: { apnsId: string; app: string; token: Buffer; payload: string; now: number }) {
  const { apnsId, app, token, payload, now } = message
  const received = Buffer.alloc(8)
  received.writeBigUInt64BE(BigInt(now))
  return Buffer.concat([
    Buffer.from([1, 10, 'alert'.length, app.length, token.length]),
    Buffer.from(apnsId.replaceAll('-', ''), 'hex'),
    received,
    Buffer.from(`alert${app}`, 'latin1'),
    token,
    Buffer.from(payload),
  ])
}

async function writeProvider(directory: string, key: IssuedKey, token: string, id: string): Promise<void> {
  const now = Date.now()
  const app = appIn.sandbox
  const { keyId, teamId, privateKeyPem } = key
  const credentials = JSON.stringify({ type: 'token', keyId, teamId, privateKeyPem })
  const expires = now + 86_400_000
  const payload = '{"aps":{"alert":"Queued"}}'
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeRows(join(directory, 'provider.sqlite'), firstProviderSchema, [
    ['app', [[app, now, now]]],
    ['app_environment', [[app, 'sandbox', credentials, '"local"', now]]],
    ['device', [[token, app, 'sandbox', 'anna', 'de', now, now, null, null]]],
    [
      'message',
      [[id, app, app, 'alert', 10, Math.ceil(expires / 1000), null, payload, now, expires, null, null]],
    ],
    // Its attempt was under way when the system ended.
    [
      'recipient',
      [[1, id, 0, token, app, 'sandbox', id, 'sending', now + 60_000, 'p1', 1, null, null, null]],
    ],
  ])
}

type Rows = readonly [table: string, rows: readonly (readonly SqlValue[])[]]

/** A database of that schema with these rows, each with all its columns. */
async function writeRows(file: string, migrations: readonly Migration[], tables: readonly Rows[]) {
  const database = await openDatabase({ engine: 'sqlite', file, migrations })
  for (const [table, rows] of tables) {
    for (const row of rows) {
      const places = row.map(() => '?').join(', ')
      await database.run(database.prepare(`INSERT INTO ${table} VALUES (${places})`), row)
    }
  }
  await database.close()
}

function derOf(pem: string): Uint8Array {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
}

function hex(bytes: number): string {
  return randomBytes(bytes).toString('hex')
}

function randomUuid(): string {
  return crypto.randomUUID()
}

import { createPublicKey } from 'node:crypto'
import type { Database, Row } from '@carillon/database'
import { PortalError } from '../errors.ts'
import { type App, type AuthKey, keyEnvironments, pushCertificateKinds, type Team } from '../operations.ts'
import { readPages } from '../store/read-pages.ts'
import type { CertificateRecord, RegistryMemory } from './context.ts'

/** Reads what the path of a push asks about. Its size is bounded by the limits at writing. */
export async function loadMemory(database: Database, team: Team): Promise<RegistryMemory> {
  const count = async (table: 'devices' | 'profiles') => {
    const row = await database.get(database.prepare(`SELECT COUNT(*) AS number FROM ${table}`))
    return Number(row?.number ?? 0)
  }
  const apps = await readPages(database, 'SELECT * FROM apps', 'bundle_id')
  const keys = await readPages(database, 'SELECT * FROM auth_keys', 'key_id')
  const certificates = await readPages(database, 'SELECT * FROM certificates', 'serial')
  const disabled = await readPages(
    database,
    'SELECT device_id, udid FROM (SELECT * FROM devices WHERE disabled_at IS NOT NULL) AS disabled',
    'device_id',
  )
  const disabledCertificates = await readPages(
    database,
    `SELECT serial FROM (SELECT c.serial FROM devices d JOIN device_certificates c ON c.device_id = d.device_id
      WHERE d.disabled_at IS NOT NULL) AS disabled`,
    'serial',
  )
  return {
    apps: new Map(apps.map((row) => [String(row.bundle_id), appOf(row, team)])),
    keys: keysOf(keys, team),
    publicKeys: new Map(keys.map((row) => [String(row.key_id), createPublicKey(String(row.public_key_pem))])),
    certificates: new Map(certificates.map((row) => [String(row.serial), certificateOf(row)])),
    disabledDevices: new Set(disabled.flatMap((row) => [String(row.device_id), String(row.udid)])),
    disabledCertificates: new Set(disabledCertificates.map((row) => String(row.serial))),
    counts: { devices: await count('devices'), profiles: await count('profiles') },
  }
}

function appOf(row: Row, { teamId }: Team): App {
  const bundleId = String(row.bundle_id)
  return {
    bundleId,
    name: String(row.name),
    teamId,
    appId: `${teamId}.${bundleId}`,
    push: Number(row.push) === 1,
    inboxMax: Number(row.inbox_max),
    broadcast: Number(row.broadcast) === 1,
    createdAt: Number(row.created_at),
  }
}

function keysOf(rows: readonly Row[], team: Team): Map<string, AuthKey> {
  const keys = new Map(rows.map((row) => [String(row.key_id), keyOf(row, team)]))
  for (const row of rows) {
    const earlier = keys.get(String(row.related_key_id))
    if (earlier) keys.set(earlier.keyId, { ...earlier, relatedKeyId: String(row.key_id) })
  }
  return keys
}

function keyOf(row: Row, { teamId }: Team): AuthKey {
  const topics = row.topics === null ? undefined : (JSON.parse(String(row.topics)) as string[])
  return {
    keyId: String(row.key_id),
    teamId,
    name: String(row.name),
    environment: oneOf(keyEnvironments, row.environment, 'auth_keys.environment'),
    scope: topics === undefined ? 'team' : 'topics',
    topics: topics ?? [],
    ...(row.related_key_id === null ? {} : { relatedKeyId: String(row.related_key_id) }),
    status: row.revoked_at === null ? 'active' : 'revoked',
    createdAt: Number(row.created_at),
    ...(row.revoked_at === null ? {} : { revokedAt: Number(row.revoked_at) }),
    publicKeyPem: String(row.public_key_pem),
  }
}

function certificateOf(row: Row): CertificateRecord {
  return {
    serial: String(row.serial),
    bundleId: String(row.bundle_id),
    kind: oneOf(pushCertificateKinds, row.kind, 'certificates.kind'),
    notBefore: Number(row.not_before),
    notAfter: Number(row.not_after),
    revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
    der: row.der as Uint8Array,
  }
}

/** The value, if it is one of those that were written; anything else was not written by this version. */
export function oneOf<Value extends string>(values: readonly Value[], value: unknown, column: string): Value {
  const known = values.find((candidate) => candidate === value)
  if (known !== undefined) return known
  throw new PortalError(
    'DATABASE',
    `The portal's database holds "${value}" in ${column}, which this version does not know.`,
    'Use the version of Carillon that wrote it, or a newer one.',
  )
}

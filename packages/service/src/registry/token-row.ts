import type { Row } from '@carillon/database'
import { deviceTokenBytes, encodeDeviceToken } from '@carillon/wire'
import { type DeviceRecord, dayMs, type TokenRecord } from './registry.ts'
import { RegistryError } from './registry-error.ts'

/** The columns that `tokenOfRow` reads. */
export const tokenColumns =
  'token, device, bundle_id, topic, installation, inactive_since, issued_at, asked_at'

/** A token as it is stored: the record and what only the registry needs. */
export interface StoredToken {
  readonly record: TokenRecord
  /** 8 bytes by which a reinstalled app is told from the one before it. */
  readonly installation: Uint8Array | undefined
}

/** Bundle ids and topics are few and tokens are many: every record shares one string for each. */
const shared = new Map<string, string>()

export function tokenOfRow(row: Row): StoredToken {
  const { token, device, bundle_id: bundleId, topic, installation, inactive_since: inactiveSince } = row
  if (!(token instanceof Uint8Array) || token.length !== deviceTokenBytes || typeof device !== 'number') {
    throw new RegistryError('REGISTRY_DAMAGED', 'a row of the table tokens holds no device token of 32 bytes')
  }
  // A copy of its own: the row's bytes may be a view that keeps a much larger buffer in memory.
  const record = tokenRecord(
    new Uint8Array(token),
    device,
    String(bundleId),
    String(topic),
    Number(inactiveSince),
    Math.max(Number(row.issued_at), Number(row.asked_at)),
  )
  return { record, installation: installation instanceof Uint8Array ? installation : undefined }
}

export function tokenRecord(
  tokenBytes: Uint8Array,
  device: number,
  bundleId: string,
  topic: string,
  inactiveSinceMs: number,
  askedAtMs: number,
): TokenRecord {
  return {
    token: encodeDeviceToken(tokenBytes),
    tokenBytes,
    device,
    bundleId: share(bundleId),
    topic: share(topic),
    inactiveSinceMs,
    askedDay: Math.floor(askedAtMs / dayMs),
  }
}

export function deviceOfRow(row: Row): DeviceRecord {
  const { id, device_id: deviceId, base_token: baseToken } = row
  if (typeof id !== 'number' || typeof deviceId !== 'string' || !(baseToken instanceof Uint8Array)) {
    throw new RegistryError('REGISTRY_DAMAGED', 'a row of the table devices holds no device')
  }
  return { id, deviceId, baseToken: new Uint8Array(baseToken) }
}

function share(text: string): string {
  const known = shared.get(text)
  if (known !== undefined) return known
  shared.set(text, text)
  return text
}

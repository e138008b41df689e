import type { Database, Row } from '@carillon/database'

/** A device with what the registry knows of it. */
export interface DeviceRow {
  /** Row number. */
  readonly device: number
  readonly deviceId: string
  readonly enrolledAtMs: number
}

/** A device token with what is stored for it. */
export interface TokenRow {
  readonly token: string
  readonly device: number
  readonly deviceId: string
  readonly app: string
  readonly topic: string
  readonly issuedAtMs: number
  /** 0 while it is active. */
  readonly inactiveSinceMs: number
  /** Notifications of its app that wait for its device. */
  readonly stored: number
}

/** Reads devices and tokens for operators; not for the hot path. */
export class DeviceReading {
  readonly #database: Database
  readonly #statements

  constructor(database: Database) {
    this.#database = database
    this.#statements = {
      list: database.prepare(`${devicesSql} WHERE id > ? ORDER BY id LIMIT ?`),
      device: database.prepare(`${devicesSql} WHERE device_id = ?`),
      tokensOf: database.prepare(`${tokensSql} WHERE tokens.device = ? ORDER BY tokens.id DESC LIMIT ?`),
      token: database.prepare(`${tokensSql} WHERE tokens.token = ?`),
    }
  }

  /** @param after row number of the last device of the page before, 0 for the first page */
  async devices(after: number, limit: number): Promise<DeviceRow[]> {
    const rows = await this.#database.all(this.#statements.list, [after, limit])
    return rows.map(deviceOf)
  }

  async device(deviceId: string): Promise<DeviceRow | undefined> {
    const row = await this.#database.get(this.#statements.device, [deviceId])
    return row && deviceOf(row)
  }

  /** The newest first. */
  async tokensOf(device: number, nowMs: number, limit: number): Promise<TokenRow[]> {
    const nowSeconds = Math.floor(nowMs / 1000)
    const rows = await this.#database.all(this.#statements.tokensOf, [nowSeconds, device, limit])
    return rows.map(tokenOf)
  }

  async token(token: Uint8Array, nowMs: number): Promise<TokenRow | undefined> {
    const row = await this.#database.get(this.#statements.token, [Math.floor(nowMs / 1000), token])
    return row && tokenOf(row)
  }
}

const devicesSql = 'SELECT id, device_id, enrolled_at FROM devices'

const tokensSql = `
  SELECT tokens.token, tokens.device, devices.device_id, tokens.bundle_id, tokens.topic, tokens.issued_at,
    tokens.inactive_since,
    (SELECT count(*) FROM messages
     WHERE messages.device = tokens.device AND messages.app = tokens.bundle_id AND messages.expires > ?) AS stored
  FROM tokens JOIN devices ON devices.id = tokens.device
`

function deviceOf(row: Row): DeviceRow {
  return { device: Number(row.id), deviceId: String(row.device_id), enrolledAtMs: Number(row.enrolled_at) }
}

function tokenOf(row: Row): TokenRow {
  return {
    token: Buffer.from(row.token as Uint8Array).toString('hex'),
    device: Number(row.device),
    deviceId: String(row.device_id),
    app: String(row.bundle_id),
    topic: String(row.topic),
    issuedAtMs: Number(row.issued_at),
    inactiveSinceMs: Number(row.inactive_since),
    stored: Number(row.stored),
  }
}

import type { Database, Statement } from '@carillon/database'
import type { Environment } from '@carillon/wire'

/** One registration of one app on one device. Times are milliseconds since 1970. */
export interface Device {
  /** Lower-case hex. */
  readonly token: string
  readonly bundleId: string
  readonly environment: Environment
  readonly user: string | undefined
  readonly locale: string | undefined
  readonly registeredAt: number
  readonly lastRegisteredAt: number
  /** Set when the push service said that the token is dead; registering again clears it. */
  readonly retiredAt: number | undefined
  readonly retiredReason: string | undefined
}

/** What a client app says of itself. */
export interface Registration {
  readonly token: string
  readonly bundleId: string
  readonly environment: Environment
  readonly user?: string | undefined
  readonly locale?: string | undefined
}

interface DeviceRow {
  readonly token: string
  readonly bundle_id: string
  readonly environment: Environment
  readonly user_name: string | null
  readonly locale: string | null
  readonly registered_at: number
  readonly last_registered_at: number
  readonly retired_at: number | null
  readonly retired_reason: string | null
}

const columns =
  'token, bundle_id, environment, user_name, locale, registered_at, last_registered_at, retired_at, retired_reason'

/** The device tokens. A token has one owner: registering it again moves it, and revives it when it was retired. */
export class DeviceRegistry {
  readonly #database: Database
  readonly #register: Statement
  readonly #byToken: Statement
  readonly #retire: Statement

  constructor(database: Database) {
    this.#database = database
    this.#register = database.prepare(
      `INSERT INTO device (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)
       ON CONFLICT (token) DO UPDATE SET
         bundle_id = excluded.bundle_id, environment = excluded.environment, user_name = excluded.user_name,
         locale = excluded.locale, last_registered_at = excluded.last_registered_at,
         retired_at = NULL, retired_reason = NULL
       RETURNING ${columns}`,
    )
    this.#byToken = database.prepare(`SELECT ${columns} FROM device WHERE token = ?`)
    this.#retire = database.prepare(
      'UPDATE device SET retired_at = ?, retired_reason = ? WHERE token = ? AND retired_at IS NULL AND last_registered_at <= ?',
    )
  }

  async register(registration: Registration, now: number): Promise<Device> {
    const { token, bundleId, environment, user, locale } = registration
    const parameters = [token, bundleId, environment, user ?? null, locale ?? null, now, now]
    const [row] = await this.#database.returning<DeviceRow>(this.#register, parameters)
    return toDevice(row!)
  }

  async get(token: string): Promise<Device | undefined> {
    const row = await this.#database.get<DeviceRow>(this.#byToken, [token])
    return row === undefined ? undefined : toDevice(row)
  }

  /**
   * Retires a token that was dead at `deadAt`. One that was registered after that time lives: the app got it
   * anew, and the push service speaks of the time before.
   */
  async retire(token: string, reason: string, deadAt: number, now: number): Promise<boolean> {
    return (await this.#database.run(this.#retire, [now, reason, token, deadAt])) > 0
  }
}

function toDevice(row: DeviceRow): Device {
  return {
    token: row.token,
    bundleId: row.bundle_id,
    environment: row.environment,
    user: row.user_name ?? undefined,
    locale: row.locale ?? undefined,
    registeredAt: row.registered_at,
    lastRegisteredAt: row.last_registered_at,
    retiredAt: row.retired_at ?? undefined,
    retiredReason: row.retired_reason ?? undefined,
  }
}

import type { Database, Statement } from '@carillon/database'
import type { Environment } from '@carillon/wire'
import { environments } from '@carillon/wire'
import { limits } from '../limits.ts'
import { ProviderError } from '../provider-error.ts'
import type { Connect, Credentials, RegisteredSender } from '../sender.ts'

/** What is told of an app: everything but its keys. */
export interface AppDescription {
  readonly bundleId: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly environments: Partial<Record<Environment, EnvironmentDescription>>
}

interface EnvironmentDescription {
  readonly credentials:
    | { readonly type: 'token'; readonly keyId: string; readonly teamId: string }
    | { readonly type: 'certificate' }
  readonly connect?: { readonly host: string; readonly port: number } | 'local'
}

/** How an app reaches each environment that it is registered for. */
export type AppEnvironments = {
  readonly [E in Environment]?:
    | { readonly credentials: Credentials; readonly connect?: Connect | undefined }
    | undefined
}

interface EnvironmentRow {
  readonly bundle_id: string
  readonly environment: Environment
  readonly credentials: string
  readonly connect: string | null
}

/** The apps that this provider sends for, with their credentials. */
export class AppRegistry {
  readonly #database: Database
  /** What was found once stays: apps are never removed. */
  readonly #reachable = new Set<string>()
  readonly #statements: Record<
    'saveApp' | 'saveEnvironment' | 'app' | 'environments' | 'environment' | 'all',
    Statement
  >

  constructor(database: Database) {
    this.#database = database
    this.#statements = {
      saveApp: database.prepare(
        'INSERT INTO app (bundle_id, created_at, updated_at) VALUES (?, ?, ?) ON CONFLICT (bundle_id) DO UPDATE SET updated_at = excluded.updated_at',
      ),
      saveEnvironment: database.prepare(
        `INSERT INTO app_environment (bundle_id, environment, credentials, connect, updated_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (bundle_id, environment) DO UPDATE SET
           credentials = excluded.credentials, connect = excluded.connect, updated_at = excluded.updated_at`,
      ),
      app: database.prepare('SELECT created_at, updated_at FROM app WHERE bundle_id = ?'),
      environments: database.prepare(
        'SELECT bundle_id, environment, credentials, connect FROM app_environment WHERE bundle_id = ?',
      ),
      environment: database.prepare(
        'SELECT bundle_id, environment, credentials, connect FROM app_environment WHERE bundle_id = ? AND environment = ?',
      ),
      all: database.prepare(
        'SELECT bundle_id, environment FROM app_environment ORDER BY bundle_id, environment',
      ),
    }
  }

  /** Registers an app or replaces what is given of it; environments that are not named stay. */
  async save(bundleId: string, given: AppEnvironments, now: number): Promise<AppDescription> {
    const writes = environments
      .filter((environment) => given[environment] !== undefined)
      .map((environment) => {
        const { credentials, connect } = given[environment]!
        const connectJson = connect === undefined ? null : JSON.stringify(connect)
        const parameters = [bundleId, environment, JSON.stringify(credentials), connectJson, now]
        return { statement: this.#statements.saveEnvironment, parameters }
      })
    await this.#database.transaction([
      { statement: this.#statements.saveApp, parameters: [bundleId, now, now] },
      ...writes,
    ])
    return this.get(bundleId)
  }

  async get(bundleId: string): Promise<AppDescription> {
    const [app, rows] = await Promise.all([
      this.#database.get<{ created_at: number; updated_at: number }>(this.#statements.app, [bundleId]),
      this.#database.all<EnvironmentRow>(this.#statements.environments, [bundleId]),
    ])
    if (app === undefined) throw unknownApp(bundleId)
    return {
      bundleId,
      createdAt: app.created_at,
      updatedAt: app.updated_at,
      environments: Object.fromEntries(rows.map((row) => [row.environment, describeEnvironment(row)])),
    }
  }

  /** Throws where the app is not registered, or not for that environment. */
  async assertReachable(bundleId: string, environment: Environment): Promise<void> {
    const lane = `${environment} ${bundleId}`
    if (this.#reachable.has(lane)) return
    await this.senderOptions(bundleId, environment)
    if (this.#reachable.size >= limits.lanesRememberedMax) this.#reachable.clear()
    this.#reachable.add(lane)
  }

  /** What a sender for the app needs, keys included. */
  async senderOptions(bundleId: string, environment: Environment): Promise<RegisteredSender> {
    const parameters = [bundleId, environment]
    const row = await this.#database.get<EnvironmentRow>(this.#statements.environment, parameters)
    if (row === undefined) {
      await this.get(bundleId)
      throw new ProviderError(
        'ENVIRONMENT_UNKNOWN',
        `The app ${bundleId} is not registered for ${environment}; add its credentials with POST /v1/apps.`,
      )
    }
    const connect = row.connect === null ? undefined : (JSON.parse(row.connect) as Connect)
    return { environment, credentials: JSON.parse(row.credentials) as Credentials, connect }
  }

  /** Every app and environment that can be sent to. */
  async lanes(): Promise<{ bundleId: string; environment: Environment }[]> {
    const rows = await this.#database.all<EnvironmentRow>(this.#statements.all)
    return rows.map((row) => ({ bundleId: row.bundle_id, environment: row.environment }))
  }
}

function describeEnvironment(row: EnvironmentRow): EnvironmentDescription {
  const credentials = JSON.parse(row.credentials) as Credentials
  const connect = row.connect === null ? undefined : (JSON.parse(row.connect) as Connect)
  return {
    credentials:
      credentials.type === 'token'
        ? { type: 'token', keyId: credentials.keyId, teamId: credentials.teamId }
        : { type: 'certificate' },
    ...(connect === undefined ? {} : { connect: described(connect) }),
  }
}

function described(connect: Connect): { host: string; port: number } | 'local' {
  return connect === 'local' ? connect : { host: connect.host, port: connect.port }
}

function unknownApp(bundleId: string): ProviderError {
  return new ProviderError('APP_UNKNOWN', `There is no app ${bundleId}; register it with POST /v1/apps.`)
}

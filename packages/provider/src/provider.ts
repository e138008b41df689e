import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { PushClient } from '@carillon/apns'
import { type Database, openDatabase } from '@carillon/database'
import type { Environment } from '@carillon/wire'
import { Dispatcher } from './dispatch/dispatcher.ts'
import type { After } from './dispatch/lane.ts'
import { MessageCache } from './dispatch/message-cache.ts'
import { serveHttp } from './drivers/http-server.ts'
import { createApi } from './http/api.ts'
import { limits } from './limits.ts'
import { providerMigrations } from './migrations.ts'
import { Outbox } from './outbox/outbox.ts'
import { ProviderError } from './provider-error.ts'
import { AppRegistry } from './registry/app-registry.ts'
import { DeviceRegistry } from './registry/device-registry.ts'
import type { ConnectRegistered, ConnectSender, ServiceAddress } from './sender.ts'

/** What a provider is started with. Give `database` (opened with `providerMigrations`) or `dataDir`. */
export interface ProviderOptions {
  /** An open database, which stays open when the provider is closed. */
  readonly database?: Database
  /** An existing directory, for `provider.sqlite` in it. */
  readonly dataDir?: string
  /** Default 127.0.0.1. Another address needs `tls`. */
  readonly host?: string
  /** Default 0: the system chooses. */
  readonly port?: number
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Every request under /v1 must carry one of them. At least one, of 16 characters or more. */
  readonly apiKeys: readonly string[]
  /** Milliseconds since 1970. */
  readonly now?: () => number
  readonly random?: (bytes: number) => Uint8Array
  /** For retries; the timers of Node by default. */
  readonly after?: After
  /** Where the push service beside this provider listens: what apps registered with `connect: 'local'` send to. */
  readonly localServices?: { readonly [E in Environment]?: ServiceAddress }
  /** Makes the connection of an app to its push service; a PushClient of `@carillon/apns` by default. */
  readonly connectPushClient?: ConnectSender
  /** Told of errors that are nobody's request: the database, a bug. By default a process warning. */
  readonly onFailure?: (error: unknown) => void
}

/** A running provider. */
export interface Provider {
  /** `http://127.0.0.1:49152` */
  readonly url: string
  /** Finishes what is under way (briefly), and closes. What was accepted and not sent is sent after the next start. */
  close(): Promise<void>
}

const apiKeyLengthMin = 16

/**
 * Starts the push server of an app's back end: HTTP API, outbox, dispatcher.
 *
 * @throws ProviderError ADDRESS_UNUSABLE, TLS_REQUIRED, INVALID_REQUEST; DatabaseError as `openDatabase`
 */
export async function startProvider(options: ProviderOptions): Promise<Provider> {
  assertKeys(options.apiKeys)
  const now = options.now ?? Date.now
  const random = options.random ?? randomBytes
  const after = options.after ?? nodeAfter
  const onFailure = options.onFailure ?? warnOfFailure
  const connectSender = withLocal(options.connectPushClient ?? connectPushClient, options.localServices ?? {})
  const database = options.database ?? (await openOwnDatabase(options.dataDir))
  const closeDatabase = async () => {
    if (options.database === undefined) await database.close()
  }
  try {
    const apps = new AppRegistry(database)
    const devices = new DeviceRegistry(database)
    const outbox = new Outbox(database)
    const messages = new MessageCache(outbox)
    const owner = Buffer.from(random(8)).toString('hex')
    const world = { outbox, devices, messages, owner, now, random, after, onFailure }
    const dispatcher = new Dispatcher(apps, connectSender, world)
    const api = createApi({ ...world, apps, dispatcher, connectSender, apiKeys: options.apiKeys })
    // A SQLite database has one process at a time, so every lease in it belongs to one that is gone. On
    // PostgreSQL others may be at work, and leases end by themselves.
    if (database.engine === 'sqlite') await outbox.endLeases(now())
    const { host = '127.0.0.1', port = 0, tls } = options
    const server = await serveHttp((request) => api.fetch(request), { host, port, tls })
    try {
      await dispatcher.wakeAll()
    } catch (error) {
      await server.close()
      await dispatcher.stop()
      throw error
    }
    const stopSweeping = sweepRegularly(outbox, now, after, onFailure)
    let closed: Promise<void> | undefined
    const close = async () => {
      stopSweeping()
      await server.close()
      await dispatcher.stop()
      await closeDatabase()
    }
    return {
      url: server.url,
      close: () => {
        closed ??= close()
        return closed
      },
    }
  } catch (error) {
    await closeDatabase()
    throw error
  }
}

/** The sender that a provider uses by default. */
export const connectPushClient: ConnectSender = ({ environment, credentials, connect }) =>
  new PushClient({
    environment,
    // The outbox tries again, durably and with pauses of its own.
    retry: false,
    auth:
      credentials.type === 'token'
        ? {
            type: 'token',
            keyId: credentials.keyId,
            teamId: credentials.teamId,
            privateKey: credentials.privateKeyPem,
          }
        : { type: 'certificate', cert: credentials.certPem, key: credentials.keyPem },
    ...(connect === undefined ? {} : { host: connect.host, port: connect.port }),
    ...(connect?.ca === undefined ? {} : { ca: connect.ca }),
    ...(connect?.serverName === undefined ? {} : { serverName: connect.serverName }),
  })

/** Puts the address of the service beside us in the place of `local`. */
function withLocal(
  connectSender: ConnectSender,
  services: { readonly [E in Environment]?: ServiceAddress },
): ConnectRegistered {
  return ({ connect, ...options }) => {
    if (connect !== 'local') return connectSender({ ...options, connect })
    const address = services[options.environment]
    if (address) return connectSender({ ...options, connect: address })
    throw new ProviderError(
      'INVALID_REQUEST',
      `No ${options.environment} push service runs beside this provider; give connect a host and a port.`,
    )
  }
}

function assertKeys(apiKeys: readonly string[]): void {
  if (apiKeys.length > 0 && apiKeys.every((key) => key.length >= apiKeyLengthMin)) return
  throw new ProviderError(
    'INVALID_REQUEST',
    `The provider needs at least one API key of ${apiKeyLengthMin} characters or more.`,
  )
}

function openOwnDatabase(dataDir: string | undefined): Promise<Database> {
  if (dataDir === undefined) {
    throw new ProviderError('INVALID_REQUEST', 'The provider needs a database or a data directory.')
  }
  const file = join(dataDir, 'provider.sqlite')
  return openDatabase({ engine: 'sqlite', file, migrations: providerMigrations })
}

/** Deletes what was kept long enough, step by step, now and then. Returns what ends that. */
function sweepRegularly(
  outbox: Outbox,
  now: () => number,
  after: After,
  onFailure: (error: unknown) => void,
): () => void {
  let stopped = false
  let cancel = () => {}
  const sweep = async () => {
    let swept: number
    do {
      swept = stopped ? 0 : await outbox.sweep(now())
    } while (swept === limits.sweptPerStepMax)
  }
  const run = () => {
    void sweep()
      .catch(onFailure)
      .then(() => {
        if (!stopped) cancel = after(limits.sweepEveryMs, run)
      })
  }
  run()
  return () => {
    stopped = true
    cancel()
  }
}

function nodeAfter(delayMs: number, then: () => void): () => void {
  const timer = setTimeout(then, delayMs)
  return () => clearTimeout(timer)
}

function warnOfFailure(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), { type: 'ProviderWarning' })
}

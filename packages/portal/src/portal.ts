import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Database, DatabaseError, openDatabase } from '@carillon/database'
import { type Authority, openAuthority, rootCertificateFile } from './authority/authority.ts'
import { authorityOperations } from './authority/operations.ts'
import { openSecret, openTeam } from './authority/team.ts'
import { PortalError } from './errors.ts'
import type { Portal, PortalChange, Team } from './operations.ts'
import { appOperations } from './registry/apps.ts'
import { certificateOperations, certificateStatus } from './registry/certificates.ts'
import type { RegistryContext, RegistryMemory } from './registry/context.ts'
import { deviceOperations } from './registry/devices.ts'
import { keyOperations } from './registry/keys.ts'
import { loadMemory } from './registry/memory.ts'
import { profileOperations } from './registry/profiles.ts'
import { revocationLists } from './registry/revocation.ts'
import { migrations } from './store/migrations.ts'

export interface PortalOptions {
  /** The directory that holds the portal's files; made on first use, readable by its owner only. */
  readonly dataDir: string
  /** The team's name, used when the portal is made. */
  readonly teamName?: string
  /**
   * A PostgreSQL database in the place of `portal.db`. Keys and CA stay in `dataDir`, which one process at a time
   * may use: what the path of a push asks about is held in its memory.
   */
  readonly postgres?: { readonly url: string; readonly schema?: string }
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Random bytes for ids and serial numbers; the system's own when absent. Keys always come from the system. */
  readonly random?: (bytes: number) => Uint8Array
  /**
   * Where the portal can be reached from outside, such as `https://portal.example.com`: goes into certificates
   * as the address of the revocation list. When absent, a name that never resolves (RFC 6761 §6.4).
   */
  readonly publicUrl?: string
  /** Told of errors that listeners of `onChange` throw. By default they become process warnings. */
  readonly onListenerFailed?: (error: unknown) => void
}

/**
 * Opens the portal in `dataDir`, making the CA, the team and the database on first use. Rejects with a
 * `PortalError`: `DATA_DIRECTORY`, `DATA_DIRECTORY_IN_USE`, `CA_BROKEN`, `DATABASE`, `NAME_INVALID`.
 */
export async function openPortal(options: PortalOptions): Promise<Portal> {
  const { dataDir, now, random = (bytes) => new Uint8Array(randomBytes(bytes)) } = options
  const publicUrl = (options.publicUrl ?? 'http://portal.carillon.invalid').replace(/\/+$/, '')
  const team = await openTeam(dataDir, options.teamName ?? 'Carillon Team', random)
  const authority = await openAuthority({ dataDir, team, publicUrl, now, random })
  const files = {
    rootCertificate: join(dataDir, rootCertificateFile),
    adminKey: await openSecret(dataDir, 'admin.key', random),
    enrolmentKey: await openSecret(dataDir, 'enrolment.key', random),
  }
  const store = await openStore(options)
  const { database } = store
  const listeners = new Set<(change: PortalChange) => void>()
  const failed = options.onListenerFailed ?? ((error) => process.emitWarning(String(error)))
  const memory = await readMemory(store, team)
  const changed = (change: PortalChange) => {
    for (const listener of listeners) {
      try {
        listener(change)
      } catch (error) {
        // The change is on disk: a listener that fails must not turn it into an error of the caller.
        failed(error)
      }
    }
  }
  const context: RegistryContext = {
    team,
    publicUrl,
    authority,
    database,
    memory,
    now,
    random,
    changed,
  }
  return composePortal(context, authority, files, listeners, store)
}

function composePortal(
  context: RegistryContext,
  authority: Authority,
  files: Portal['files'],
  listeners: Set<(change: PortalChange) => void>,
  store: Store,
): Portal {
  const { memory, now } = context
  let closing: Promise<void> | undefined
  return {
    team: context.team,
    ca: {
      ...authorityOperations(authority, context),
      ...guarded({ revocationList: revocationLists(context) }),
    },
    apps: guarded(appOperations(context)),
    certificates: guarded(certificateOperations(context)),
    keys: guarded(keyOperations(context)),
    devices: guarded(deviceOperations(context)),
    profiles: guarded(profileOperations(context)),
    files,
    lookup: {
      app: (bundleId) => memory.apps.get(bundleId),
      apps: () => [...memory.apps.values()],
      key: (keyId) => memory.keys.get(keyId),
      publicKeyOf: (keyId) => memory.publicKeys.get(keyId),
      certificateStatus: (serial) => {
        const record = memory.certificates.get(serial)
        if (record !== undefined) return certificateStatus(record, now())
        return memory.disabledCertificates.has(serial) ? 'revoked' : 'unknown'
      },
      isDeviceDisabled: (device) => memory.disabledDevices.has(device),
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      closing ??= store.close()
      return closing
    },
  }
}

/** The tables, and what closes all that is open for them. */
interface Store {
  readonly database: Database
  close(): Promise<void>
}

async function openStore({ dataDir, postgres }: PortalOptions): Promise<Store> {
  if (postgres === undefined) {
    const database = await ownedBy(dataDir, 'portal.db', migrations)
    return { database, close: () => database.close() }
  }
  // Nothing is kept in it: the lock of an embedded database says who works on the data directory.
  const lock = await ownedBy(dataDir, 'portal.lock.db', [])
  try {
    const database = await openDatabase({ engine: 'postgres', ...postgres, migrations })
    return { database, close: () => database.close().finally(() => lock.close()) }
  } catch (error) {
    await lock.close()
    throw databaseFailure(error)
  }
}

/** An embedded database in the data directory, which only one process at a time can have open. */
async function ownedBy(dataDir: string, name: string, schema: typeof migrations): Promise<Database> {
  try {
    return await openDatabase({ engine: 'sqlite', file: join(dataDir, name), migrations: schema })
  } catch (error) {
    if (error instanceof DatabaseError && error.code === 'DATABASE_LOCKED') {
      throw new PortalError(
        'DATA_DIRECTORY_IN_USE',
        `The portal in ${dataDir} is in use by another process.`,
        'Ask the running system (its endpoints.json says where it is), or stop it first.',
        error,
      )
    }
    throw databaseFailure(error)
  }
}

/** What the path of a push asks about; a database that cannot be read is closed again. */
async function readMemory(store: Store, team: Team): Promise<RegistryMemory> {
  try {
    return await loadMemory(store.database, team)
  } catch (error) {
    await store.close()
    throw databaseFailure(error)
  }
}

/** The same operations, whose database errors are told as the portal's. */
function guarded<Operations extends object>(operations: Operations): Operations {
  const entries = Object.entries(operations).map(([name, operation]) => [
    name,
    async (...values: unknown[]) => {
      try {
        return await operation(...values)
      } catch (error) {
        throw databaseFailure(error)
      }
    },
  ])
  return Object.fromEntries(entries)
}

function databaseFailure(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error
  return new PortalError(
    'DATABASE',
    `The portal's database failed: ${error.message}`,
    'Check the disk and the rights of the data directory.',
    error,
  )
}

import type { Kysely } from 'kysely'
import pg from 'pg'
import type {
  Database,
  DatabaseStatistics,
  PostgresOptions,
  Row,
  SqlValue,
  Statement,
  Ticket,
  Write,
  WriteDone,
} from '../database.ts'
import { DatabaseError } from '../database-error.ts'
import { limits } from '../limits.ts'
import {
  migrationError,
  migrationsTable,
  pendingMigrations,
  type WrittenMigration,
  writeMigrations,
} from '../migrations.ts'
import { numberPlaceholders } from '../placeholders.ts'
import { copyBlobs } from '../row-sets.ts'
import { StatementRegistry } from '../statement-registry.ts'
import { warnOfFailedWrite } from '../warn-of-failed-write.ts'
import { toPostgresError } from './postgres-errors.ts'
import { PostgresWriter, toPostgresValue } from './postgres-writer.ts'

/** Type numbers of pg_type for 64-bit integers: int8, and numeric for sums of them. */
const integerTypes = new Set([20, 1700])
/** Any fixed number: who migrates one schema does so alone. */
const migrationLock = 0x6361_7269

/** Opens one schema of a PostgreSQL database; see `openDatabase`. */
export async function openPostgresDatabase<Tables>(options: PostgresOptions): Promise<Database<Tables>> {
  const schema = options.schema ?? 'public'
  const name = `${describeUrl(options.url)}, schema ${schema}`
  const config: pg.PoolConfig = {
    connectionString: options.url,
    options: `-c search_path=${quoteName(schema).replaceAll(/[\\ ]/g, '\\$&')}`,
    // A host that is gone says nothing: without a bound every write would wait for it for ever.
    connectionTimeoutMillis: limits.postgresConnectMsMax,
    keepAlive: true,
    types: { getTypeParser: typeParser } as pg.CustomTypesConfig,
  }
  const pool = new pg.Pool({ ...config, max: limits.postgresPoolMax })
  // An idle connection that breaks is replaced by the pool; the next query says what is wrong, if anything.
  pool.on('error', () => undefined)
  try {
    await migrate(pool, schema, writeMigrations(options.migrations, 'postgres'), name)
  } catch (error) {
    await pool.end()
    if (error instanceof DatabaseError) throw error
    const known = toPostgresError(error)
    if (known.code !== 'DATABASE_UNREACHABLE') throw known
    throw new DatabaseError(
      'DATABASE_UNREACHABLE',
      `${name} cannot be reached (${known.message}); check that PostgreSQL runs there and that the address and user are right.`,
      { cause: error },
    )
  }
  return new PostgresDatabase<Tables>(pool, config, name, options.onWriteFailed ?? warnOfFailedWrite)
}

class PostgresDatabase<Tables> implements Database<Tables> {
  readonly engine = 'postgres'
  #query: Promise<Kysely<Tables>> | undefined
  readonly #pool: pg.Pool
  readonly #writer: PostgresWriter
  readonly #name: string
  readonly #statements: StatementRegistry
  readonly #onWriteFailed: (error: DatabaseError) => void
  readonly #readSql: string[] = []
  #closed: Promise<void> | undefined

  constructor(
    pool: pg.Pool,
    config: pg.ClientConfig,
    name: string,
    onWriteFailed: (error: DatabaseError) => void,
  ) {
    this.#pool = pool
    this.#name = name
    this.#onWriteFailed = onWriteFailed
    this.#writer = new PostgresWriter(config, onWriteFailed)
    this.#statements = new StatementRegistry((statement) => {
      this.#writer.register(statement)
      this.#readSql[statement.id] = numberPlaceholders(statement.sql)
    })
  }

  query(): Promise<Kysely<Tables>> {
    this.#query ??= import('kysely').then(
      ({ Kysely, PostgresDialect }) =>
        new Kysely<Tables>({ dialect: new PostgresDialect({ pool: this.#pool }) }),
    )
    return this.#query
  }

  prepare(sql: string): Statement {
    return this.#statements.prepare(sql)
  }

  write(statement: Statement, parameters: readonly SqlValue[], done?: WriteDone): Ticket {
    if (this.#closed !== undefined) return this.#refuse(done)
    return this.#writer.groupCommit.write(statement, parameters, done)
  }

  writeUnit(writes: readonly Write[], done?: WriteDone, wantsRows = false): Ticket {
    if (this.#closed !== undefined) return this.#refuse(done)
    return this.#writer.groupCommit.writeUnit(writes, done, wantsRows)
  }

  cancel(ticket: Ticket): boolean {
    return this.#writer.groupCommit.cancel(ticket)
  }

  run(statement: Statement, parameters: readonly SqlValue[] = []): Promise<number> {
    return new Promise((resolve, reject) => {
      this.write(statement, parameters, (error, changes) => (error ? reject(error) : resolve(changes)))
    })
  }

  async transaction(writes: readonly Write[]): Promise<number[]> {
    this.#assertOpen()
    return new Promise((resolve, reject) => {
      this.#writer.groupCommit.writeUnit(writes, {
        failed: reject,
        committed: (changes) => resolve([...changes]),
      })
    })
  }

  async returning<R = Row>(statement: Statement, parameters: readonly SqlValue[] = []): Promise<R[]> {
    this.#assertOpen()
    return new Promise((resolve, reject) => {
      const committed = (_changes: unknown, rows: readonly Row[] = []): void => {
        copyBlobs(rows)
        resolve(rows as R[])
      }
      this.#writer.groupCommit.write(statement, parameters, { failed: reject, committed }, true)
    })
  }

  async all<R = Row>(statement: Statement, parameters: readonly SqlValue[] = []): Promise<R[]> {
    this.#assertOpen()
    try {
      const text = this.#readSql[statement.id]!
      const values = parameters.map(toPostgresValue)
      const { rows } = await this.#pool.query({ name: `s${statement.id}`, text, values })
      if (rows.length <= limits.rowsPerReadMax) return rows as R[]
    } catch (error) {
      throw toPostgresError(error)
    }
    throw new DatabaseError(
      'DATABASE_TOO_MANY_ROWS',
      `A read of ${this.#name} returns more than ${limits.rowsPerReadMax} rows; read it in pages.`,
    )
  }

  async get<R = Row>(statement: Statement, parameters: readonly SqlValue[] = []): Promise<R | undefined> {
    return (await this.all<R>(statement, parameters))[0]
  }

  async backup(): Promise<void> {
    throw new DatabaseError('DATABASE_UNSUPPORTED', 'Back up a PostgreSQL database with pg_dump.')
  }

  statistics(): DatabaseStatistics {
    return this.#writer.groupCommit.statistics()
  }

  close(): Promise<void> {
    this.#closed ??= this.#writer.close().then(() => this.#pool.end())
    return this.#closed
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw this.#closedError()
  }

  #refuse(done: WriteDone | undefined): 0 {
    const error = this.#closedError()
    queueMicrotask(() => (done === undefined ? this.#onWriteFailed(error) : done(error, 0)))
    return 0
  }

  #closedError(): DatabaseError {
    return new DatabaseError('DATABASE_CLOSED', `${this.#name} was closed.`)
  }
}

async function migrate(
  pool: pg.Pool,
  schema: string,
  migrations: readonly WrittenMigration[],
  name: string,
): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query(`SELECT pg_advisory_lock(${migrationLock})`)
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteName(schema)}`)
    await client.query(`CREATE TABLE IF NOT EXISTS ${migrationsTable} (
      position BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
    )`)
    const { rows } = await client.query(`SELECT name FROM ${migrationsTable} ORDER BY position`)
    const applied = rows.map((row) => row.name as string)
    for (const [index, migration] of pendingMigrations(migrations, applied, name).entries()) {
      await applyMigration(client, migration, applied.length + index, name)
    }
  } finally {
    // Ends the session, and the advisory lock with it.
    client.release(true)
  }
}

async function applyMigration(
  client: pg.PoolClient,
  migration: WrittenMigration,
  position: number,
  name: string,
): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query(migration.sql)
    await client.query(`INSERT INTO ${migrationsTable} (position, name) VALUES ($1, $2)`, [
      position,
      migration.name,
    ])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw migrationError(migration, name, error)
  }
}

/** 64-bit integers as numbers, as SQLite gives them; everything else as pg does. */
function typeParser(oid: number, format?: 'text' | 'binary'): unknown {
  if (integerTypes.has(oid) && format !== 'binary') return Number
  return pg.types.getTypeParser(oid, format as 'text')
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The address without the password. */
function describeUrl(url: string): string {
  try {
    const { host, pathname } = new URL(url)
    return `PostgreSQL at ${host}${pathname}`
  } catch (cause) {
    throw new DatabaseError(
      'DATABASE_UNREACHABLE',
      'The PostgreSQL address is not a URL; write postgres://user@host:5432/database.',
      { cause },
    )
  }
}

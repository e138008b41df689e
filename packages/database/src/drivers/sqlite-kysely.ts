import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SelectQueryNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { SqlValue } from '../database.ts'
import { DatabaseError } from '../database-error.ts'
import type { SqliteReader } from './sqlite-reader.ts'
import type { SqliteWriter, WriterSession } from './sqlite-writer.ts'

/** Kysely over the two threads of a database. */
export function createSqliteQuery<Tables>(writer: SqliteWriter, reader: SqliteReader): Kysely<Tables> {
  const dialect: Dialect = {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(writer, reader),
    createIntrospector: (query) => new SqliteIntrospector(query),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
  return new Kysely<Tables>({ dialect })
}

class SqliteDriver implements Driver {
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader

  constructor(writer: SqliteWriter, reader: SqliteReader) {
    this.#writer = writer
    this.#reader = reader
  }

  // The threads belong to the Database, which opens and closes them.
  async init(): Promise<void> {}
  async destroy(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    return new SqliteConnection(this.#writer, this.#reader)
  }

  async releaseConnection(): Promise<void> {}

  beginTransaction(connection: SqliteConnection): Promise<void> {
    return connection.begin()
  }

  commitTransaction(connection: SqliteConnection): Promise<void> {
    return connection.end('COMMIT')
  }

  rollbackTransaction(connection: SqliteConnection): Promise<void> {
    return connection.end('ROLLBACK')
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader
  #session: WriterSession | undefined

  constructor(writer: SqliteWriter, reader: SqliteReader) {
    this.#writer = writer
    this.#reader = reader
  }

  async executeQuery<R>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<R>> {
    const values = parameters as readonly SqlValue[]
    if (this.#session !== undefined) return execute(this.#session, sql, values)
    if (SelectQueryNode.is(query)) {
      return { rows: (await this.#reader.read(sql, values, false)) as R[] }
    }
    const session = await this.#writer.acquire()
    try {
      return await execute(session, sql, values)
    } finally {
      session.release()
    }
  }

  // biome-ignore lint/correctness/useYield: streaming is refused, not done.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new DatabaseError('DATABASE_UNSUPPORTED', 'SQLite results do not stream here; read them in pages.')
  }

  async begin(): Promise<void> {
    const session = await this.#writer.acquire()
    try {
      await session.execute('BEGIN IMMEDIATE', [])
      this.#session = session
    } catch (error) {
      session.release()
      throw error
    }
  }

  async end(command: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    const session = this.#session!
    try {
      await session.execute(command, [])
    } catch (error) {
      // A transaction that could not commit (a deferred constraint, a full disk) must not stay open.
      if (command === 'COMMIT') await session.execute('ROLLBACK', []).catch(() => undefined)
      throw error
    } finally {
      this.#session = undefined
      session.release()
    }
  }
}

async function execute<R>(
  session: WriterSession,
  sql: string,
  values: readonly SqlValue[],
): Promise<QueryResult<R>> {
  const { rows, changes, insertId } = await session.execute(sql, values)
  return { rows: rows as R[], numAffectedRows: changes, insertId }
}

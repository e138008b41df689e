import type { Kysely } from 'kysely'
import type { DatabaseError } from './database-error.ts'

/** What a column or a parameter can hold. Booleans are 0 and 1, times are milliseconds since 1970 as numbers. */
export type SqlValue = null | number | bigint | string | Uint8Array

/** One row, keyed by column name. Integers above 2^53 cannot be read; blobs are copies that the caller owns. */
export type Row = Record<string, SqlValue>

/** SQL that was registered once with `Database.prepare`; valid for that database only. */
export interface Statement {
  readonly id: number
  readonly sql: string
}

/** One statement with its parameters, as a part of a unit that is written whole or not at all. */
export interface Write {
  readonly statement: Statement
  readonly parameters: readonly SqlValue[]
}

/** Names one unit that was given to `write`; 0 says that it was refused. */
export type Ticket = number

/**
 * Told when a unit is on disk (after the fsync of its commit), or that it failed.
 * `changes` counts the rows that its statements inserted, updated or deleted. `rows` are those that they returned,
 * in order, where they were asked for and there are any; their blobs are views of one buffer, to be copied by who
 * keeps them.
 */
export type WriteDone = (error: DatabaseError | undefined, changes: number, rows?: readonly Row[]) => void

/** One step of the schema. Its SQL may hold several statements, separated by semicolons. */
export interface Migration {
  readonly name: string
  /** The SQL itself, or a function that writes it with the type names of the engine. */
  readonly up: string | ((sql: SqlDialect) => string)
}

/** The words in which the engines differ. */
export interface SqlDialect {
  readonly engine: Engine
  /** A 64-bit integer column. */
  readonly integer: 'INTEGER' | 'BIGINT'
  /** A column of bytes. */
  readonly blob: 'BLOB' | 'BYTEA'
  /** A primary key column that numbers its rows by itself, in order, never reusing a number. */
  readonly serial: 'INTEGER PRIMARY KEY AUTOINCREMENT' | 'BIGSERIAL PRIMARY KEY'
}

export type Engine = 'sqlite' | 'postgres'

export interface SqliteOptions {
  readonly engine: 'sqlite'
  /** The database file. Its directory must exist; the file is created with mode 0600. */
  readonly file: string
  readonly migrations: readonly Migration[]
  /** Told of units that failed and had no `done` of their own. By default a process warning. */
  readonly onWriteFailed?: (error: DatabaseError) => void
}

export interface PostgresOptions {
  readonly engine: 'postgres'
  /** `postgres://user:password@host:port/database` */
  readonly url: string
  /** Created when missing; everything lives in it. Default `public`. */
  readonly schema?: string
  readonly migrations: readonly Migration[]
  readonly onWriteFailed?: (error: DatabaseError) => void
}

export type DatabaseOptions = SqliteOptions | PostgresOptions

/** What waits and what was done; for metrics and admission. */
export interface DatabaseStatistics {
  /** Units gathered that no commit has taken yet. */
  readonly unitsWaiting: number
  /** Their packed size. */
  readonly bytesWaiting: number
  /** Units inside the commit that runs now. */
  readonly unitsCommitting: number
  readonly commits: number
  readonly unitsCommitted: number
  readonly unitsCancelled: number
  readonly unitsFailed: number
}

/**
 * An open database. SQL is written with `?` placeholders for both engines.
 *
 * Writes gather while a commit runs; the next commit starts as soon as the previous one is done and takes
 * what has gathered, in order. A unit that fails fails alone: the others of its commit are written.
 */
export interface Database<Tables = unknown> {
  readonly engine: Engine

  /**
   * Typed queries that are not hot, and interactive transactions. Selects outside a transaction run on the
   * reader, everything else on the writer, one after another with the group commits. While an interactive
   * transaction is open no other write can commit, so keep it short and never await `write`, `run` or
   * `transaction` of this database inside it; it is rolled back after `interactiveTransactionMsMax`.
   * Kysely is loaded with the first call: programs that start often do not pay for it.
   */
  query(): Promise<Kysely<Tables>>

  /** Registers SQL; the same text gives the same statement. Bad SQL is reported by the first use. */
  prepare(sql: string): Statement

  /**
   * Writes one statement, durably, without a promise. The parameters are copied before it returns.
   * Where the queue is full nothing is written: it returns 0 and `done` hears DATABASE_BUSY later in the
   * same turn; DATABASE_CLOSED likewise.
   */
  write(statement: Statement, parameters: readonly SqlValue[], done?: WriteDone): Ticket

  /**
   * As `write`, for several statements that are written whole or not at all.
   * @param wantsRows some of them have RETURNING, or are a SELECT, and `done` wants those rows; they count as changes
   */
  writeUnit(writes: readonly Write[], done?: WriteDone, wantsRows?: boolean): Ticket

  /**
   * Takes back a unit that no commit has taken yet: true, and it is never written and its `done` never
   * called. False: it is being committed, was committed, failed or was refused.
   */
  cancel(ticket: Ticket): boolean

  /** `write` as a promise: resolves with the number of rows changed once they are on disk. */
  run(statement: Statement, parameters?: readonly SqlValue[]): Promise<number>

  /** `writeUnit` as a promise: resolves with the number of rows changed by each statement. */
  transaction(writes: readonly Write[]): Promise<number[]>

  /** Runs a writing statement with RETURNING inside the group commit; resolves with its rows, on disk. */
  returning<R = Row>(statement: Statement, parameters?: readonly SqlValue[]): Promise<R[]>

  /** Reads on a connection of its own, never behind a commit; sees every write that was confirmed. */
  all<R = Row>(statement: Statement, parameters?: readonly SqlValue[]): Promise<R[]>

  /** The first row of `all`, or undefined. */
  get<R = Row>(statement: Statement, parameters?: readonly SqlValue[]): Promise<R | undefined>

  /**
   * Writes a consistent copy to `file` (which must not exist) while the database is in use.
   * SQLite only: PostgreSQL has pg_dump, and the call says so (DATABASE_UNSUPPORTED).
   */
  backup(file: string): Promise<void>

  statistics(): DatabaseStatistics

  /** Commits what was accepted, then closes. Later calls report DATABASE_CLOSED. */
  close(): Promise<void>
}

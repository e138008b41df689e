/** Every way in which a database can refuse; stable, for code to decide by. */
export type DatabaseErrorCode =
  /** The queue is at its limit: nothing was written, try again shortly. */
  | 'DATABASE_BUSY'
  /** The database was closed before the call. */
  | 'DATABASE_CLOSED'
  /** Another process (or this one) has the database open. */
  | 'DATABASE_LOCKED'
  /** The file or its directory cannot be opened, read or written. */
  | 'DATABASE_UNREADABLE'
  /** The file is something else than a database, or damaged. */
  | 'DATABASE_NOT_A_DATABASE'
  /** PostgreSQL does not answer, or refuses the user. */
  | 'DATABASE_UNREACHABLE'
  /** A newer version of the program has migrated this database. */
  | 'DATABASE_TOO_NEW'
  /** The migrations recorded in it are not the ones of this program. */
  | 'DATABASE_FOREIGN'
  /** A migration failed; the database is as it was before that migration. */
  | 'DATABASE_MIGRATION_FAILED'
  /** A unique, foreign key, not-null or check constraint refused the unit. */
  | 'DATABASE_CONSTRAINT'
  /** The SQL or its parameters are wrong. */
  | 'DATABASE_STATEMENT'
  /** The disk is full. */
  | 'DATABASE_FULL'
  /** A read would return more rows than `rowsPerReadMax`. */
  | 'DATABASE_TOO_MANY_ROWS'
  /** An interactive transaction was open longer than `interactiveTransactionMsMax`. */
  | 'DATABASE_TRANSACTION_TOO_LONG'
  /** The engine cannot do this. */
  | 'DATABASE_UNSUPPORTED'
  /** Anything else: the disk, the connection or the thread failed. The message says what. */
  | 'DATABASE_FAILED'

/** An error of the database: `code` for programs, one sentence for people, the engine's own error as `cause`. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: DatabaseErrorCode

  constructor(code: DatabaseErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

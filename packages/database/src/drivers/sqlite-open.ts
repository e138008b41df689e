import { closeSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DatabaseError } from '../database-error.ts'
import { limits } from '../limits.ts'
import { describeSqliteError } from './sqlite-errors.ts'

/** Held for as long as the database is open. */
export interface FileLock {
  release(): void
}

/**
 * Makes sure that `file` can be a database and that nobody else has it open.
 *
 * The lock is an operating-system lock on `<file>.lock`, taken by SQLite itself, so it vanishes with the
 * process however that ends. It is apart from the database so that readers and backups may open that.
 */
export function claimDatabaseFile(file: string): FileLock {
  assertDirectory(dirname(file))
  // Created here and not by SQLite, so that keys and tokens are never readable to others, not even briefly;
  // SQLite gives the mode of the database file to its log files.
  createPrivateFile(file)
  const lockFile = `${file}.lock`
  createPrivateFile(lockFile)
  const connection = openConnection(lockFile, { readOnly: false })
  try {
    connection.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    connection.close()
    if (describeSqliteError(error, lockFile).code === 'DATABASE_LOCKED') {
      throw new DatabaseError(
        'DATABASE_LOCKED',
        `${file} is in use by another running system; stop that one or choose another data directory.`,
        { cause: error },
      )
    }
    throw toError(error, lockFile)
  }
  return { release: () => connection.close() }
}

/** The connection of the writer thread: write-ahead log, every commit on disk before it returns. */
export function openWriterConnection(file: string): DatabaseSync {
  const connection = openConnection(file, { readOnly: false })
  try {
    const pages = Math.floor(limits.walBytesBeforeCheckpoint / 4096)
    connection.exec(`
      PRAGMA busy_timeout = 5000;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -16384;
      PRAGMA wal_autocheckpoint = ${pages};
      PRAGMA journal_size_limit = ${limits.walBytesKept};
    `)
    return connection
  } catch (error) {
    connection.close()
    throw toError(error, file)
  }
}

/** A connection for reads and backups. The writer must have made the database before. */
export function openReaderConnection(file: string): DatabaseSync {
  const connection = openConnection(file, { readOnly: true })
  connection.exec('PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;')
  return connection
}

function openConnection(file: string, options: { readOnly: boolean }): DatabaseSync {
  try {
    return new DatabaseSync(file, options)
  } catch (error) {
    throw toError(error, file)
  }
}

function assertDirectory(directory: string): void {
  let isDirectory: boolean
  try {
    isDirectory = statSync(directory).isDirectory()
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new DatabaseError(
      'DATABASE_UNREADABLE',
      missing
        ? `The directory ${directory} does not exist; create it or choose another.`
        : `The directory ${directory} cannot be read (${(error as Error).message}); check its permissions.`,
      { cause: error },
    )
  }
  if (!isDirectory) {
    throw new DatabaseError('DATABASE_UNREADABLE', `${directory} is not a directory; choose another.`)
  }
}

function createPrivateFile(file: string): void {
  try {
    // Only ever created here, never opened when it exists: closing a second descriptor of a file drops all
    // POSIX locks that this process holds on it, those of SQLite included (sqlite.org/howtocorrupt.html §2.2).
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw new DatabaseError(
      'DATABASE_UNREADABLE',
      `${file} cannot be created (${(error as Error).message}); check the permissions of its directory.`,
      { cause: error },
    )
  }
}

function toError(error: unknown, file: string): DatabaseError {
  const { code, message } = describeSqliteError(error, file)
  return new DatabaseError(code, message, { cause: error })
}

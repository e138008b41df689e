import { DatabaseError, type DatabaseErrorCode } from '../database-error.ts'

/** An error on its way between threads, where classes do not survive. */
export interface ErrorRecord {
  readonly code: DatabaseErrorCode
  readonly message: string
}

// https://sqlite.org/rescode.html, primary result codes.
const codeOfResult: Record<number, DatabaseErrorCode> = {
  1: 'DATABASE_STATEMENT',
  5: 'DATABASE_LOCKED',
  6: 'DATABASE_LOCKED',
  8: 'DATABASE_UNREADABLE',
  10: 'DATABASE_FAILED',
  11: 'DATABASE_NOT_A_DATABASE',
  13: 'DATABASE_FULL',
  14: 'DATABASE_UNREADABLE',
  19: 'DATABASE_CONSTRAINT',
  20: 'DATABASE_STATEMENT',
  25: 'DATABASE_STATEMENT',
  26: 'DATABASE_NOT_A_DATABASE',
}

/** What went wrong in SQLite, as a code and a sentence that names the database file. */
export function describeSqliteError(error: unknown, file: string): ErrorRecord {
  if (error instanceof DatabaseError) return { code: error.code, message: error.message }
  const reason = error instanceof Error ? error.message : String(error)
  const result = (error as { errcode?: number }).errcode
  if (result === undefined) {
    // node:sqlite refuses wrong parameters before SQLite sees them, with codes of Node's own.
    const refused = String((error as { code?: string }).code).startsWith('ERR_')
    return { code: refused ? 'DATABASE_STATEMENT' : 'DATABASE_FAILED', message: `${file}: ${reason}.` }
  }
  const code = codeOfResult[result & 0xff] ?? 'DATABASE_FAILED'
  switch (code) {
    case 'DATABASE_NOT_A_DATABASE':
      return {
        code,
        message: `${file} is not an intact SQLite database (${reason}); restore a backup or choose another file.`,
      }
    case 'DATABASE_UNREADABLE':
      return {
        code,
        message: `${file} cannot be opened for reading and writing (${reason}); check its permissions.`,
      }
    case 'DATABASE_FULL':
      return { code, message: `The disk of ${file} is full; free some space.` }
    case 'DATABASE_LOCKED':
      return { code, message: `${file} is locked by another process (${reason}).` }
    default:
      return { code, message: `${file}: ${reason}.` }
  }
}

/** Brings an error from another thread back to life. */
export function reviveError(record: ErrorRecord): DatabaseError {
  return new DatabaseError(record.code, record.message)
}

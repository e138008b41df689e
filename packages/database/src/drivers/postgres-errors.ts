import { DatabaseError, type DatabaseErrorCode } from '../database-error.ts'

/** What went wrong at PostgreSQL, as a code and a sentence. */
export function toPostgresError(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error
  const reason = error instanceof Error && error.message !== '' ? error.message : String(error)
  return new DatabaseError(codeOf(error), `PostgreSQL: ${reason}.`, { cause: error })
}

/** True when the connection is of no use any more, so that the next commit needs a new one. */
export function isConnectionLost(error: unknown): boolean {
  const code = (error as { code?: unknown }).code
  // Errors of the server carry a five-character SQLSTATE; the ones of the socket and of the client do not.
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return true
  // 08P01 is said of a wrong number of parameters; the connection lives on.
  return /^(08|57P)/.test(code) && code !== '08P01'
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
function codeOf(error: unknown): DatabaseErrorCode {
  if (isConnectionLost(error)) return 'DATABASE_UNREACHABLE'
  const state = (error as { code: string }).code
  if (state.startsWith('23')) return 'DATABASE_CONSTRAINT'
  if (state === '53100') return 'DATABASE_FULL'
  if (/^(08P01|22|26|42)/.test(state)) return 'DATABASE_STATEMENT'
  if (/^(28|3D|53300)/.test(state)) return 'DATABASE_UNREACHABLE'
  return 'DATABASE_FAILED'
}

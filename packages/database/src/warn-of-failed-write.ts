import type { DatabaseError } from './database-error.ts'

/** What hears of failed writes when nobody else does: a process warning, so that none goes unseen. */
export function warnOfFailedWrite(error: DatabaseError): void {
  process.emitWarning(`A write failed: ${error.message}`, { type: 'DatabaseWarning', code: error.code })
}

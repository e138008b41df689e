import type { SqlValue } from '../database.ts'
import type { WrittenMigration } from '../migrations.ts'
import type { ErrorRecord } from './sqlite-errors.ts'

/** What the threads are started with. */
export interface WriterData {
  readonly file: string
  readonly migrations: readonly WrittenMigration[]
}

export interface ReaderData {
  readonly file: string
}

export interface BackupData {
  readonly from: string
  readonly to: string
}

/** A statement that a thread has not heard of yet. */
export type NewStatement = readonly [id: number, sql: string]

/** Main thread → writer thread. */
export type WriterRequest =
  | {
      kind: 'commit'
      statements: readonly NewStatement[]
      packed: ArrayBuffer
      bytes: number
      writes: number
    }
  | { kind: 'execute'; sql: string; parameters: readonly SqlValue[] }
  | { kind: 'close' }

/** A `CommitResult` (group-commit.ts) on its way between threads. */
export interface CommitRecord {
  readonly changes: Int32Array<ArrayBuffer>
  readonly failures: readonly (readonly [unit: number, error: ErrorRecord])[]
  readonly returned: ArrayBuffer | undefined
  readonly failure?: ErrorRecord
}

/** Result of one statement of an interactive transaction. */
export interface ExecuteResult {
  readonly rows: Record<string, SqlValue>[]
  readonly changes: bigint
  readonly insertId: bigint
}

/** Writer thread → main thread; one answer for each request, in order. */
export type WriterReply =
  | { kind: 'opened' }
  | { kind: 'openFailed'; error: ErrorRecord }
  | { kind: 'committed'; packed: ArrayBuffer; result: CommitRecord }
  | { kind: 'executed'; result: ExecuteResult }
  | { kind: 'executeFailed'; error: ErrorRecord }

/**
 * Main thread → reader thread: the reads of one turn.
 *
 *   packed   read*
 *   read     u8 1 = first row only | u16 LE statement id, or 65535 and the SQL as a text value
 *            then u16 LE parameters | values (packing.ts)
 */
export type ReaderRequest =
  /** The first request: the writer has made the database. */
  | { kind: 'open' }
  | { kind: 'read'; statements: readonly NewStatement[]; packed: ArrayBuffer; bytes: number }
  | { kind: 'close' }

/** Stands for SQL that was not registered. */
export const unregisteredStatement = 0xffff

/**
 * Reader thread → main thread, one for each request.
 *
 *   packed   answer*
 *   answer   u8 1 | rows (packing.ts), or u8 0 | code as text | message as text
 */
export type ReaderReply =
  | { kind: 'opened' }
  | { kind: 'openFailed'; error: ErrorRecord }
  | { kind: 'rows'; packed: ArrayBuffer }

import { resolve } from 'node:path'
import type { Worker } from 'node:worker_threads'
import type { Kysely } from 'kysely'
import type {
  Database,
  DatabaseStatistics,
  Row,
  SqliteOptions,
  SqlValue,
  Statement,
  Ticket,
  Write,
  WriteDone,
} from '../database.ts'
import { DatabaseError } from '../database-error.ts'
import { writeMigrations } from '../migrations.ts'
import { copyBlobs } from '../row-sets.ts'
import { StatementRegistry } from '../statement-registry.ts'
import { warnOfFailedWrite } from '../warn-of-failed-write.ts'
import type { UnitDone } from '../write-queue.ts'
import { type ErrorRecord, reviveError } from './sqlite-errors.ts'
import type { BackupData, ReaderData, ReaderRequest, WriterData, WriterRequest } from './sqlite-messages.ts'
import { claimDatabaseFile, type FileLock } from './sqlite-open.ts'
import { SqliteReader } from './sqlite-reader.ts'
import { firstMessage, opened, startThread } from './sqlite-thread.ts'
import { SqliteWriter } from './sqlite-writer.ts'

/** Opens one SQLite file with a writer and a reader thread; see `openDatabase`. */
export async function openSqliteDatabase<Tables>(options: SqliteOptions): Promise<Database<Tables>> {
  const file = resolve(options.file)
  const writerData: WriterData = { file, migrations: writeMigrations(options.migrations, 'sqlite') }
  const lock = claimDatabaseFile(file)
  const readerData: ReaderData = { file }
  const writer = startThread('sqlite-writer-worker', writerData)
  const reader = startThread('sqlite-reader-worker', readerData)
  try {
    await opened(writer)
    const open: ReaderRequest = { kind: 'open' }
    reader.postMessage(open)
    await opened(reader)
    return new SqliteDatabase<Tables>(file, lock, writer, reader, options.onWriteFailed)
  } catch (error) {
    await Promise.all([writer.terminate(), reader.terminate()])
    lock.release()
    throw error
  }
}

class SqliteDatabase<Tables> implements Database<Tables> {
  readonly engine = 'sqlite'
  #query: Promise<Kysely<Tables>> | undefined
  readonly #file: string
  readonly #lock: FileLock
  readonly #writerThread: Worker
  readonly #readerThread: Worker
  readonly #writer: SqliteWriter
  readonly #reader: SqliteReader
  readonly #statements: StatementRegistry
  readonly #onWriteFailed: (error: DatabaseError) => void
  #closed: Promise<void> | undefined

  constructor(
    file: string,
    lock: FileLock,
    writerThread: Worker,
    readerThread: Worker,
    onWriteFailed: ((error: DatabaseError) => void) | undefined,
  ) {
    this.#file = file
    this.#lock = lock
    this.#writerThread = writerThread
    this.#readerThread = readerThread
    this.#onWriteFailed = onWriteFailed ?? warnOfFailedWrite
    this.#writer = new SqliteWriter(writerThread, this.#onWriteFailed)
    this.#reader = new SqliteReader(readerThread)
    this.#statements = new StatementRegistry((statement) => {
      this.#writer.register(statement)
      this.#reader.register(statement)
    })
  }

  query(): Promise<Kysely<Tables>> {
    this.#query ??= import('./sqlite-kysely.ts').then(({ createSqliteQuery }) =>
      createSqliteQuery<Tables>(this.#writer, this.#reader),
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
    if (this.#closed !== undefined) throw closedError(this.#file)
    return new Promise((resolve, reject) => {
      const done: UnitDone = {
        failed: reject,
        committed: (changes) => resolve([...changes]),
      }
      this.#writer.groupCommit.writeUnit(writes, done)
    })
  }

  async returning<R = Row>(statement: Statement, parameters: readonly SqlValue[] = []): Promise<R[]> {
    if (this.#closed !== undefined) throw closedError(this.#file)
    return new Promise((resolve, reject) => {
      const committed = (_changes: unknown, rows: readonly Row[] = []): void => {
        copyBlobs(rows)
        resolve(rows as R[])
      }
      this.#writer.groupCommit.write(statement, parameters, { failed: reject, committed }, true)
    })
  }

  async all<R = Row>(statement: Statement, parameters: readonly SqlValue[] = []): Promise<R[]> {
    if (this.#closed !== undefined) throw closedError(this.#file)
    return (await this.#reader.read(statement, parameters, false)) as R[]
  }

  async get<R = Row>(statement: Statement, parameters: readonly SqlValue[] = []): Promise<R | undefined> {
    if (this.#closed !== undefined) throw closedError(this.#file)
    return (await this.#reader.read(statement, parameters, true))[0] as R | undefined
  }

  async backup(file: string): Promise<void> {
    if (this.#closed !== undefined) throw closedError(this.#file)
    const data: BackupData = { from: this.#file, to: resolve(file) }
    const thread = startThread('sqlite-backup-worker', data)
    const failure = await firstMessage<ErrorRecord | undefined>(thread)
    if (failure !== undefined) throw reviveError(failure)
  }

  statistics(): DatabaseStatistics {
    return this.#writer.groupCommit.statistics()
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#writer.groupCommit.drained()
    await this.#reader.drained()
    // Whoever still holds `query` is told so instead of waiting for a thread that is gone.
    this.#writer.groupCommit.die(closedError(this.#file))
    this.#reader.die(closedError(this.#file))
    // The writer is the last to leave: the last connection moves the write-ahead log into the file.
    const close: WriterRequest & ReaderRequest = { kind: 'close' }
    await endThread(this.#readerThread, close)
    await endThread(this.#writerThread, close)
    this.#lock.release()
  }

  #refuse(done: WriteDone | undefined): 0 {
    const error = closedError(this.#file)
    queueMicrotask(() => (done === undefined ? this.#onWriteFailed(error) : done(error, 0)))
    return 0
  }
}

function endThread(thread: Worker, close: { kind: 'close' }): Promise<void> {
  return new Promise((resolve) => {
    // A thread that died before has no exit to come; its id says so.
    if (thread.threadId === -1) return resolve()
    thread.once('exit', () => resolve())
    thread.postMessage(close)
  })
}

function closedError(file: string): DatabaseError {
  return new DatabaseError('DATABASE_CLOSED', `${file} was closed.`)
}

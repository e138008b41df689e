import type { Worker } from 'node:worker_threads'
import type { SqlValue, Statement } from '../database.ts'
import { DatabaseError } from '../database-error.ts'
import { type CommitResult, GroupCommit } from '../group-commit.ts'
import { limits } from '../limits.ts'
import type { Batch } from '../write-queue.ts'
import { reviveError } from './sqlite-errors.ts'
import type {
  CommitRecord,
  ExecuteResult,
  NewStatement,
  WriterReply,
  WriterRequest,
} from './sqlite-messages.ts'
import { onThreadLost } from './sqlite-thread.ts'

/** The writer for one caller alone, between two commits. */
export interface WriterSession {
  execute(sql: string, parameters: readonly SqlValue[]): Promise<ExecuteResult>
  /** Must be called, with no transaction open. */
  release(): void
}

interface Answer {
  resolve(result: ExecuteResult): void
  reject(error: DatabaseError): void
}

/** The main-thread half of the writer thread: one commit, or one statement of a session, at a time. */
export class SqliteWriter {
  readonly groupCommit: GroupCommit
  readonly #worker: Worker
  #newStatements: NewStatement[] = []
  #answer: Answer | undefined

  constructor(worker: Worker, onWriteFailed: (error: DatabaseError) => void) {
    this.#worker = worker
    this.groupCommit = new GroupCommit((batch) => this.#commit(batch), onWriteFailed)
    worker.on('message', (reply: WriterReply) => this.#receive(reply))
    onThreadLost(worker, (error) => this.#die(error))
  }

  register(statement: Statement): void {
    this.#newStatements.push([statement.id, statement.sql])
  }

  /** Waits until the writer is free, and keeps it until the session is released or its time is over. */
  async acquire(): Promise<WriterSession> {
    const letGo = await this.groupCommit.hold()
    let expired: DatabaseError | undefined
    const timer = setTimeout(() => {
      expired = new DatabaseError(
        'DATABASE_TRANSACTION_TOO_LONG',
        `A transaction held the database for more than ${limits.interactiveTransactionMsMax} ms and was undone; keep it short and do not await other writes inside it.`,
      )
      this.#afterAnswer(() => void this.#execute('ROLLBACK', []).then(letGo, letGo))
    }, limits.interactiveTransactionMsMax)
    return {
      execute: (sql, parameters) => (expired ? Promise.reject(expired) : this.#execute(sql, parameters)),
      release: () => {
        clearTimeout(timer)
        if (expired === undefined) letGo()
      },
    }
  }

  #die(error: DatabaseError): void {
    if (this.groupCommit.failure !== undefined) return
    this.#answer?.reject(error)
    this.#answer = undefined
    this.groupCommit.die(error)
  }

  #commit(batch: Batch): void {
    const packed = batch.packed.buffer.buffer
    const statements = this.#newStatements
    if (statements.length > 0) this.#newStatements = []
    this.#post({ kind: 'commit', statements, packed, bytes: batch.packed.offset, writes: batch.writes }, [
      packed,
    ])
  }

  #execute(sql: string, parameters: readonly SqlValue[]): Promise<ExecuteResult> {
    return new Promise((resolve, reject) => {
      if (this.groupCommit.failure !== undefined) return reject(this.groupCommit.failure)
      if (this.#answer !== undefined) {
        const message = 'A query of a transaction was started before the previous one was done; await each.'
        return reject(new DatabaseError('DATABASE_STATEMENT', message))
      }
      this.#answer = { resolve, reject }
      this.#post({ kind: 'execute', sql, parameters })
    })
  }

  /** Calls back when no statement is at the thread. */
  #afterAnswer(then: () => void): void {
    const running = this.#answer
    if (running === undefined) {
      then()
      return
    }
    this.#answer = {
      resolve: (result) => {
        running.resolve(result)
        then()
      },
      reject: (error) => {
        running.reject(error)
        then()
      },
    }
  }

  #receive(reply: WriterReply): void {
    switch (reply.kind) {
      case 'committed':
        this.groupCommit.finished(reply.packed, reviveResult(reply.result))
        return
      case 'executed':
      case 'executeFailed': {
        const answer = this.#answer
        this.#answer = undefined
        if (reply.kind === 'executed') answer?.resolve(reply.result)
        else answer?.reject(reviveError(reply.error))
      }
    }
  }

  #post(request: WriterRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer)
  }
}

function reviveResult({ changes, failures, returned, failure }: CommitRecord): CommitResult {
  return {
    changes,
    failures: failures.map(([unit, record]) => [unit, reviveError(record)] as const),
    returned,
    ...(failure === undefined ? {} : { failure: reviveError(failure) }),
  }
}

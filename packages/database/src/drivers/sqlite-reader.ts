import type { Worker } from 'node:worker_threads'
import type { Row, SqlValue, Statement } from '../database.ts'
import { DatabaseError, type DatabaseErrorCode } from '../database-error.ts'
import { limits } from '../limits.ts'
import { decodeRows, PackedReader, PackedWriter } from '../packing.ts'
import {
  type NewStatement,
  type ReaderReply,
  type ReaderRequest,
  unregisteredStatement,
} from './sqlite-messages.ts'
import { onThreadLost } from './sqlite-thread.ts'

interface Waiting {
  resolve(rows: Row[]): void
  reject(error: DatabaseError): void
}

const requestBytes = 4096

/** The main-thread half of the reader: the reads of a turn go over in one message and come back in one. */
export class SqliteReader {
  readonly #worker: Worker
  /** Reads at the thread, one list for each message. */
  readonly #sent: Waiting[][] = []
  #gathering: Waiting[] = []
  #packed = new PackedWriter(new ArrayBuffer(requestBytes))
  #newStatements: NewStatement[] = []
  #waiting = 0
  #failure: DatabaseError | undefined
  #whenDrained: (() => void) | undefined

  constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (reply: ReaderReply) => {
      if (reply.kind === 'rows') this.#receive(reply.packed)
    })
    onThreadLost(worker, (error) => this.die(error))
  }

  register(statement: Statement): void {
    this.#newStatements.push([statement.id, statement.sql])
  }

  /** @param statement a registered statement, or SQL that is prepared for this read alone */
  read(statement: Statement | string, parameters: readonly SqlValue[], firstOnly: boolean): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      if (this.#waiting >= limits.readsWaitingMax) {
        return reject(
          new DatabaseError('DATABASE_BUSY', 'More reads wait than the database takes at once; try again.'),
        )
      }
      const start = this.#packed.offset
      try {
        packRead(this.#packed, statement, parameters, firstOnly)
      } catch (error) {
        this.#packed.offset = start
        return reject(error)
      }
      this.#waiting++
      this.#gathering.push({ resolve, reject })
      if (this.#gathering.length === 1) queueMicrotask(() => this.#send())
    })
  }

  /** Resolves when every read has been answered. */
  drained(): Promise<void> {
    if (this.#waiting === 0 || this.#failure !== undefined) return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenDrained = resolve
    })
  }

  #send(): void {
    if (this.#gathering.length === 0) return
    const packed = this.#packed.buffer.buffer
    const request: ReaderRequest = {
      kind: 'read',
      statements: this.#newStatements,
      packed,
      bytes: this.#packed.offset,
    }
    this.#newStatements = []
    this.#sent.push(this.#gathering)
    this.#gathering = []
    this.#packed = new PackedWriter(new ArrayBuffer(requestBytes))
    this.#worker.postMessage(request, [packed])
  }

  #receive(packed: ArrayBuffer): void {
    const answers = new PackedReader(packed, { copyBlobs: true })
    // The thread's last answer may arrive behind its death, when everybody has been told already.
    for (const waiting of this.#sent.shift() ?? []) {
      this.#waiting--
      if (answers.u8() === 1) waiting.resolve(decodeRows(answers))
      else waiting.reject(new DatabaseError(answers.value() as DatabaseErrorCode, answers.value() as string))
    }
    if (this.#waiting === 0) this.#whenDrained?.()
  }

  /** The thread is gone, or going: every read fails from now on. */
  die(error: DatabaseError): void {
    this.#failure ??= error
    for (const batch of [...this.#sent.splice(0), this.#gathering.splice(0)]) {
      for (const waiting of batch) waiting.reject(error)
    }
    this.#whenDrained?.()
  }
}

function packRead(
  packed: PackedWriter,
  statement: Statement | string,
  parameters: readonly SqlValue[],
  firstOnly: boolean,
): void {
  packed.u8(firstOnly ? 1 : 0)
  if (typeof statement === 'string') {
    packed.u16(unregisteredStatement)
    packed.value(statement)
  } else {
    packed.u16(statement.id)
  }
  packed.u16(parameters.length)
  for (const parameter of parameters) packed.value(parameter)
}

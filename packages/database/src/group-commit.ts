import type { DatabaseStatistics, Row, SqlValue, Statement, Ticket, Write } from './database.ts'
import { DatabaseError } from './database-error.ts'
import { limits } from './limits.ts'
import { RowSetReader } from './row-sets.ts'
import { type Batch, type UnitDone, WriteQueue } from './write-queue.ts'

/** What one commit did. Indexes count the units of its batch, cancelled ones included. */
export interface CommitResult {
  /** Rows changed by each write of the batch, cancelled ones included. */
  readonly changes: Int32Array<ArrayBuffer>
  /** The units that failed and were left out. */
  readonly failures: readonly (readonly [unit: number, error: DatabaseError])[]
  /** What the units returned that wanted rows, see `RowSetWriter`. */
  readonly returned: ArrayBuffer | undefined
  /** The commit itself failed: nothing of it was written. */
  readonly failure?: DatabaseError
}

type State = 'idle' | 'committing' | 'held' | 'dead'

/**
 * Group commit without I/O: one commit runs at a time, writes gather meanwhile, and the next commit starts
 * as soon as the previous one is done, with all that has gathered.
 */
export class GroupCommit {
  readonly #commit: (batch: Batch) => void
  readonly #onWriteFailed: (error: DatabaseError) => void
  readonly #queue = new WriteQueue(limits)
  readonly #holdersWaiting: ((error?: DatabaseError) => void)[] = []
  #state: State = 'idle'
  #committing: Batch | undefined
  #startScheduled = false
  #holderWasLast = false
  #whenDrained: (() => void) | undefined
  #failure: DatabaseError | undefined
  #commits = 0
  #unitsCommitted = 0
  #unitsCancelled = 0
  #unitsFailed = 0

  /** @param commit starts writing a batch; `finished` or `die` must follow, later */
  constructor(commit: (batch: Batch) => void, onWriteFailed: (error: DatabaseError) => void) {
    this.#commit = commit
    this.#onWriteFailed = onWriteFailed
  }

  get failure(): DatabaseError | undefined {
    return this.#failure
  }

  write(statement: Statement, parameters: readonly SqlValue[], done: UnitDone, wantsRows = false): Ticket {
    if (this.#queue.isFull || this.#failure !== undefined) return this.#refuse(done)
    const ticket = this.#queue.addOne(statement, parameters, done, wantsRows)
    if (this.#state === 'idle') this.#scheduleStart()
    return ticket
  }

  writeUnit(writes: readonly Write[], done: UnitDone, wantsRows = false): Ticket {
    if (this.#queue.isFull || this.#failure !== undefined) return this.#refuse(done)
    const ticket = this.#queue.addUnit(writes, done, wantsRows)
    if (this.#state === 'idle') this.#scheduleStart()
    return ticket
  }

  cancel(ticket: Ticket): boolean {
    const cancelled = this.#queue.cancel(ticket)
    if (cancelled) this.#unitsCancelled++
    return cancelled
  }

  /** Waits for the running commit and keeps further ones away until the returned function is called. */
  hold(): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      if (this.#holdersWaiting.length >= limits.interactiveTransactionsWaitingMax) {
        return reject(
          new DatabaseError('DATABASE_BUSY', 'Too many transactions wait for the database; try again.'),
        )
      }
      this.#holdersWaiting.push((error) => (error ? reject(error) : resolve(() => this.#letGo())))
      if (this.#state === 'idle') this.#scheduleStart()
    })
  }

  /** The batch given to `commit` last is done. */
  finished(packed: ArrayBuffer, result: CommitResult): void {
    const batch = this.#committing
    // The thread's last answer may arrive behind its death, when everybody has been told already.
    if (batch === undefined) return
    this.#committing = undefined
    this.#queue.giveBack(packed)
    this.#commits++
    this.#state = 'idle'
    // The next commit first: it runs while the listeners of this one are told.
    this.#startNext()
    this.#tell(batch, result)
  }

  /** The engine is gone for good: whether the running commit is on disk cannot be known; nothing else is. */
  die(error: DatabaseError): void {
    this.#failure = error
    this.#state = 'dead'
    for (const waiting of this.#holdersWaiting.splice(0)) waiting(error)
    const batches = this.#committing === undefined ? [] : [this.#committing]
    this.#committing = undefined
    for (let batch = this.#queue.take(); batch !== undefined; batch = this.#queue.take()) batches.push(batch)
    for (const batch of batches) {
      for (const [unit, done] of batch.done.entries()) {
        if (batch.offsets[unit]! >= 0) this.#tellFailed(done, error)
      }
    }
    this.#whenDrained?.()
  }

  /** Resolves when nothing waits and nothing runs. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenDrained = resolve
      if (this.#state === 'idle') this.#scheduleStart()
      if (this.#state === 'dead') resolve()
    })
  }

  statistics(): DatabaseStatistics {
    const committing = this.#committing
    return {
      unitsWaiting: this.#queue.unitsWaiting,
      bytesWaiting: this.#queue.bytesWaiting,
      unitsCommitting: committing === undefined ? 0 : committing.offsets.length - committing.cancelled,
      commits: this.#commits,
      unitsCommitted: this.#unitsCommitted,
      unitsCancelled: this.#unitsCancelled,
      unitsFailed: this.#unitsFailed,
    }
  }

  /** A commit starts at the end of the turn that asked for it, so that it takes all writes of that turn. */
  #scheduleStart(): void {
    if (this.#startScheduled) return
    this.#startScheduled = true
    queueMicrotask(() => {
      this.#startScheduled = false
      if (this.#state === 'idle') this.#startNext()
    })
  }

  #startNext(): void {
    // Holders and commits take turns, so that neither starves.
    if (!this.#holderWasLast && this.#startHolder()) return
    this.#holderWasLast = false
    const batch = this.#queue.take()
    if (batch !== undefined) {
      this.#state = 'committing'
      this.#committing = batch
      this.#commit(batch)
      return
    }
    if (!this.#startHolder()) this.#whenDrained?.()
  }

  #startHolder(): boolean {
    const waiting = this.#holdersWaiting.shift()
    if (waiting === undefined) return false
    this.#holderWasLast = true
    this.#state = 'held'
    waiting()
    return true
  }

  #letGo(): void {
    if (this.#state !== 'held') return
    this.#state = 'idle'
    this.#scheduleStart()
  }

  #tell(batch: Batch, { changes, failures, returned, failure }: CommitResult): void {
    const failureOf = failures.length === 0 ? undefined : new Map(failures)
    const rowSets = returned === undefined ? undefined : new RowSetReader(returned)
    let firstWrite = 0
    for (let unit = 0; unit < batch.offsets.length; unit++) {
      const writes = batch.writeCounts[unit]!
      const rows = rowSets?.rowsOf(unit)
      if (batch.offsets[unit]! >= 0) {
        const error = failure ?? failureOf?.get(unit)
        if (error !== undefined) this.#tellFailed(batch.done[unit], error)
        else {
          this.#unitsCommitted++
          tellCommitted(batch.done[unit], changes, firstWrite, writes, rows)
        }
      }
      firstWrite += writes
    }
  }

  #tellFailed(done: UnitDone, error: DatabaseError): void {
    this.#unitsFailed++
    try {
      if (done === undefined) this.#onWriteFailed(error)
      else if (typeof done === 'function') done(error, 0)
      else done.failed(error)
    } catch (thrown) {
      throwLater(thrown)
    }
  }

  #refuse(done: UnitDone): 0 {
    const error =
      this.#failure ??
      new DatabaseError(
        'DATABASE_BUSY',
        'More writes wait than the database takes at once; try again shortly.',
      )
    queueMicrotask(() => this.#tellFailed(done, error))
    return 0
  }
}

function tellCommitted(
  done: UnitDone,
  changes: Int32Array<ArrayBuffer>,
  firstWrite: number,
  writes: number,
  rows: readonly Row[] | undefined,
): void {
  if (done === undefined) return
  try {
    if (typeof done === 'object') {
      done.committed(changes.slice(firstWrite, firstWrite + writes), rows)
      return
    }
    let total = changes[firstWrite] ?? 0
    for (let write = 1; write < writes; write++) total += changes[firstWrite + write]!
    if (rows === undefined) done(undefined, total)
    else done(undefined, total, rows)
  } catch (thrown) {
    throwLater(thrown)
  }
}

/** A listener that throws is a bug of its owner: it surfaces as an uncaught error, after the others are told. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

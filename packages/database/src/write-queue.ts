/**
 * The units that wait for a commit: gathered in order, cut into batches, cancelled by ticket. No I/O.
 *
 * A batch is packed while it is gathered, so that handing it over costs one transfer and the caller may
 * reuse its parameters at once:
 *
 *   batch    unit*
 *   unit     u32 LE byte length of the unit (this field included) | u8 state | u8 wants rows | u16 LE writes
 *            then each write: u16 LE statement id | u16 LE parameters | values (packing.ts)
 */
import type { Row, SqlValue, Statement, Ticket, Write, WriteDone } from './database.ts'
import { DatabaseError } from './database-error.ts'
import { limits } from './limits.ts'
import { PackedWriter } from './packing.ts'

/** The state byte of a packed unit. */
export const UnitState = { pending: 0, cancelled: 1 } as const

const unitStateOffset = 4

/** Who wants to know the changes of each write, where `WriteDone` tells their sum. */
interface UnitListener {
  failed(error: DatabaseError): void
  /** `rows` as with `WriteDone`. */
  committed(changes: Int32Array<ArrayBuffer>, rows: readonly Row[] | undefined): void
}

/** Who is told of a unit. */
export type UnitDone = WriteDone | UnitListener | undefined

/** Units that are committed together. */
export interface Batch {
  readonly firstTicket: Ticket
  readonly packed: PackedWriter
  /** For each unit who is told, or undefined. */
  readonly done: UnitDone[]
  /** For each unit where it starts in the packed bytes; -1 when it was cancelled. */
  readonly offsets: number[]
  /** For each unit how many writes it has. */
  readonly writeCounts: number[]
  writes: number
  cancelled: number
}

export interface WriteQueueLimits {
  readonly rowsPerCommitMax: number
  readonly bytesPerCommitMax: number
  readonly rowsWaitingMax: number
  readonly bytesWaitingMax: number
}

/** Buffers that came back are kept for the next batches; two are in use at full load. */
const spareBuffersMax = 3
/** Room beyond the commit limit so that the last unit of a full batch does not make its buffer grow. */
const spareRoomBytes = 16 * 1024

/** Gathers units into batches and hands them out one by one. */
export class WriteQueue {
  /** Live units (not cancelled) that wait. */
  unitsWaiting = 0
  bytesWaiting = 0
  #rowsWaiting = 0
  #nextTicket: Ticket = 1
  readonly #batches: Batch[] = []
  readonly #limits: WriteQueueLimits
  readonly #bufferBytes: number
  readonly #spareBuffers: ArrayBuffer[] = []

  constructor(limits: WriteQueueLimits) {
    this.#limits = limits
    this.#bufferBytes = limits.bytesPerCommitMax + spareRoomBytes
  }

  get isFull(): boolean {
    return (
      this.#rowsWaiting >= this.#limits.rowsWaitingMax || this.bytesWaiting >= this.#limits.bytesWaitingMax
    )
  }

  /** Adds a unit of one write. The caller has checked `isFull`. */
  addOne(statement: Statement, parameters: readonly SqlValue[], done: UnitDone, wantsRows = false): Ticket {
    const batch = this.#openBatch()
    const { packed } = batch
    const start = packed.offset
    try {
      packUnitHeader(packed, 1, wantsRows)
      packWrite(packed, statement, parameters)
    } catch (error) {
      packed.offset = start
      throw error
    }
    return this.#finishUnit(batch, start, 1, done)
  }

  /** Adds a unit of several writes. The caller has checked `isFull`. */
  addUnit(writes: readonly Write[], done: UnitDone, wantsRows = false): Ticket {
    const batch = this.#openBatch()
    const { packed } = batch
    const start = packed.offset
    try {
      packUnitHeader(packed, writes.length, wantsRows)
      for (const write of writes) packWrite(packed, write.statement, write.parameters)
    } catch (error) {
      packed.offset = start
      throw error
    }
    return this.#finishUnit(batch, start, writes.length, done)
  }

  /** Takes a waiting unit back; false when it is not waiting (any more). */
  cancel(ticket: Ticket): boolean {
    for (const batch of this.#batches) {
      const index = ticket - batch.firstTicket
      if (index < 0) return false
      if (index >= batch.offsets.length) continue
      const offset = batch.offsets[index]!
      if (offset < 0) return false
      batch.packed.buffer[offset + unitStateOffset] = UnitState.cancelled
      batch.offsets[index] = -1
      batch.done[index] = undefined
      batch.cancelled++
      this.unitsWaiting--
      this.#rowsWaiting -= batch.writeCounts[index]!
      return true
    }
    return false
  }

  /** The oldest batch that holds a live unit, now out of the reach of `cancel`; undefined when none waits. */
  take(): Batch | undefined {
    for (;;) {
      const batch = this.#batches.shift()
      if (batch === undefined) return undefined
      this.bytesWaiting -= batch.packed.offset
      const live = batch.offsets.length - batch.cancelled
      if (live === 0) {
        this.giveBack(batch.packed.buffer.buffer)
        continue
      }
      this.unitsWaiting -= live
      for (let index = 0; index < batch.offsets.length; index++) {
        if (batch.offsets[index]! >= 0) this.#rowsWaiting -= batch.writeCounts[index]!
      }
      return batch
    }
  }

  /** Returns the buffer of a batch that was committed, for reuse. */
  giveBack(buffer: ArrayBuffer): void {
    if (buffer.byteLength === this.#bufferBytes && this.#spareBuffers.length < spareBuffersMax) {
      this.#spareBuffers.push(buffer)
    }
  }

  #openBatch(): Batch {
    const last = this.#batches.at(-1)
    if (
      last !== undefined &&
      last.writes < this.#limits.rowsPerCommitMax &&
      last.packed.offset < this.#limits.bytesPerCommitMax
    ) {
      return last
    }
    const batch: Batch = {
      firstTicket: this.#nextTicket,
      packed: new PackedWriter(this.#spareBuffers.pop() ?? new ArrayBuffer(this.#bufferBytes)),
      done: [],
      offsets: [],
      writeCounts: [],
      writes: 0,
      cancelled: 0,
    }
    this.#batches.push(batch)
    return batch
  }

  #finishUnit(batch: Batch, start: number, writes: number, done: UnitDone): Ticket {
    const { packed } = batch
    packed.buffer.writeUInt32LE(packed.offset - start, start)
    batch.done.push(done)
    batch.offsets.push(start)
    batch.writeCounts.push(writes)
    batch.writes += writes
    this.unitsWaiting++
    this.#rowsWaiting += writes
    this.bytesWaiting += packed.offset - start
    return this.#nextTicket++
  }
}

function packUnitHeader(packed: PackedWriter, writes: number, wantsRows: boolean): void {
  if (writes > limits.writesPerUnitMax) {
    throw new DatabaseError(
      'DATABASE_STATEMENT',
      `A unit has ${writes} writes, at most ${limits.writesPerUnitMax} are taken; write it in parts.`,
    )
  }
  packed.u32(0)
  packed.u8(UnitState.pending)
  packed.u8(wantsRows ? 1 : 0)
  packed.u16(writes)
}

function packWrite(packed: PackedWriter, statement: Statement, parameters: readonly SqlValue[]): void {
  packed.u16(statement.id)
  packed.u16(parameters.length)
  for (let index = 0; index < parameters.length; index++) packed.value(parameters[index]!)
}

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { SqlValue } from '../database.ts'
import { DatabaseError } from '../database-error.ts'
import { PackedReader } from '../packing.ts'
import { RowSetWriter } from '../row-sets.ts'
import { UnitState } from '../write-queue.ts'
import { describeSqliteError, type ErrorRecord } from './sqlite-errors.ts'
import type { CommitRecord } from './sqlite-messages.ts'

type Failures = [number, ErrorRecord][]

/** What a commit fills in as it goes. */
interface Results {
  readonly changes: Int32Array
  readonly returned: RowSetWriter
}

/** Runs packed batches as transactions on one connection. */
export class Committer {
  readonly #connection: DatabaseSync
  readonly #file: string
  readonly #sql: string[] = []
  readonly #prepared: StatementSync[] = []
  readonly #columns: string[][] = []

  constructor(connection: DatabaseSync, file: string) {
    this.#connection = connection
    this.#file = file
  }

  register(id: number, sql: string): void {
    this.#sql[id] = sql
  }

  /**
   * Writes a batch in one transaction. The fast way has no savepoints; when a unit fails, everything is
   * rolled back and done again with a savepoint around each unit, so that only the failing ones are left out.
   */
  commit(packed: ArrayBuffer, bytes: number, writes: number): CommitRecord {
    const changes = new Int32Array(writes)
    const failures: Failures = []
    const returned = new RowSetWriter()
    const results = { changes, returned }
    try {
      if (!this.#tryAll(packed, bytes, results)) {
        returned.cut(0)
        this.#replay(packed, bytes, results, failures)
      }
      return { changes, failures, returned: returned.packed }
    } catch (error) {
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
      return {
        changes,
        failures: [],
        returned: undefined,
        failure: describeSqliteError(error, this.#file),
      }
    }
  }

  #tryAll(packed: ArrayBuffer, bytes: number, results: Results): boolean {
    this.#connection.exec('BEGIN IMMEDIATE')
    try {
      this.#eachUnit(packed, bytes, (reader, unit, wantsRows, writes, firstWrite) => {
        for (let write = 0; write < writes; write++) {
          this.#runWrite(reader, unit, wantsRows, firstWrite + write, results)
        }
      })
    } catch {
      // Whatever it was: the replay meets it again and says which unit it belongs to.
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
      return false
    }
    this.#connection.exec('COMMIT')
    return true
  }

  #replay(packed: ArrayBuffer, bytes: number, results: Results, failures: Failures): void {
    this.#connection.exec('BEGIN IMMEDIATE')
    this.#eachUnit(packed, bytes, (reader, unit, wantsRows, writes, firstWrite) => {
      this.#connection.exec('SAVEPOINT unit')
      const returnedBefore = results.returned.mark
      try {
        for (let write = 0; write < writes; write++) {
          this.#runWrite(reader, unit, wantsRows, firstWrite + write, results)
        }
      } catch (error) {
        // A full disk or an I/O error ends the whole transaction: then it is the commit that failed.
        if (!this.#connection.isTransaction) throw error
        this.#connection.exec('ROLLBACK TO unit')
        results.changes.fill(0, firstWrite, firstWrite + writes)
        results.returned.cut(returnedBefore)
        failures.push([unit, describeSqliteError(error, this.#file)])
      }
      this.#connection.exec('RELEASE unit')
    })
    this.#connection.exec('COMMIT')
  }

  #eachUnit(
    packed: ArrayBuffer,
    bytes: number,
    visit: (
      reader: PackedReader,
      unit: number,
      wantsRows: boolean,
      writes: number,
      firstWrite: number,
    ) => void,
  ): void {
    const reader = new PackedReader(packed)
    let firstWrite = 0
    for (let unit = 0; reader.offset < bytes; unit++) {
      const end = reader.offset + reader.u32()
      const state = reader.u8()
      const wantsRows = reader.u8() === 1
      const writes = reader.u16()
      if (state === UnitState.pending) visit(reader, unit, wantsRows, writes, firstWrite)
      firstWrite += writes
      reader.offset = end
    }
  }

  #runWrite(
    reader: PackedReader,
    unit: number,
    wantsRows: boolean,
    write: number,
    { changes, returned }: Results,
  ): void {
    const id = reader.u16()
    const parameters = new Array<SqlValue>(reader.u16())
    for (let index = 0; index < parameters.length; index++) parameters[index] = reader.value()
    const statement = this.#prepared[id] ?? this.#prepare(id)
    if (wantsRows && this.#columns[id]!.length > 0) {
      const result = statement.all(...parameters) as unknown as SqlValue[][]
      changes[write] = result.length
      if (result.length > 0) returned.add(unit, this.#columns[id]!, result)
    } else {
      changes[write] = Number(statement.run(...parameters).changes)
    }
  }

  #prepare(id: number): StatementSync {
    const sql = this.#sql[id]
    if (sql === undefined) {
      throw new DatabaseError('DATABASE_STATEMENT', `The statement ${id} was not prepared on this database.`)
    }
    const statement = this.#connection.prepare(sql)
    statement.setReturnArrays(true)
    this.#columns[id] = statement.columns().map((column) => column.name)
    this.#prepared[id] = statement
    return statement
  }
}

import pg from 'pg'
import type { SqlValue, Statement } from '../database.ts'
import type { DatabaseError } from '../database-error.ts'
import { type CommitResult, GroupCommit } from '../group-commit.ts'
import { PackedReader } from '../packing.ts'
import { numberPlaceholders } from '../placeholders.ts'
import { RowSetWriter } from '../row-sets.ts'
import { type Batch, UnitState } from '../write-queue.ts'
import { isConnectionLost, toPostgresError } from './postgres-errors.ts'

interface UnitWrites {
  readonly unit: number
  readonly firstWrite: number
  readonly wantsRows: boolean
  readonly queries: readonly pg.QueryConfig[]
}

/** What a commit fills in as it goes. */
interface Results {
  readonly changes: Int32Array
  readonly returned: RowSetWriter
}

/** Commits batches on one connection of its own: everything of a batch is sent at once, in one transaction. */
export class PostgresWriter {
  readonly groupCommit: GroupCommit
  readonly #config: pg.ClientConfig
  readonly #sql: string[] = []
  #client: pg.Client | undefined

  constructor(config: pg.ClientConfig, onWriteFailed: (error: DatabaseError) => void) {
    this.#config = config
    this.groupCommit = new GroupCommit((batch) => void this.#commit(batch), onWriteFailed)
  }

  register(statement: Statement): void {
    this.#sql[statement.id] = numberPlaceholders(statement.sql)
  }

  async close(): Promise<void> {
    await this.groupCommit.drained()
    await this.#client?.end()
  }

  async #commit(batch: Batch): Promise<void> {
    const packed = batch.packed.buffer.buffer
    const changes = new Int32Array(batch.writes)
    const failures: [number, DatabaseError][] = []
    const returned = new RowSetWriter()
    const results = { changes, returned }
    let result: CommitResult
    try {
      const units = this.#unpack(packed, batch.packed.offset)
      const client = await this.#connected()
      if (!(await tryAll(client, units, results))) {
        returned.cut(0)
        changes.fill(0)
        await replay(client, units, results, failures)
      }
      result = { changes, failures, returned: returned.packed }
    } catch (error) {
      this.#drop()
      result = { changes, failures: [], returned: undefined, failure: toPostgresError(error) }
    }
    this.groupCommit.finished(packed, result)
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client !== undefined) return this.#client
    const client = new pg.Client({ ...this.#config, pipeline: true } as pg.ClientConfig)
    // A connection that breaks between two commits is replaced by the next one.
    client.on('error', () => {
      if (this.#client === client) this.#drop()
    })
    await client.connect()
    this.#client = client
    return client
  }

  #drop(): void {
    const client = this.#client
    this.#client = undefined
    // The server undoes what was not committed when the connection goes.
    client?.end().catch(() => undefined)
  }

  #unpack(packed: ArrayBuffer, bytes: number): UnitWrites[] {
    // pg keeps the parameters until they are sent, and the buffer is reused only after the commit.
    const reader = new PackedReader(packed)
    const units: UnitWrites[] = []
    let firstWrite = 0
    for (let unit = 0; reader.offset < bytes; unit++) {
      const end = reader.offset + reader.u32()
      const state = reader.u8()
      const wantsRows = reader.u8() === 1
      const writes = reader.u16()
      if (state === UnitState.pending) {
        const queries = Array.from({ length: writes }, () => this.#unpackQuery(reader))
        units.push({ unit, firstWrite, wantsRows, queries })
      }
      firstWrite += writes
      reader.offset = end
    }
    return units
  }

  #unpackQuery(reader: PackedReader): pg.QueryConfig {
    const id = reader.u16()
    const values = Array.from({ length: reader.u16() }, () => toPostgresValue(reader.value()))
    const text = this.#sql[id] ?? ''
    return { name: `s${id}`, text, values }
  }
}

async function tryAll(client: pg.Client, units: readonly UnitWrites[], commit: Results): Promise<boolean> {
  const results = [client.query('BEGIN')]
  for (const { queries } of units) for (const query of queries) results.push(client.query(query))
  results.push(client.query('COMMIT'))
  const settled = await Promise.allSettled(results)
  const lost = settled.find((one) => one.status === 'rejected' && isConnectionLost(one.reason))
  if (lost !== undefined) throw (lost as PromiseRejectedResult).reason
  const end = settled.at(-1)!
  // COMMIT of a transaction in which something failed answers ROLLBACK; a deferred constraint rejects it.
  if (end.status === 'rejected' || end.value.command !== 'COMMIT') return false
  let next = 1
  for (const unit of units) {
    for (const index of unit.queries.keys()) {
      note(unit, index, (settled[next++] as PromiseFulfilledResult<pg.QueryResult>).value, commit)
    }
  }
  return true
}

/** As `tryAll` with a savepoint around each unit, so that only the failing ones are left out. */
async function replay(
  client: pg.Client,
  units: readonly UnitWrites[],
  commit: Results,
  failures: [number, DatabaseError][],
): Promise<void> {
  await client.query('BEGIN')
  for (const unit of units) {
    await client.query('SAVEPOINT unit')
    const noted: [pg.QueryResult, number][] = []
    try {
      for (const [index, query] of unit.queries.entries()) noted.push([await client.query(query), index])
      for (const [result, index] of noted) note(unit, index, result, commit)
    } catch (error) {
      if (isConnectionLost(error)) throw error
      await client.query('ROLLBACK TO SAVEPOINT unit')
      failures.push([unit.unit, toPostgresError(error)])
    }
    await client.query('RELEASE SAVEPOINT unit')
  }
  await client.query('COMMIT')
}

function note(unit: UnitWrites, index: number, result: pg.QueryResult, { changes, returned }: Results): void {
  changes[unit.firstWrite + index] = result.rowCount ?? 0
  if (!unit.wantsRows || result.rows.length === 0) return
  const columns = result.fields.map((field) => field.name)
  returned.add(
    unit.unit,
    columns,
    result.rows.map((row) => columns.map((column) => row[column])),
  )
}

/** pg takes only Buffers for bytea. */
export function toPostgresValue(value: SqlValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return typeof value === 'bigint' ? value.toString() : value
}

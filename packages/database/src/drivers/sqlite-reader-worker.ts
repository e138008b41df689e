/** The reader thread of one SQLite database: reads never queue behind the fsync of a commit. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { SqlValue } from '../database.ts'
import { DatabaseError } from '../database-error.ts'
import { limits } from '../limits.ts'
import { encodeRows, PackedReader, PackedWriter } from '../packing.ts'
import { describeSqliteError } from './sqlite-errors.ts'
import {
  type ReaderData,
  type ReaderReply,
  type ReaderRequest,
  unregisteredStatement,
} from './sqlite-messages.ts'
import { openReaderConnection } from './sqlite-open.ts'

interface Prepared {
  readonly statement: StatementSync
  readonly columns: readonly string[]
}

const port = parentPort!
const { file } = workerData as ReaderData
const registered: string[] = []
const prepared: Prepared[] = []

// The thread starts beside the writer's, which makes the database first.
port.once('message', () => {
  try {
    serve(openReaderConnection(file))
    reply({ kind: 'opened' })
  } catch (error) {
    reply({ kind: 'openFailed', error: describeSqliteError(error, file) })
  }
})

function serve(connection: DatabaseSync): void {
  port.on('message', (request: ReaderRequest) => {
    if (request.kind === 'close') {
      connection.close()
      port.close()
      return
    }
    if (request.kind === 'open') return
    for (const [id, sql] of request.statements) registered[id] = sql
    const reader = new PackedReader(request.packed)
    const writer = new PackedWriter(new ArrayBuffer(4096))
    while (reader.offset < request.bytes) answer(connection, reader, writer)
    const packed = writer.buffer.buffer
    reply({ kind: 'rows', packed }, [packed])
  })
}

function answer(connection: DatabaseSync, reader: PackedReader, writer: PackedWriter): void {
  const firstOnly = reader.u8() === 1
  const id = reader.u16()
  const unregistered = id === unregisteredStatement ? (reader.value() as string) : undefined
  const parameters = new Array<SqlValue>(reader.u16())
  for (let index = 0; index < parameters.length; index++) parameters[index] = reader.value()
  const start = writer.offset
  try {
    const { statement, columns } =
      unregistered === undefined ? preparedOnce(connection, id) : prepare(connection, unregistered)
    const rows = collect(statement, parameters, firstOnly)
    writer.u8(1)
    encodeRows(writer, columns, rows)
  } catch (error) {
    const record = describeSqliteError(error, file)
    writer.offset = start
    writer.u8(0)
    writer.value(record.code)
    writer.value(record.message)
  }
}

function collect(
  statement: StatementSync,
  parameters: readonly SqlValue[],
  firstOnly: boolean,
): SqlValue[][] {
  const rows: SqlValue[][] = []
  for (const row of statement.iterate(...parameters)) {
    if (rows.length === limits.rowsPerReadMax) {
      throw new DatabaseError(
        'DATABASE_TOO_MANY_ROWS',
        `A read of ${file} returns more than ${limits.rowsPerReadMax} rows; read it in pages.`,
      )
    }
    rows.push(row as unknown as SqlValue[])
    if (firstOnly) break
  }
  return rows
}

function preparedOnce(connection: DatabaseSync, id: number): Prepared {
  prepared[id] ??= prepare(connection, registered[id]!)
  return prepared[id]
}

function prepare(connection: DatabaseSync, sql: string): Prepared {
  const statement = connection.prepare(sql)
  statement.setReturnArrays(true)
  return { statement, columns: statement.columns().map((column) => column.name) }
}

function reply(message: ReaderReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

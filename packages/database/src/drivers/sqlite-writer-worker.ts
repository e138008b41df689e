/** The writer thread of one SQLite database: the only connection that writes. */
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { SqlValue } from '../database.ts'
import { migrationError, migrationsTable, pendingMigrations } from '../migrations.ts'
import { Committer } from './sqlite-commit.ts'
import { describeSqliteError } from './sqlite-errors.ts'
import type { ExecuteResult, WriterData, WriterReply, WriterRequest } from './sqlite-messages.ts'
import { openWriterConnection } from './sqlite-open.ts'

const port = parentPort!
const { file, migrations } = workerData as WriterData

try {
  const connection = openWriterConnection(file)
  migrate(connection)
  serve(connection)
  reply({ kind: 'opened' })
} catch (error) {
  reply({ kind: 'openFailed', error: describeSqliteError(error, file) })
}

function serve(connection: DatabaseSync): void {
  const committer = new Committer(connection, file)
  port.on('message', (request: WriterRequest) => {
    switch (request.kind) {
      case 'commit': {
        for (const [id, sql] of request.statements) committer.register(id, sql)
        const result = committer.commit(request.packed, request.bytes, request.writes)
        const transfer = [request.packed, result.changes.buffer]
        if (result.returned !== undefined) transfer.push(result.returned)
        return reply({ kind: 'committed', packed: request.packed, result }, transfer)
      }
      case 'execute':
        try {
          return reply({ kind: 'executed', result: execute(connection, request.sql, request.parameters) })
        } catch (error) {
          return reply({ kind: 'executeFailed', error: describeSqliteError(error, file) })
        }
      case 'close':
        connection.close()
        port.close()
    }
  })
}

function execute(connection: DatabaseSync, sql: string, parameters: readonly SqlValue[]): ExecuteResult {
  const statement = connection.prepare(sql)
  if (statement.columns().length > 0) {
    const rows = statement.all(...parameters) as ExecuteResult['rows']
    return { rows, changes: BigInt(rows.length), insertId: 0n }
  }
  const { changes, lastInsertRowid } = statement.run(...parameters)
  return { rows: [], changes: BigInt(changes), insertId: BigInt(lastInsertRowid) }
}

function migrate(connection: DatabaseSync): void {
  connection.exec(`CREATE TABLE IF NOT EXISTS ${migrationsTable} (
    position INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL DEFAULT (unixepoch() * 1000)
  )`)
  const rows = connection.prepare(`SELECT name FROM ${migrationsTable} ORDER BY position`).all()
  const applied = rows.map((row) => row.name as string)
  for (const [index, migration] of pendingMigrations(migrations, applied, file).entries()) {
    connection.exec('BEGIN IMMEDIATE')
    try {
      connection.exec(migration.sql)
      connection
        .prepare(`INSERT INTO ${migrationsTable} (position, name) VALUES (?, ?)`)
        .run(applied.length + index, migration.name)
      connection.exec('COMMIT')
    } catch (error) {
      if (connection.isTransaction) connection.exec('ROLLBACK')
      throw migrationError(migration, file, error)
    }
  }
}

function reply(message: WriterReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

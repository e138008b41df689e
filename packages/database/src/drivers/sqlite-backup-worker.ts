/** Copies a database that is in use, on a thread and a connection of its own. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { DatabaseError } from '../database-error.ts'
import { describeSqliteError, type ErrorRecord } from './sqlite-errors.ts'
import type { BackupData } from './sqlite-messages.ts'
import { openReaderConnection } from './sqlite-open.ts'

const { from, to } = workerData as BackupData
const partial = `${to}.partial`

parentPort!.postMessage(copy())

function copy(): ErrorRecord | undefined {
  try {
    if (existsSync(to)) {
      throw new DatabaseError('DATABASE_UNREADABLE', `${to} exists already; give a backup a name of its own.`)
    }
    rmSync(partial, { force: true })
    // Created before SQLite writes to it, so that the copy is as private as the database.
    closeSync(openSync(partial, 'wx', 0o600))
    const connection = openReaderConnection(from)
    try {
      connection.prepare('VACUUM INTO ?').run(partial)
    } finally {
      connection.close()
    }
    // The name appears only when the whole copy is on disk: half a backup is never taken for one.
    sync(partial)
    renameSync(partial, to)
    sync(dirname(to))
    return undefined
  } catch (error) {
    rmSync(partial, { force: true })
    return describeSqliteError(error, to)
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

import { Worker } from 'node:worker_threads'
import { DatabaseError } from '../database-error.ts'
import { type ErrorRecord, reviveError } from './sqlite-errors.ts'

type ThreadName = 'sqlite-writer-worker' | 'sqlite-reader-worker' | 'sqlite-backup-worker'

/** Starts a thread from source or from the build, whichever this file is. */
export function startThread(name: ThreadName, workerData: unknown): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  // Flags of the parent (a test runner's loader, a profiler) are not meant for the thread.
  return new Worker(new URL(`./${name}.${extension}`, import.meta.url), { workerData, execArgv: [] })
}

/** Waits for the first message of a thread that opens a database; throws what kept it from opening. */
export async function opened(worker: Worker): Promise<void> {
  const message = await firstMessage<{ kind: string; error?: ErrorRecord }>(worker)
  if (message.error !== undefined) throw reviveError(message.error)
}

/** The first message of a thread; throws when it ends without one. */
export function firstMessage<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: T): void => settle(() => resolve(message))
    const onError = (error: unknown): void => settle(() => reject(threadError(error)))
    const onExit = (): void => settle(() => reject(threadError(new Error('it ended without an answer'))))
    const settle = (then: () => void): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      then()
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
  })
}

/** Tells that no further answer of a thread can be relied on: it failed, ended, or one could not be read. */
export function onThreadLost(worker: Worker, lost: (error: DatabaseError) => void): void {
  worker.on('error', (cause) => lost(threadError(cause)))
  worker.on('messageerror', (cause) => lost(threadError(cause)))
  worker.on('exit', (code) => lost(threadError(new Error(`it ended with code ${code}`))))
}

function threadError(cause: unknown): DatabaseError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new DatabaseError('DATABASE_FAILED', `The database thread failed: ${reason}.`, { cause })
}

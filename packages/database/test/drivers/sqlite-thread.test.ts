import { EventEmitter } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { SqliteReader } from '../../src/drivers/sqlite-reader.ts'
import { SqliteWriter } from '../../src/drivers/sqlite-writer.ts'
import { encodeRows, PackedWriter } from '../../src/packing.ts'

/** The main thread's end of a thread that answers only what the test says. */
class Thread extends EventEmitter {
  postMessage(): void {}
}

const endings = [
  ['fails', (thread: Thread) => thread.emit('error', new Error('out of memory'))],
  ['ends without an error', (thread: Thread) => thread.emit('exit', 1)],
  ['sends what cannot be read', (thread: Thread) => thread.emit('messageerror', new Error('no clone'))],
] as const
const statement = { id: 0, sql: 'SELECT 1' }
const thenFailed = { code: 'DATABASE_FAILED' }

describe.each(endings)('a database thread that %s', (_how, end) => {
  test('leaves no write, transaction or query waiting, and its late answers harm nobody', async () => {
    const thread = new Thread()
    const writer = new SqliteWriter(thread as unknown as Worker, () => undefined)
    const write = () =>
      new Promise((resolve) => writer.groupCommit.write(statement, [], (error) => resolve(error)))
    const session = await writer.acquire()
    const execution = session.execute('BEGIN', [])
    const waiting = [write(), writer.acquire().catch((error: unknown) => error)]
    end(thread)
    await expect(execution).rejects.toMatchObject(thenFailed)
    for (const told of await Promise.all([...waiting, write()])) expect(told).toMatchObject(thenFailed)
    session.release()
    thread.emit('message', { kind: 'executed', result: { rows: [], changes: 0n, insertId: 0n } })
    const result = { changes: new Int32Array(1), failures: [], returned: undefined }
    thread.emit('message', { kind: 'committed', packed: new ArrayBuffer(1), result })
    await writer.groupCommit.drained()
  })

  test('leaves no read waiting, and its late answers harm nobody', async () => {
    const thread = new Thread()
    const reader = new SqliteReader(thread as unknown as Worker)
    const reads = [reader.read(statement, [], true), reader.read(statement, [], false)]
    await Promise.resolve()
    reads.push(reader.read(statement, [], true))
    end(thread)
    for (const told of await Promise.allSettled(reads)) {
      expect(told).toMatchObject({ status: 'rejected', reason: thenFailed })
    }
    const packed = new PackedWriter(new ArrayBuffer(64))
    packed.u8(1)
    encodeRows(packed, ['a'], [])
    thread.emit('message', { kind: 'rows', packed: packed.buffer.buffer })
    await reader.drained()
  })
})

import { describe, expect, test } from 'vitest'
import type { Statement } from '../src/database.ts'
import { DatabaseError } from '../src/database-error.ts'
import { type CommitResult, GroupCommit } from '../src/group-commit.ts'
import { limits } from '../src/limits.ts'
import type { Batch } from '../src/write-queue.ts'

const insert: Statement = { id: 0, sql: 'INSERT' }
const failed = new DatabaseError('DATABASE_CONSTRAINT', 'It exists.')

/** A group commit whose commits are ended by the test. */
function start() {
  const batches: Batch[] = []
  const unheard: DatabaseError[] = []
  const heard: string[] = []
  const group = new GroupCommit(
    (batch) => batches.push(batch),
    (error) => unheard.push(error),
  )
  const write = (name: string) =>
    group.write(insert, [name], (error, changes) => heard.push(`${name} ${error?.code ?? changes}`))
  const finish = (result: Partial<CommitResult> = {}) => {
    const batch = batches.at(-1)!
    const changes = new Int32Array(batch.writes).fill(1)
    group.finished(batch.packed.buffer.buffer, {
      changes,
      failures: [],
      returned: undefined,
      ...result,
    })
  }
  return { group, batches, unheard, heard, write, finish }
}

describe('group commit', () => {
  test('takes all of a turn, gathers while it runs, and goes on at once', async () => {
    const { batches, heard, write, finish } = start()
    write('a')
    write('b')
    expect(batches).toHaveLength(0)
    await Promise.resolve()
    expect(batches.map((batch) => batch.writes)).toEqual([2])
    write('c')
    write('d')
    write('e')
    await Promise.resolve()
    expect(batches).toHaveLength(1)
    finish()
    expect(batches.map((batch) => batch.writes)).toEqual([2, 3])
    expect(heard).toEqual(['a 1', 'b 1'])
  })

  test('a write that was cancelled before its commit is never written and never told', async () => {
    const { group, batches, heard, write, finish } = start()
    const a = write('a')
    await Promise.resolve()
    const b = write('b')
    const c = write('c')
    expect([group.cancel(a), group.cancel(b)]).toEqual([false, true])
    finish()
    expect(batches[1]!.cancelled).toBe(1)
    finish()
    expect(heard).toEqual(['a 1', 'c 1'])
    expect(group.cancel(c)).toBe(false)
    expect(group.statistics()).toMatchObject({
      commits: 2,
      unitsCommitted: 2,
      unitsCancelled: 1,
      unitsWaiting: 0,
    })
  })

  test('units that fail are told so, alone; without a listener the database is', async () => {
    const { group, unheard, heard, write, finish } = start()
    write('a')
    write('b')
    group.write(insert, ['c'], undefined)
    await Promise.resolve()
    finish({
      failures: [
        [0, failed],
        [2, failed],
      ],
    })
    expect(heard).toEqual(['a DATABASE_CONSTRAINT', 'b 1'])
    expect(unheard).toEqual([failed])
  })

  test('a commit that fails is told to every unit', async () => {
    const { heard, write, finish } = start()
    write('a')
    write('b')
    await Promise.resolve()
    finish({ failure: new DatabaseError('DATABASE_FULL', 'The disk is full.') })
    expect(heard).toEqual(['a DATABASE_FULL', 'b DATABASE_FULL'])
  })

  test('a full queue refuses with ticket 0 and DATABASE_BUSY, after the call', async () => {
    const { heard, group, write } = start()
    for (let index = 0; index < limits.rowsWaitingMax; index++) group.write(insert, [index], undefined)
    expect(write('late')).toBe(0)
    expect(heard).toEqual([])
    await Promise.resolve()
    await Promise.resolve()
    expect(heard).toEqual(['late DATABASE_BUSY'])
    expect(group.cancel(0)).toBe(false)
  })

  test('a holder keeps commits away, and takes turns with them', async () => {
    const { group, batches, write, finish } = start()
    const order: string[] = []
    const holdAs = async (name: string) => {
      const letGo = await group.hold()
      order.push(name)
      return letGo
    }
    write('a')
    await Promise.resolve()
    const first = holdAs('first')
    const second = holdAs('second')
    write('b')
    await Promise.resolve()
    expect(order).toEqual([])
    finish()
    const letGo = await first
    expect(batches).toHaveLength(1)
    letGo()
    await Promise.resolve()
    expect(batches).toHaveLength(2)
    expect(order).toEqual(['first'])
    finish()
    ;(await second)()
    await group.drained()
  })

  test('when the engine dies everything that waits hears of it', async () => {
    const { group, heard, write } = start()
    write('a')
    await Promise.resolve()
    write('b')
    const holder = group.hold()
    group.die(new DatabaseError('DATABASE_FAILED', 'The thread is gone.'))
    await expect(holder).rejects.toMatchObject({ code: 'DATABASE_FAILED' })
    expect(heard).toEqual(['a DATABASE_FAILED', 'b DATABASE_FAILED'])
    expect(write('c')).toBe(0)
    await group.drained()
    expect(heard.at(-1)).toBe('c DATABASE_FAILED')
  })

  test('the answer of a thread that died in the meantime is nobody’s any more', async () => {
    const { batches, group, heard, write, finish } = start()
    write('a')
    await Promise.resolve()
    group.die(failed)
    finish()
    write('b')
    await Promise.resolve()
    expect(heard).toEqual(['a DATABASE_CONSTRAINT', 'b DATABASE_CONSTRAINT'])
    expect(batches).toHaveLength(1)
    await group.drained()
  })
})

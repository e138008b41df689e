import { describe, expect, test } from 'vitest'
import type { SqlValue, Statement } from '../src/database.ts'
import { PackedReader } from '../src/packing.ts'
import { type Batch, UnitState, WriteQueue, type WriteQueueLimits } from '../src/write-queue.ts'

const insert: Statement = { id: 3, sql: 'INSERT' }
const remove: Statement = { id: 4, sql: 'DELETE' }
const limits: WriteQueueLimits = {
  rowsPerCommitMax: 4,
  bytesPerCommitMax: 1000,
  rowsWaitingMax: 10,
  bytesWaitingMax: 3000,
}

describe('gathering', () => {
  test('units come out in order, packed, with what each was given', () => {
    const queue = new WriteQueue(limits)
    queue.addOne(insert, [1, 'a'], undefined)
    queue.addUnit(
      [
        { statement: insert, parameters: [2, null] },
        { statement: remove, parameters: [1] },
      ],
      undefined,
    )
    expect(unpack(queue.take()!)).toEqual([
      [[3, [1, 'a']]],
      [
        [3, [2, null]],
        [4, [1]],
      ],
    ])
    expect(queue.take()).toBeUndefined()
  })

  test('parameters are copied: changing them afterwards changes nothing', () => {
    const queue = new WriteQueue(limits)
    const blob = Uint8Array.of(1, 2, 3)
    queue.addOne(insert, [blob], undefined)
    blob.fill(0)
    expect(unpack(queue.take()!)).toEqual([[[3, [Uint8Array.of(1, 2, 3)]]]])
  })

  test('a batch ends at its rows', () => {
    const queue = new WriteQueue(limits)
    for (let index = 0; index < 10; index++) queue.addOne(insert, [index], undefined)
    expect(sizes(queue)).toEqual([4, 4, 2])
  })

  test('a batch ends at its bytes, and a larger unit still fits into one', () => {
    const queue = new WriteQueue(limits)
    queue.addOne(insert, [new Uint8Array(100)], undefined)
    queue.addOne(insert, [new Uint8Array(50_000)], undefined)
    queue.addOne(insert, [1], undefined)
    expect(sizes(queue)).toEqual([2, 1])
  })

  test('a unit that cannot be packed leaves no trace', () => {
    const queue = new WriteQueue(limits)
    queue.addOne(insert, [1], undefined)
    expect(() => queue.addOne(insert, [2, true as never], undefined)).toThrow()
    expect(() => queue.addUnit([{ statement: insert, parameters: [{} as never] }], undefined)).toThrow()
    queue.addOne(insert, [3], undefined)
    expect(unpack(queue.take()!)).toEqual([[[3, [1]]], [[3, [3]]]])
    expect(queue.bytesWaiting).toBe(0)
  })
})

describe('the queue is full', () => {
  test('at its rows, and free again after a batch was taken or units were cancelled', () => {
    const queue = new WriteQueue(limits)
    const tickets = Array.from({ length: 10 }, (_, index) => queue.addOne(insert, [index], undefined))
    expect(queue.isFull).toBe(true)
    queue.cancel(tickets[9]!)
    expect(queue.isFull).toBe(false)
    queue.addOne(insert, [1], undefined)
    expect(queue.isFull).toBe(true)
    queue.take()
    expect(queue.isFull).toBe(false)
  })

  test('at its bytes', () => {
    const queue = new WriteQueue(limits)
    queue.addOne(insert, [new Uint8Array(3000)], undefined)
    expect(queue.isFull).toBe(true)
  })
})

describe('cancelling', () => {
  test('works once, until the batch is taken', () => {
    const queue = new WriteQueue(limits)
    const tickets = Array.from({ length: 6 }, (_, index) => queue.addOne(insert, [index], undefined))
    expect(queue.cancel(tickets[1]!)).toBe(true)
    expect(queue.cancel(tickets[1]!)).toBe(false)
    expect(queue.unitsWaiting).toBe(5)
    expect(unpack(queue.take()!)).toEqual([[[3, [0]]], [[3, [2]]], [[3, [3]]]])
    expect(queue.cancel(tickets[0]!)).toBe(false)
    expect(queue.cancel(tickets[5]!)).toBe(true)
    expect(unpack(queue.take()!)).toEqual([[[3, [4]]]])
    expect([0, -1, 7, 1000].map((ticket) => queue.cancel(ticket))).toEqual([false, false, false, false])
  })

  test('a batch whose units were all cancelled is never handed out', () => {
    const queue = new WriteQueue(limits)
    const tickets = Array.from({ length: 4 }, (_, index) => queue.addOne(insert, [index], undefined))
    queue.addOne(insert, [9], undefined)
    for (const ticket of tickets) queue.cancel(ticket)
    expect(unpack(queue.take()!)).toEqual([[[3, [9]]]])
    expect(queue.take()).toBeUndefined()
    expect(queue.unitsWaiting).toBe(0)
    expect(queue.bytesWaiting).toBe(0)
  })
})

function unpack(batch: Batch): [number, SqlValue[]][][] {
  const reader = new PackedReader(batch.packed.buffer.buffer)
  const units: [number, SqlValue[]][][] = []
  while (reader.offset < batch.packed.offset) {
    const end = reader.offset + reader.u32()
    const state = reader.u8()
    reader.u8()
    const writes = Array.from({ length: reader.u16() }, (): [number, SqlValue[]] => {
      const id = reader.u16()
      return [id, Array.from({ length: reader.u16() }, () => reader.value())]
    })
    expect(reader.offset).toBe(end)
    if (state === UnitState.pending) units.push(writes)
  }
  return units
}

function sizes(queue: WriteQueue): number[] {
  const all: number[] = []
  for (let batch = queue.take(); batch !== undefined; batch = queue.take()) all.push(batch.writes)
  return all
}

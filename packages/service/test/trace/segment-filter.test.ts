import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeFilterHeader,
  filterBlockAt,
  filterBlockBytes,
  filterHeaderBytes,
  mayHold,
  SegmentFilter,
} from '../../src/trace/segment-filter.ts'

function filterOf(ids: readonly Uint8Array[]): Uint8Array {
  const filter = new SegmentFilter(ids.length)
  for (const id of ids) filter.add(new DataView(id.buffer, id.byteOffset), 0)
  return filter.finish(ids.length, 5, 7)
}

function asks(bytes: Uint8Array, id: Uint8Array): boolean {
  const { blocks } = decodeFilterHeader(bytes, bytes.length)!
  const at = filterBlockAt(id, blocks)
  return mayHold(bytes.subarray(at, at + filterBlockBytes), id)
}

test('every id that was added is found', () => {
  const ids = fc.array(fc.uint8Array({ minLength: 16, maxLength: 16 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(ids, (added) => {
      const bytes = filterOf(added)
      for (const id of added) expect(asks(bytes, id)).toBe(true)
    }),
  )
})

test('few others are: of ids that count up as of random ones', () => {
  const idOf = (number: number) => {
    const id = new Uint8Array(16)
    new DataView(id.buffer).setUint32(12, number)
    return id
  }
  const count = 20_000
  const bytes = filterOf(Array.from({ length: count }, (_, number) => idOf(number)))
  let found = 0
  for (let number = count; number < 2 * count; number++) if (asks(bytes, idOf(number))) found++
  // One key a record is half of what a filter is made for.
  expect(found / count).toBeLessThan(0.01)
})

test('says what its segment holds; what is cut off or something else is no filter', () => {
  const bytes = filterOf([new Uint8Array(16)])
  expect(decodeFilterHeader(bytes, bytes.length)).toEqual({ records: 1, blocks: 1, minMs: 5, maxMs: 7 })
  expect(decodeFilterHeader(bytes, bytes.length - 1)).toBeUndefined()
  expect(decodeFilterHeader(bytes.subarray(0, filterHeaderBytes - 1), bytes.length)).toBeUndefined()
  expect(decodeFilterHeader(new Uint8Array(128), 128)).toBeUndefined()
})

test('the bytes of a filter', () => {
  const bytes = filterOf([new Uint8Array(16).fill(0xa1)])
  const bits = [...bytes.subarray(filterHeaderBytes)].flatMap((byte, index) =>
    Array.from({ length: 8 }, (_, bit) => ((byte >> bit) & 1 ? index * 8 + bit : -1)).filter((at) => at >= 0),
  )
  expect(Buffer.from(bytes.subarray(0, 32)).toString('hex')).toBe(
    '43544631000000010000000100000000' + '0000000000000005' + '0000000000000007',
  )
  expect(bits).toEqual([44, 105, 373, 434, 495])
})

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type BlockHeader,
  blockHeaderBytes,
  decodeBlockHeader,
  decodeSubjects,
  encodeTraceBlock,
  isIntact,
  subjectBytes,
  type TraceSubject,
} from '../../src/trace/trace-block.ts'
import { traceRecordBytes } from '../../src/trace/trace-record.ts'

const text = fc.string({ maxLength: 60, unit: 'grapheme' })
const subject: fc.Arbitrary<TraceSubject> = fc.record({
  app: text,
  topic: text,
  pushType: text,
  reason: text,
})
const block = fc.record({
  records: fc.integer({ min: 1, max: 20 }),
  subjects: fc.array(subject, { maxLength: 10 }),
  firstIndex: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  minMs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  maxMs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  filler: fc.nat(255),
})
type Block = typeof block extends fc.Arbitrary<infer T> ? T : never

function encode(value: Block): Uint8Array<ArrayBuffer> {
  const room = value.subjects.reduce((sum, one) => sum + subjectBytes(one), 0)
  const bytes = new Uint8Array(blockHeaderBytes + value.records * traceRecordBytes + room)
  bytes.fill(value.filler, blockHeaderBytes)
  return bytes.slice(0, encodeTraceBlock(bytes, value))
}

test('what is written is read', () => {
  fc.assert(
    fc.property(block, (value) => {
      const bytes = encode(value)
      const header = decodeBlockHeader(bytes, 0) as BlockHeader
      const { records, firstIndex, minMs, maxMs } = value
      expect(header).toMatchObject({ length: bytes.length, records, firstIndex, minMs, maxMs })
      expect(isIntact(bytes, 0, header)).toBe(true)
      expect(decodeSubjects(bytes, 0, header)).toEqual(value.subjects)
    }),
  )
})

test('every beginning of a block is no block', () => {
  const value = { records: 2, subjects: [{ app: 'a', topic: 'b', pushType: 'c', reason: 'd' }] }
  const bytes = encode({ ...value, firstIndex: 0, minMs: 1, maxMs: 2, filler: 1 })
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeBlockHeader(bytes.subarray(0, length), 0)).toBeUndefined()
  }
})

test('one changed bit anywhere is noticed', () => {
  fc.assert(
    fc.property(block, fc.nat(), fc.nat(7), (value, place, bit) => {
      const bytes = encode(value)
      bytes[place % bytes.length]! ^= 1 << bit
      const header = decodeBlockHeader(bytes, 0)
      expect(header !== undefined && isIntact(bytes, 0, header)).toBe(false)
    }),
  )
})

test('garbage is never taken for a whole block', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(40), (bytes, offset) => {
      const header = decodeBlockHeader(bytes, offset)
      expect(header !== undefined && isIntact(bytes, offset, header)).toBe(false)
    }),
  )
})

test('the bytes of a block', () => {
  const subjects = [{ app: 'app', topic: 'app.voip', pushType: 'voip', reason: '' }]
  const bytes = encode({ records: 1, subjects, firstIndex: 9, minMs: 2 ** 32, maxMs: 2 ** 33 + 1, filler: 7 })
  expect(Buffer.from(bytes).toString('hex')).toBe(
    [
      '43544231 0000008b 8109bede 00000001 00000013 00000009',
      '0000000100000000 0000000200000001',
      '07'.repeat(80),
      '03617070 086170702e766f6970 04766f6970 00',
    ]
      .join('')
      .replaceAll(' ', ''),
  )
})

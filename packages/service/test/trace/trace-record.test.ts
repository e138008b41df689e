import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeTraceRecord,
  encodeTraceRecord,
  type TraceRecord,
  traceRecordBytes,
} from '../../src/trace/trace-record.ts'

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const record: fc.Arbitrary<TraceRecord> = fc.record({
  atMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  stage: fc.nat(255),
  detail: fc.nat(255),
  device: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  subject: fc.nat(65_535),
  priority: fc.nat(255),
  flags: fc.nat(3),
  apnsId: bytesOf(16),
  otherId: bytesOf(16),
  token: bytesOf(32),
})

function encode(bytes: Uint8Array<ArrayBuffer>, offset: number, value: TraceRecord): void {
  const { atMs, stage, detail, device, subject, priority, flags, apnsId, otherId, token } = value
  encodeTraceRecord(
    { bytes, view: new DataView(bytes.buffer) },
    offset,
    atMs,
    stage,
    detail,
    device,
    subject,
    priority,
    flags,
    apnsId,
    otherId,
    token,
  )
}

test('what is written is read, wherever it stands, and nothing beside it changes', () => {
  fc.assert(
    fc.property(record, fc.nat(50), fc.nat(255), (value, offset, filler) => {
      const bytes = new Uint8Array(offset + traceRecordBytes + 7).fill(filler)
      encode(bytes, offset, value)
      expect(decodeTraceRecord(bytes, offset)).toEqual(value)
      expect([...bytes.subarray(0, offset), ...bytes.subarray(offset + traceRecordBytes)]).toEqual(
        new Array(offset + 7).fill(filler),
      )
    }),
  )
})

test('ids and tokens that are missing or short are filled up with zeros, long tokens are cut', () => {
  const bytes = new Uint8Array(traceRecordBytes).fill(0xee)
  const value: TraceRecord = {
    ...{ atMs: 1, stage: 2, detail: 0, device: 0, subject: 0, priority: 10, flags: 0 },
    ...{ apnsId: new Uint8Array(0), otherId: Uint8Array.of(1), token: new Uint8Array(40).fill(7) },
  }
  encode(bytes, 0, value)
  const read = decodeTraceRecord(bytes, 0)
  expect(read.apnsId).toEqual(new Uint8Array(16))
  expect(read.otherId).toEqual(Uint8Array.of(1, ...new Array(15).fill(0)))
  expect(read.token).toEqual(new Uint8Array(32).fill(7))
})

test('the bytes of a record', () => {
  const bytes = new Uint8Array(traceRecordBytes)
  encode(bytes, 0, {
    ...{ atMs: 1_750_000_000_123, stage: 3, detail: 1, device: 258, subject: 515, priority: 5 },
    ...{ flags: 3, apnsId: new Uint8Array(16).fill(0xa1), otherId: new Uint8Array(16).fill(0xb2) },
    token: new Uint8Array(32).fill(0xc3),
  })
  expect(Buffer.from(bytes).toString('hex')).toBe(
    `0197 7420dc7b 03 01 00000102 0203 05 03 ${'a1'.repeat(16)} ${'b2'.repeat(16)} ${'c3'.repeat(32)}`.replaceAll(
      ' ',
      '',
    ),
  )
})

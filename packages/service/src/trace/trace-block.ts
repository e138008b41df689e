/*
 * Records are written in blocks. Each can be read without any other, and one that was torn by a crash is known
 * by its checksum. Numbers big-endian.
 *
 *    0  magic u32 "CTB1"          4  length u32, of the whole block
 *    8  CRC-32 of what follows   12  records u32
 *   16  length u32 of the subjects
 *   20  number u32 of the first record in its segment
 *   24  earliest time u64 (ms)   32  latest time u64 (ms)
 *   40  the records, 80 bytes each
 *   …   the subjects: app, topic, push type and reason, each length u8 and UTF-8
 */
import { crc32 } from 'node:zlib'
import { traceRecordBytes } from './trace-record.ts'

const magic = 0x43_54_42_31
export const blockHeaderBytes = 40
const checkedFrom = 12

/** The texts that many notifications share. */
export interface TraceSubject {
  /** Bundle id; '' where a rejected push named none. */
  readonly app: string
  readonly topic: string
  readonly pushType: string
  /** Of a rejection; else ''. */
  readonly reason: string
}

/** What a block says about itself. */
export interface BlockHeader {
  /** Bytes of the whole block. */
  readonly length: number
  readonly crc: number
  readonly records: number
  readonly subjectsLength: number
  readonly firstIndex: number
  readonly minMs: number
  readonly maxMs: number
}

/**
 * Completes a block whose records are in place: the subjects behind them, then the header.
 *
 * @param bytes large enough: see `subjectBytes`
 * @returns the length of the block
 */
export function encodeTraceBlock(
  bytes: Uint8Array,
  block: {
    readonly records: number
    readonly subjects: readonly TraceSubject[]
    readonly firstIndex: number
    readonly minMs: number
    readonly maxMs: number
  },
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const subjectsAt = blockHeaderBytes + block.records * traceRecordBytes
  let end = subjectsAt
  for (const { app, topic, pushType, reason } of block.subjects) {
    for (const text of [app, topic, pushType, reason]) end = putText(bytes, end, text)
  }
  view.setUint32(0, magic)
  view.setUint32(4, end)
  view.setUint32(12, block.records)
  view.setUint32(16, end - subjectsAt)
  view.setUint32(20, block.firstIndex)
  putTime(view, 24, block.minMs)
  putTime(view, 32, block.maxMs)
  view.setUint32(8, crc32(bytes.subarray(checkedFrom, end)))
  return end
}

/** Bytes that a subject takes at most, so that a block is handed over before it overflows. */
export function subjectBytes({ app, topic, pushType, reason }: TraceSubject): number {
  let length = 4
  for (const text of [app, topic, pushType, reason]) length += Math.min(255, text.length * 3)
  return length
}

/**
 * The header of the block at `offset`. Undefined where no whole block is there: the end of the segment, a torn
 * block or something else. Does not look at the checksum: see `isIntact`.
 */
export function decodeBlockHeader(
  bytes: Uint8Array,
  offset: number,
  end = bytes.length,
): BlockHeader | undefined {
  if (offset + blockHeaderBytes > end) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, blockHeaderBytes)
  if (view.getUint32(0) !== magic) return undefined
  const header: BlockHeader = {
    length: view.getUint32(4),
    crc: view.getUint32(8),
    records: view.getUint32(12),
    subjectsLength: view.getUint32(16),
    firstIndex: view.getUint32(20),
    minMs: view.getUint32(24) * 0x1_0000_0000 + view.getUint32(28),
    maxMs: view.getUint32(32) * 0x1_0000_0000 + view.getUint32(36),
  }
  const content = blockHeaderBytes + header.records * traceRecordBytes + header.subjectsLength
  return header.length === content && offset + header.length <= end ? header : undefined
}

/** Whether the block is as it was written. */
export function isIntact(bytes: Uint8Array, offset: number, header: BlockHeader): boolean {
  return crc32(bytes.subarray(offset + checkedFrom, offset + header.length)) === header.crc
}

/** The subjects of the block at `offset`. */
export function decodeSubjects(bytes: Uint8Array, offset: number, header: BlockHeader): TraceSubject[] {
  const subjects: TraceSubject[] = []
  const end = offset + header.length
  let at = end - header.subjectsLength
  const text = (): string => {
    const from = at + 1
    at = Math.min(end, from + bytes[at]!)
    return Buffer.from(bytes.buffer, bytes.byteOffset + from, at - from).toString('utf8')
  }
  while (at < end) subjects.push({ app: text(), topic: text(), pushType: text(), reason: text() })
  return subjects
}

function putTime(view: DataView, offset: number, ms: number): void {
  view.setUint32(offset, Math.floor(ms / 0x1_0000_0000))
  view.setUint32(offset + 4, ms % 0x1_0000_0000)
}

function putText(bytes: Uint8Array, offset: number, text: string): number {
  const room = bytes.subarray(offset + 1, offset + 256)
  // `write` cuts at a whole character.
  const length = Buffer.from(room.buffer, room.byteOffset, room.length).write(text, 'utf8')
  bytes[offset] = length
  return offset + 1 + length
}

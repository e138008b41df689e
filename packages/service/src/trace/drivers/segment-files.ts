import { mkdir, open, readdir, readFile, rename, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeFilterHeader, filterHeaderBytes, SegmentFilter } from '../segment-filter.ts'
import { stageNumbers } from '../stages.ts'
import { blockHeaderBytes, decodeBlockHeader, isIntact } from '../trace-block.ts'
import { recordAt, traceRecordBytes } from '../trace-record.ts'
import { ownTurn } from './own-turn.ts'

/** One file of the journal. */
export interface Segment {
  /** See `TracePosition.segment`. */
  readonly number: number
  readonly file: string
  /** What is written whole; readers go no further. */
  bytes: number
  records: number
  minMs: number
  maxMs: number
  /** Blocks of its filter; 0 while it has none. */
  filterBlocks: number
}

const segmentName = /^(\d{15})\.trace$/

/** The files of a journal in its directory. */
export class SegmentFiles {
  readonly directory: string

  constructor(directory: string) {
    this.directory = directory
  }

  /**
   * The segments that are there, oldest first, without what a crash has torn.
   *
   * @returns also whether the last process ended without finishing its segment
   */
  async open(): Promise<{ segments: Segment[]; wasKilled: boolean }> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 })
    const segments: Segment[] = []
    let wasKilled = false
    for (const name of (await readdir(this.directory)).sort()) {
      const [, digits] = segmentName.exec(name) ?? []
      if (digits === undefined) continue
      const segment = this.#segment(Number(digits))
      if (!(await this.#readSummary(segment))) {
        wasKilled = true
        await this.#recover(segment)
      }
      if (segment.records === 0) await this.remove(segment)
      else segments.push(segment)
    }
    return { segments, wasKilled }
  }

  create(number: number): Segment {
    return this.#segment(number)
  }

  async remove(segment: Segment): Promise<void> {
    await rm(filterFileOf(segment), { force: true })
    await rm(segment.file, { force: true })
  }

  /** Makes the filter of a segment that is not written to any more; what says that it is finished. */
  async finish(segment: Segment): Promise<void> {
    const filter = new SegmentFilter(segment.records)
    const bytes = await readFile(segment.file)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    let sinceTurn = 0
    for (const { offset, header } of blocksOf(bytes, segment.bytes)) {
      const end = offset + blockHeaderBytes + header.records * traceRecordBytes
      for (let at = offset + blockHeaderBytes; at < end; at += traceRecordBytes) {
        const stage = bytes[at + recordAt.stage]
        // First, so that id and token of the record behind are those that were added last.
        if (stage === stageNumbers.received) filter.add(view, at + recordAt.otherId)
        filter.add(view, at + recordAt.apnsId)
        filter.add(view, at + recordAt.token)
      }
      sinceTurn += header.length
      if (sinceTurn > bytesPerTurn) {
        sinceTurn = 0
        await ownTurn()
      }
    }
    const finished = filter.finish(segment.records, segment.minMs, segment.maxMs)
    const temporary = `${filterFileOf(segment)}.new`
    const handle = await open(temporary, 'w', 0o600)
    try {
      await handle.writeFile(finished)
    } finally {
      await handle.close()
    }
    await rename(temporary, filterFileOf(segment))
    segment.filterBlocks = decodeFilterHeader(finished, finished.length)!.blocks
  }

  #segment(number: number): Segment {
    const file = join(this.directory, `${String(number).padStart(15, '0')}.trace`)
    return { number, file, bytes: 0, records: 0, minMs: 0, maxMs: 0, filterBlocks: 0 }
  }

  async #readSummary(segment: Segment): Promise<boolean> {
    let bytes: Uint8Array
    try {
      bytes = await readFile(filterFileOf(segment))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
    const summary = decodeFilterHeader(bytes.subarray(0, filterHeaderBytes), bytes.length)
    if (summary === undefined) return false
    segment.bytes = (await stat(segment.file)).size
    segment.records = summary.records
    segment.minMs = summary.minMs
    segment.maxMs = summary.maxMs
    segment.filterBlocks = summary.blocks
    return true
  }

  /** Finds out what of a segment is whole and cuts the rest off. */
  async #recover(segment: Segment): Promise<void> {
    const bytes = await readFile(segment.file)
    segment.minMs = Number.POSITIVE_INFINITY
    for (const { offset, header } of blocksOf(bytes, bytes.length)) {
      segment.bytes = offset + header.length
      segment.records = header.firstIndex + header.records
      segment.minMs = Math.min(segment.minMs, header.minMs)
      segment.maxMs = Math.max(segment.maxMs, header.maxMs)
    }
    if (segment.bytes < bytes.length) await truncate(segment.file, segment.bytes)
    if (segment.records > 0) await this.finish(segment)
  }
}

/** What is worked through at once; a few milliseconds at most. */
export const bytesPerTurn = 256 * 1024

export function filterFileOf(segment: Segment): string {
  return segment.file.replace(/trace$/, 'filter')
}

/** The whole blocks of a segment in order, up to the first that is not. */
export function* blocksOf(bytes: Uint8Array, end: number) {
  for (let offset = 0; ; ) {
    const header = decodeBlockHeader(bytes, offset, end)
    if (header === undefined || !isIntact(bytes, offset, header)) return
    yield { offset, header }
    offset += header.length
  }
}

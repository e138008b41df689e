import { type BlockHeader, blockHeaderBytes, decodeSubjects } from '../trace-block.ts'
import type { TraceEvent } from '../trace-event.ts'
import { encodePosition, type TracePosition } from '../trace-position.ts'
import { RecordMatcher, type TraceQuery } from '../trace-query.ts'
import { traceRecordBytes } from '../trace-record.ts'
import { ownTurn } from './own-turn.ts'
import { blocksOf, type Segment } from './segment-files.ts'
import { eventAt, type ReadableJournal, readSlice } from './segment-reading.ts'

/** What a reader that goes forward has found. */
export interface FollowedPage {
  /** Oldest first. */
  readonly events: readonly TraceEvent[]
  /** Where the next page begins. */
  readonly cursor: string
  /** Something before these events is missing: deleted by age or size, or never written. */
  readonly gap: boolean
  /** Everything that is written was looked at. */
  readonly isAtEnd: boolean
}

/** Reads the journal forward from a position, page by page, as it grows. */
export class JournalFollower {
  readonly #journal: ReadableJournal
  readonly #matcher: RecordMatcher
  #segment: number
  #index: number
  /** Where in the file the block with `#index` begins; -1 where it must be looked for. */
  #offset = -1
  #gap = false

  /** @param after undefined: from the oldest that is kept */
  constructor(journal: ReadableJournal, query: TraceQuery, after: TracePosition | undefined) {
    this.#journal = journal
    this.#matcher = new RecordMatcher(query)
    this.#segment = after?.segment ?? 0
    this.#index = after?.index ?? 0
    // Segment 0 is the beginning, whatever is kept of it.
    if (after === undefined || after.segment === 0) return
    this.#gap = !isKept(journal, after)
    // Of another journal, or of one that was deleted.
    if (this.#gap && this.#segment > (journal.segments.at(-1)?.number ?? 0)) this.#moveTo(0)
  }

  /** The place behind everything that is written. */
  static async end(journal: ReadableJournal): Promise<TracePosition | undefined> {
    await journal.flush()
    const last = journal.segments.at(-1)
    return last && { segment: last.number, index: last.records }
  }

  get cursor(): string {
    return encodePosition({ segment: this.#segment, index: this.#index })
  }

  /** Bytes that were written and not looked at. */
  get bytesBehind(): number {
    let bytes = 0
    for (const segment of this.#journal.segments) {
      if (segment.number > this.#segment) bytes += segment.bytes
      else if (segment.number === this.#segment) bytes += segment.bytes - this.#bytesRead(segment)
    }
    return bytes
  }

  /** Before its place in the file is known, the number of its records tells most of it. */
  #bytesRead({ bytes }: Segment): number {
    return this.#offset >= 0 ? this.#offset : Math.min(bytes, this.#index * traceRecordBytes)
  }

  /** The next events that match, at most `limit`. */
  async next(limit: number): Promise<FollowedPage> {
    const events: TraceEvent[] = []
    while (events.length < limit) {
      const segment = this.#currentSegment()
      if (segment === undefined) return this.#page(events, true)
      const isDone = await this.#readOn(segment, events, limit)
      if (!isDone) continue
      const following = this.#journal.segments.find(({ number }) => number > segment.number)
      if (following === undefined) return this.#page(events, true)
      this.#moveTo(following.number)
    }
    return this.#page(events, false)
  }

  #page(events: readonly TraceEvent[], isAtEnd: boolean): FollowedPage {
    const gap = this.#gap
    this.#gap = false
    return { events, cursor: this.cursor, gap, isAtEnd }
  }

  /** The segment that the position is in, or the next one that is kept. */
  #currentSegment(): Segment | undefined {
    const segment = this.#journal.segments.find(({ number }) => number >= this.#segment)
    if (segment === undefined || segment.number === this.#segment) return segment
    // It was deleted while it was read.
    const { deleted } = this.#journal
    if (this.#offset >= 0 && !(deleted && isAtEnd(deleted, this.#segment, this.#index))) this.#gap = true
    this.#moveTo(segment.number)
    return segment
  }

  #moveTo(segment: number): void {
    this.#segment = segment
    this.#index = 0
    this.#offset = segment === 0 ? -1 : 0
  }

  /** Looks at a slice of the segment; true where nothing is left of it. */
  async #readOn(segment: Segment, events: TraceEvent[], limit: number): Promise<boolean> {
    const from = Math.max(0, this.#offset)
    const end = segment.bytes
    if (from >= end) return true
    const bytes = await readSlice(segment, from, Math.min(end, from + sliceBytes))
    // It was deleted while it was read.
    if (bytes.length === 0) this.#gap = true
    await ownTurn()
    let isEmpty = true
    for (const { offset, header } of blocksOf(bytes, bytes.length)) {
      isEmpty = false
      const behind = header.firstIndex + header.records
      if (behind > this.#index) {
        this.#readBlock(segment, bytes, offset, header, events, limit)
        if (this.#index < behind) {
          this.#offset = from + offset
          return false
        }
      }
      this.#offset = from + offset + header.length
    }
    // What cannot be read ends its segment.
    return isEmpty
  }

  #readBlock(
    segment: Segment,
    bytes: Uint8Array,
    offset: number,
    header: BlockHeader,
    events: TraceEvent[],
    limit: number,
  ): void {
    const subjects = decodeSubjects(bytes, offset, header)
    const behind = header.firstIndex + header.records
    if (this.#matcher.begin(header, subjects)) {
      for (let index = Math.max(this.#index, header.firstIndex); index < behind; index++) {
        const at = offset + blockHeaderBytes + (index - header.firstIndex) * traceRecordBytes
        if (!this.#matcher.matches(bytes, at)) continue
        if (events.length >= limit) {
          this.#index = index
          return
        }
        const event = eventAt(bytes, at, subjects, { segment: segment.number, index: index + 1 })
        if (event !== undefined) events.push(event)
      }
    }
    this.#index = behind
  }
}

/** Read at once by a reader that goes forward; larger than any block. */
const sliceBytes = 256 * 1024

/** Whether everything after this position is still there. */
function isKept({ segments, deleted }: ReadableJournal, { segment, index }: TracePosition): boolean {
  const [oldest] = segments
  if (oldest !== undefined && segment >= oldest.number && segment <= segments.at(-1)!.number) return true
  // Where nothing happened for long, also the last that was read is deleted in the end.
  return deleted !== undefined && isAtEnd(deleted, segment, index)
}

function isAtEnd(end: TracePosition, segment: number, index: number): boolean {
  return segment === end.segment && index >= end.index
}

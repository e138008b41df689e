import { limits } from '../../limits.ts'
import { type BlockHeader, blockHeaderBytes, decodeSubjects } from '../trace-block.ts'
import type { TraceEvent } from '../trace-event.ts'
import type { TracePosition } from '../trace-position.ts'
import { RecordMatcher, type TraceQuery } from '../trace-query.ts'
import { traceRecordBytes } from '../trace-record.ts'
import { ownTurn } from './own-turn.ts'
import { blocksOf, bytesPerTurn, type Segment } from './segment-files.ts'
import { eventAt, mayHoldAll, type ReadableJournal, readSegment } from './segment-reading.ts'

export interface TracePage {
  /** Newest first. */
  readonly events: readonly TraceEvent[]
  /** Where the next page begins; undefined after the last one. */
  readonly next: TracePosition | undefined
}

/** Too many searches at a time. */
export class SearchesBusyError extends Error {
  override readonly name = 'SearchesBusyError'
}

/** Searches the journal from its end, in slices between which everything else goes on. */
export class JournalReader {
  readonly #journal: ReadableJournal
  #searches = 0

  constructor(journal: ReadableJournal) {
    this.#journal = journal
  }

  /**
   * The newest events that match, everything included that happened before the call.
   *
   * @param before from an earlier page: only what is older
   * @throws SearchesBusyError
   */
  async newest(query: TraceQuery, limit: number, before?: TracePosition): Promise<TracePage> {
    if (this.#searches >= limits.traceSearchesMax) throw new SearchesBusyError('Too many searches at a time.')
    this.#searches++
    try {
      await this.#journal.flush()
      return await this.#search(new RecordMatcher(query), limit, before)
    } finally {
      this.#searches--
    }
  }

  async #search(matcher: RecordMatcher, limit: number, before?: TracePosition): Promise<TracePage> {
    const events: TraceEvent[] = []
    const memory = { bytes: new Uint8Array(0) }
    // A copy: segments come and go meanwhile.
    for (const segment of [...this.#journal.segments].reverse()) {
      if (before !== undefined && segment.number > before.segment) continue
      if (!matcher.mayMatchTimes(segment) || !(await mayHoldAll(segment, matcher.keys))) continue
      const beforeIndex = before?.segment === segment.number ? before.index : Number.POSITIVE_INFINITY
      const bytes = await readSegment(segment, memory)
      const next = await searchSegment(segment, bytes, matcher, events, limit, beforeIndex)
      if (next !== undefined) return { events, next }
    }
    return { events, next: undefined }
  }
}

/** Adds what matches, newest first. Returns where the search ended once there are enough. */
async function searchSegment(
  segment: Segment,
  bytes: Uint8Array,
  matcher: RecordMatcher,
  events: TraceEvent[],
  limit: number,
  beforeIndex: number,
): Promise<TracePosition | undefined> {
  let sinceTurn = 0
  await ownTurn()
  const blocks: { readonly offset: number; readonly header: BlockHeader }[] = []
  for (const block of blocksOf(bytes, Math.min(bytes.length, segment.bytes))) {
    blocks.push(block)
    sinceTurn += block.header.length
    if (sinceTurn > bytesPerTurn) {
      sinceTurn = 0
      await ownTurn()
    }
  }
  for (const { offset, header } of blocks.reverse()) {
    // Also for a block that cannot match: its subjects are read to know that.
    sinceTurn += header.length
    if (sinceTurn > bytesPerTurn) {
      sinceTurn = 0
      await ownTurn()
    }
    if (header.firstIndex >= beforeIndex || !matcher.mayMatchTimes(header)) continue
    const subjects = decodeSubjects(bytes, offset, header)
    if (!matcher.begin(header, subjects)) continue
    for (let place = header.records - 1; place >= 0; place--) {
      const at = offset + blockHeaderBytes + place * traceRecordBytes
      const index = header.firstIndex + place
      if (index >= beforeIndex || !matcher.matches(bytes, at)) continue
      const event = eventAt(bytes, at, subjects, { segment: segment.number, index: index + 1 })
      if (event !== undefined) events.push(event)
      if (events.length >= limit) return { segment: segment.number, index }
    }
  }
  return undefined
}

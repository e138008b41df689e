import { type FileHandle, open, truncate } from 'node:fs/promises'
import { limits } from '../../limits.ts'
import { OpenBlock } from '../open-block.ts'
import { filterBlockBytes } from '../segment-filter.ts'
import type { TracePosition } from '../trace-position.ts'
import type { BlockSink } from '../trace-recorder.ts'
import { type Segment, SegmentFiles } from './segment-files.ts'

export interface JournalOptions {
  readonly directory: string
  readonly now: () => number
  /** Segments whose last record is older are deleted. */
  readonly keepMs: number
  /** The oldest segments are deleted while all together are longer. */
  readonly bytesMax: number
  /** Told when something could not be written, at most once a minute. */
  readonly onTrouble: (sentence: string, cause: unknown) => void
  /** Told how many records could not be written. */
  readonly onLost: (records: number) => void
}

const dayMs = 24 * 60 * 60 * 1000
const troubleMsMin = 60_000

/**
 * The journal's files: blocks are appended to the last segment by one write at a time, with all that has gathered
 * meanwhile. What is written survives the end of the process, not of the machine: it is not a promise to anybody.
 */
export class TraceJournal implements BlockSink {
  readonly #options: JournalOptions
  readonly #files: SegmentFiles
  /** Oldest first; the last one is being written where `#handle` is open. */
  readonly #segments: Segment[]
  readonly #segmentBytesMax: number
  #deleted: TracePosition | undefined
  #handle: FileHandle | undefined
  #queue: OpenBlock[] = []
  readonly #pool: OpenBlock[] = []
  #blocks = 0
  #isWriting = false
  /** Blocks that were handed over, and those that are written or given up. */
  #handedOver = 0
  #done = 0
  /** In the order of the blocks that they wait for. */
  #waiting: { readonly blocks: number; readonly resume: () => void }[] = []
  readonly #listeners = new Set<() => void>()
  /** Filters are made one after the other. */
  #finishing = Promise.resolve()
  #retaining = Promise.resolve()
  #troubleMs = Number.NEGATIVE_INFINITY

  private constructor(options: JournalOptions, files: SegmentFiles, segments: Segment[]) {
    this.#options = options
    this.#files = files
    this.#segments = segments
    this.#segmentBytesMax = Math.min(limits.traceSegmentBytesMax, Math.ceil(options.bytesMax / 4))
  }

  /** @returns also whether the last process was killed with records in memory */
  static async open(options: JournalOptions): Promise<{ journal: TraceJournal; wasKilled: boolean }> {
    const files = new SegmentFiles(options.directory)
    const { segments, wasKilled } = await files.open()
    const journal = new TraceJournal(options, files, segments)
    await journal.retain()
    return { journal, wasKilled }
  }

  /** Oldest first. */
  get segments(): readonly Segment[] {
    return this.#segments
  }

  get deleted(): TracePosition | undefined {
    return this.#deleted
  }

  /** On disk, filters included. */
  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + bytesOf(segment), 0)
  }

  emptyBlock(): OpenBlock | undefined {
    const pooled = this.#pool.pop()
    if (pooled !== undefined) return pooled
    if (this.#blocks >= limits.traceBlocksMax) return undefined
    this.#blocks++
    return new OpenBlock()
  }

  write(block: OpenBlock): void {
    this.#queue.push(block)
    this.#handedOver++
    if (!this.#isWriting) void this.#writeAll()
  }

  /** Resolves when everything that was handed over before the call is written. */
  written(): Promise<void> {
    if (this.#done === this.#handedOver) return Promise.resolve()
    return new Promise((resume) => this.#waiting.push({ blocks: this.#handedOver, resume }))
  }

  /** Calls the listener after each write; returns how to stop. */
  onWritten(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  /** Deletes what is too old or too much. To be called once a minute or so. */
  retain(): Promise<void> {
    this.#retaining = this.#retaining.then(() => this.#retain())
    return this.#retaining
  }

  /** Writes what was handed over and finishes the segment. */
  async close(): Promise<void> {
    await this.written()
    await this.#endSegment()
    await this.#finishing
    await this.#retaining
  }

  async #retain(): Promise<void> {
    const { keepMs, bytesMax, now, onTrouble } = this.#options
    if (!this.#isWriting) await this.#writeAll()
    const oldestMs = now() - keepMs
    let { bytes } = this
    while (this.#segments.length > (this.#handle === undefined ? 0 : 1)) {
      const [oldest] = this.#segments as [Segment]
      if (oldest.maxMs >= oldestMs && bytes <= bytesMax) return
      bytes -= bytesOf(oldest)
      this.#segments.shift()
      this.#deleted = { segment: oldest.number, index: oldest.records }
      await this.#finishing
      await this.#files
        .remove(oldest)
        .catch((cause: unknown) => onTrouble('An old part of the trace could not be deleted.', cause))
    }
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true
    // Also of a segment that is not written to: it must end for its records to become too old.
    if (this.#handle !== undefined && this.#options.now() - this.#segments.at(-1)!.number > dayMs) {
      await this.#endSegment()
    }
    while (this.#queue.length > 0) {
      const blocks = this.#queue
      this.#queue = []
      try {
        await this.#writeBlocks(blocks)
      } catch (cause) {
        await this.#failed(blocks, cause)
      }
      for (const block of blocks) {
        block.clear()
        this.#pool.push(block)
      }
      this.#done += blocks.length
      // Not at the end: on a slow disk there is always more to write.
      while (this.#waiting.length > 0 && this.#waiting[0]!.blocks <= this.#done) {
        this.#waiting.shift()!.resume()
      }
      for (const listener of this.#listeners) listener()
    }
    this.#isWriting = false
  }

  async #writeBlocks(blocks: readonly OpenBlock[]): Promise<void> {
    const segment = await this.#openSegment()
    const sealed: Uint8Array[] = []
    let { records } = segment
    let length = 0
    for (const block of blocks) {
      const bytes = block.seal(records)
      sealed.push(bytes)
      records += block.records
      length += bytes.length
      segment.minMs = Math.min(segment.minMs, block.minMs)
      segment.maxMs = Math.max(segment.maxMs, block.maxMs)
    }
    const { bytesWritten } = await this.#handle!.writev(sealed, segment.bytes)
    if (bytesWritten < length) throw new Error(`only ${bytesWritten} of ${length} bytes were written`)
    segment.bytes += length
    segment.records = records
    if (segment.bytes >= this.#segmentBytesMax) {
      await this.#endSegment()
      void this.retain()
    }
  }

  /** What was written of a block that failed is overwritten by the next. */
  async #failed(blocks: readonly OpenBlock[], cause: unknown): Promise<void> {
    this.#options.onLost(blocks.reduce((sum, { records }) => sum + records, 0))
    const nowMs = this.#options.now()
    if (nowMs - this.#troubleMs >= troubleMsMin) {
      this.#troubleMs = nowMs
      this.#options.onTrouble(
        'The trace of notifications cannot be written; delivery goes on without it.',
        cause,
      )
    }
    const segment = this.#handle === undefined ? undefined : this.#segments.at(-1)
    // A longer tail of what failed would end the reading after the next start.
    if (segment !== undefined) await truncate(segment.file, segment.bytes).catch(() => undefined)
  }

  async #openSegment(): Promise<Segment> {
    const last = this.#segments.at(-1)
    if (this.#handle !== undefined && last !== undefined) return last
    const nowMs = Math.floor(this.#options.now())
    const segment = this.#files.create(Math.max(nowMs, (last?.number ?? 0) + 1))
    segment.minMs = Number.POSITIVE_INFINITY
    this.#handle = await open(segment.file, 'w', 0o600)
    this.#segments.push(segment)
    return segment
  }

  async #endSegment(): Promise<void> {
    const handle = this.#handle
    const segment = this.#segments.at(-1)
    if (handle === undefined || segment === undefined) return
    this.#handle = undefined
    const { onTrouble } = this.#options
    await handle
      .close()
      .catch((cause: unknown) => onTrouble('A part of the trace could not be closed.', cause))
    this.#finishing = this.#finishing
      .then(() => this.#files.finish(segment))
      // Without its filter a segment is searched whole, and read anew at the next start.
      .catch((cause: unknown) => onTrouble('The trace could not be indexed.', cause))
  }
}

/** On disk, with the filter. */
function bytesOf({ bytes, filterBlocks }: Segment): number {
  return bytes + filterBlocks * filterBlockBytes
}

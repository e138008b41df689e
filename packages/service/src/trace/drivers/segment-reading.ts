import { open } from 'node:fs/promises'
import { limits } from '../../limits.ts'
import { filterBlockAt, filterBlockBytes, mayHold } from '../segment-filter.ts'
import type { TraceSubject } from '../trace-block.ts'
import { type TraceEvent, traceEventOf } from '../trace-event.ts'
import type { TracePosition } from '../trace-position.ts'
import { decodeTraceRecord } from '../trace-record.ts'
import { filterFileOf, type Segment } from './segment-files.ts'

/** What a reader needs of the journal. */
export interface ReadableJournal {
  /** Oldest first. */
  readonly segments: readonly Segment[]
  /** The end of the segment that was deleted last, since the start. */
  readonly deleted: TracePosition | undefined
  /** Writes what was recorded before the call. */
  flush(): Promise<void>
}

/** The event of the record at `at`; undefined for a stage of a newer version. */
export function eventAt(
  bytes: Uint8Array,
  at: number,
  subjects: readonly TraceSubject[],
  position: TracePosition,
): TraceEvent | undefined {
  const record = decodeTraceRecord(bytes, at)
  return traceEventOf(record, subjects[record.subject], position)
}

/** False where the segment's filter says that one of the ids is not in it. */
export async function mayHoldAll(segment: Segment, keys: readonly Uint8Array[]): Promise<boolean> {
  if (keys.length === 0 || segment.filterBlocks === 0) return true
  const block = new Uint8Array(filterBlockBytes)
  try {
    const handle = await open(filterFileOf(segment), 'r')
    try {
      for (const key of keys) {
        await handle.read(block, 0, block.length, filterBlockAt(key, segment.filterBlocks))
        if (!mayHold(block, key)) return false
      }
      return true
    } finally {
      await handle.close()
    }
  } catch (error) {
    return !isGone(error)
  }
}

/**
 * What is written of a segment, nothing where it was deleted meanwhile.
 *
 * @param memory of the segment before, which is used again
 */
export function readSegment(segment: Segment, memory: { bytes: Uint8Array }): Promise<Uint8Array> {
  if (memory.bytes.length < segment.bytes) {
    // Without the zeros, which would be written one search after the other.
    memory.bytes = Buffer.allocUnsafeSlow(Math.max(segment.bytes, limits.traceSegmentBytesMax))
  }
  return readInto(segment, 0, memory.bytes.subarray(0, segment.bytes))
}

export function readSlice(segment: Segment, from: number, end: number): Promise<Uint8Array> {
  return readInto(segment, from, new Uint8Array(end - from))
}

async function readInto(segment: Segment, from: number, bytes: Uint8Array): Promise<Uint8Array> {
  try {
    const handle = await open(segment.file, 'r')
    try {
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, from)
      return bytes.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (isGone(error)) return new Uint8Array(0)
    throw error
  }
}

function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

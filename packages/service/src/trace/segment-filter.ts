/*
 * Which ids and tokens may be in a segment: a Bloom filter in blocks of 64 bytes, so that asking for an id reads
 * one of them from the file. It lies beside each finished segment and saves a search from reading those that
 * cannot hold what it looks for. Numbers big-endian.
 *
 *    0  magic u32 "CTF1"     4  records u32     8  blocks u32    12  zeros u32
 *   16  earliest time u64   24  latest time u64
 *   64  the blocks
 */
import { idBytes } from './trace-record.ts'

const magic = 0x43_54_46_31
export const filterHeaderBytes = 64
export const filterBlockBytes = 64
/** A record has an id and a token, most of which came before: about ten bits for each that is new. */
const bytesPerRecord = 2.5
const probes = 5

/** What the filter's file says about its segment. */
export interface SegmentSummary {
  readonly records: number
  readonly blocks: number
  readonly minMs: number
  readonly maxMs: number
}

/** A filter that is being made. */
export class SegmentFilter {
  readonly #bytes: Uint8Array
  readonly #blocks: number
  /** What was added last: records of one notification mostly follow each other, with the same id and token. */
  #last = -1
  #beforeLast = -1

  /** @param records how many the segment has */
  constructor(records: number) {
    this.#blocks = Math.max(1, Math.ceil((records * bytesPerRecord) / filterBlockBytes))
    this.#bytes = new Uint8Array(filterHeaderBytes + this.#blocks * filterBlockBytes)
  }

  /** Adds the 16 bytes at `offset`: an id, or the first half of a token. */
  add(source: DataView, offset: number): void {
    const hash = hashAt(source, offset)
    if (hash === this.#last || hash === this.#beforeLast) return
    this.#beforeLast = this.#last
    this.#last = hash
    const at = filterHeaderBytes + (hash % this.#blocks) * filterBlockBytes
    const bytes = this.#bytes
    let bits = mix(hash)
    const step = (bits >>> 16) | 1
    for (let probe = 0; probe < probes; probe++) {
      const bit = bits & 511
      bytes[at + (bit >> 3)]! |= 1 << (bit & 7)
      bits += step
    }
  }

  finish(records: number, minMs: number, maxMs: number): Uint8Array {
    const view = new DataView(this.#bytes.buffer)
    view.setUint32(0, magic)
    view.setUint32(4, records)
    view.setUint32(8, this.#blocks)
    view.setBigUint64(16, BigInt(Math.floor(minMs)))
    view.setBigUint64(24, BigInt(Math.floor(maxMs)))
    return this.#bytes
  }
}

/** @returns undefined for a file that is no whole filter */
export function decodeFilterHeader(bytes: Uint8Array, fileBytes: number): SegmentSummary | undefined {
  if (bytes.length < filterHeaderBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, filterHeaderBytes)
  const blocks = view.getUint32(8)
  if (view.getUint32(0) !== magic || fileBytes !== filterHeaderBytes + blocks * filterBlockBytes)
    return undefined
  return {
    records: view.getUint32(4),
    blocks,
    minMs: Number(view.getBigUint64(16)),
    maxMs: Number(view.getBigUint64(24)),
  }
}

/** Where the block of an id lies in the file. */
export function filterBlockAt(id: Uint8Array, blocks: number): number {
  return filterHeaderBytes + (hashOf(id) % blocks) * filterBlockBytes
}

/** @param block the 64 bytes at `filterBlockAt` */
export function mayHold(block: Uint8Array, id: Uint8Array): boolean {
  let bits = mix(hashOf(id))
  const step = (bits >>> 16) | 1
  for (let probe = 0; probe < probes; probe++) {
    const bit = bits & 511
    if ((block[bit >> 3]! & (1 << (bit & 7))) === 0) return false
    bits += step
  }
  return true
}

/** Providers choose apns-ids, perhaps in order: every byte counts, and the result looks random. */
function hashOf(id: Uint8Array): number {
  return hashAt(new DataView(id.buffer, id.byteOffset, idBytes), 0)
}

function hashAt(view: DataView, offset: number): number {
  // The multiplication keeps words apart that would cancel each other out.
  const first = view.getUint32(offset) ^ Math.imul(view.getUint32(offset + 4), 0x9e37_79b1)
  const second = view.getUint32(offset + 8) ^ Math.imul(view.getUint32(offset + 12), 0x85eb_ca77)
  return mix(mix(first) ^ second)
}

/** The finalizer of MurmurHash3. */
function mix(value: number): number {
  let hash = value >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

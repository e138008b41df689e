import { limits } from '../limits.ts'
import { blockHeaderBytes, encodeTraceBlock, subjectBytes, type TraceSubject } from './trace-block.ts'
import { encodeTraceRecord, type RecordSpace, traceRecordBytes } from './trace-record.ts'

/** A subject with its place in the block that is being filled. */
export interface CountedSubject extends TraceSubject {
  /** The block in which `place` holds. */
  block: OpenBlock | undefined
  place: number
}

/** A block that is being filled. It is used again and again, so that tracing leaves no garbage. */
export class OpenBlock implements RecordSpace {
  readonly bytes = new Uint8Array(limits.traceBlockBytes)
  readonly view = new DataView(this.bytes.buffer)
  records = 0
  minMs = 0
  maxMs = 0
  /** Bytes of records and header. */
  #length = blockHeaderBytes
  readonly #subjects: CountedSubject[] = []
  #subjectsLength = 0

  /** False where the record does not fit: the block is full. */
  append(
    subject: CountedSubject,
    atMs: number,
    stage: number,
    detail: number,
    device: number,
    priority: number,
    flags: number,
    apnsId: Uint8Array,
    otherId: Uint8Array,
    token: Uint8Array,
  ): boolean {
    const end = this.#length + traceRecordBytes
    if (end + this.#subjectsLength > this.bytes.length) return false
    if (subject.block !== this && !this.#name(subject, end)) return false
    const offset = this.#length
    encodeTraceRecord(
      this,
      offset,
      atMs,
      stage,
      detail,
      device,
      subject.place,
      priority,
      flags,
      apnsId,
      otherId,
      token,
    )
    if (this.records === 0 || atMs < this.minMs) this.minMs = atMs
    if (atMs > this.maxMs) this.maxMs = atMs
    this.#length = end
    this.records++
    return true
  }

  /** Makes the block ready to be written; returns its bytes. */
  seal(firstIndex: number): Uint8Array {
    const length = encodeTraceBlock(this.bytes, {
      records: this.records,
      subjects: this.#subjects,
      firstIndex,
      minMs: this.minMs,
      maxMs: this.maxMs,
    })
    return this.bytes.subarray(0, length)
  }

  clear(): void {
    // Meanwhile it may be in another block.
    for (const subject of this.#subjects) if (subject.block === this) subject.block = undefined
    this.#subjects.length = 0
    this.#subjectsLength = 0
    this.#length = blockHeaderBytes
    this.records = 0
    this.maxMs = 0
  }

  #name(subject: CountedSubject, end: number): boolean {
    const length = subjectBytes(subject)
    if (end + this.#subjectsLength + length > this.bytes.length) return false
    this.#subjectsLength += length
    subject.block = this
    subject.place = this.#subjects.push(subject) - 1
    return true
  }
}

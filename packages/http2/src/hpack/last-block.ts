import type { HeaderFacts } from '../header-rules.ts'

/** A block is kept for comparison up to this size and this many fields. */
const BYTES_MAX = 1024
const FIELDS_MAX = 32
/** After so many blocks in a row that were new, only every 16th is kept: keeping costs a copy. */
const MISSES_MAX = 8

/** What `Mark.seen` says where the fields before the mark told a length or a status: no end is taken over there. */
const TOLD_MORE = 0x100
/** Numbers of a mark: where the field begins, what was seen before it, and bytes of the list before it. */
const MARK_NUMBERS = 3

/**
 * The last whole header block that changed no table, and what it gave. Blocks of one connection differ in a
 * few values, mostly near their beginning (`:path`): what follows after the last of them is recognised by its bytes, and
 * its fields need not be decoded again. That is sound where all that decoding depends upon is the same: the table, what
 * was seen of the message so far, and the number of fields before, since lists are taken over with their places.
 */
export class LastBlock {
  list: string[] = []
  #version = -1
  #bytes: Buffer | undefined
  #length = 0
  #fields = 0
  #marks = new Int32Array(MARK_NUMBERS * FIELDS_MAX)
  /** Those of the block that is being decoded. */
  #nextMarks = new Int32Array(MARK_NUMBERS * FIELDS_MAX)
  #seen = 0
  #contentLength = -1
  #status = 0
  #listBytes = 0
  #misses = 0
  readonly #listBytesMax: number

  /** @param listBytesMax a list above it is cut, which takes decoding */
  constructor(listBytesMax: number) {
    this.#listBytesMax = listBytesMax
  }

  /** Whether the block holds for a table of this version. */
  isOf(version: number): boolean {
    return version === this.#version
  }

  /** Notes where a field of the block begins that is being decoded. */
  mark(field: number, at: number, facts: HeaderFacts): void {
    if (field >= FIELDS_MAX) return
    const marks = this.#nextMarks
    const place = field * MARK_NUMBERS
    marks[place] = at
    marks[place + 1] = facts.contentLength >= 0 || facts.status !== 0 ? TOLD_MORE : facts.seen
    marks[place + 2] = facts.listBytes
  }

  /** Whether these are the bytes of the whole block; then `facts` has what is known of it. */
  isWhole(bytes: Uint8Array, start: number, end: number, facts: HeaderFacts): boolean {
    if (end - start !== this.#length || !this.#endsWith(bytes, start, end)) return false
    facts.listBytes = this.#listBytes
    this.#tell(facts)
    return true
  }

  /** Whether the block goes on after its first `fields` as these bytes do; then `facts` is completed with the rest. */
  isEnd(fields: number, bytes: Uint8Array, start: number, end: number, facts: HeaderFacts): boolean {
    if (fields >= this.#fields) return false
    const marks = this.#marks
    const place = fields * MARK_NUMBERS
    if (this.#length - marks[place]! !== end - start || facts.seen !== marks[place + 1]) return false
    if (facts.malformed !== '' || facts.contentLength >= 0 || facts.status !== 0) return false
    const listBytes = facts.listBytes + this.#listBytes - marks[place + 2]!
    if (listBytes > this.#listBytesMax || !this.#endsWith(bytes, start, end)) return false
    facts.listBytes = listBytes
    this.#tell(facts)
    return true
  }

  /** Keeps a block that was decoded whole. */
  keep(version: number, bytes: Buffer, start: number, end: number, list: string[], facts: HeaderFacts): void {
    this.#misses += 1
    if (this.#misses > MISSES_MAX && this.#misses % 16 !== 0) return
    const length = end - start
    if (facts.malformed !== '' || length > BYTES_MAX || list.length > 2 * FIELDS_MAX) return
    if (this.#bytes === undefined || this.#bytes.length < length)
      this.#bytes = Buffer.allocUnsafeSlow(length + 64)
    bytes.copy(this.#bytes, 0, start, end)
    const marks = this.#marks
    this.#marks = this.#nextMarks
    this.#nextMarks = marks
    this.#version = version
    this.#length = length
    this.#fields = list.length / 2
    this.list = list
    this.#seen = facts.seen
    this.#contentLength = facts.contentLength
    this.#status = facts.status
    this.#listBytes = facts.listBytes
  }

  #endsWith(bytes: Uint8Array, start: number, end: number): boolean {
    const block = this.#bytes!
    let at = start
    let other = this.#length - (end - start)
    // Four bytes a step: the ends of blocks are long, and mostly equal.
    for (; at + 4 <= end; at += 4, other += 4) {
      const differences =
        (bytes[at]! ^ block[other]!) |
        (bytes[at + 1]! ^ block[other + 1]!) |
        (bytes[at + 2]! ^ block[other + 2]!) |
        (bytes[at + 3]! ^ block[other + 3]!)
      if (differences !== 0) return false
    }
    for (; at < end; at += 1, other += 1) if (bytes[at] !== block[other]) return false
    return true
  }

  #tell(facts: HeaderFacts): void {
    this.#misses = 0
    facts.seen = this.#seen
    facts.contentLength = this.#contentLength
    facts.status = this.#status
  }
}

import { ConnectionError, ErrorCode } from '../errors.ts'
import { fieldIsWrong, type HeaderFacts, NameKind, nameKind, noteField, Seen } from '../header-rules.ts'
import { latin1 } from '../latin1.ts'
import { DecoderTable } from './decoder-table.ts'
import { huffmanDecode, huffmanRoom } from './huffman.ts'
import { LastBlock } from './last-block.ts'
import { type NameRecord, NameRecords } from './name-records.ts'
import { STATIC_COUNT, STATIC_NAMES, STATIC_VALUES } from './static-table.ts'

const compressionError = (message: string): ConnectionError =>
  new ConnectionError(ErrorCode.COMPRESSION_ERROR, message)

const STATIC_KINDS: readonly NameKind[] = STATIC_NAMES.map((name) =>
  name === '' ? NameKind.INVALID : nameKind(name),
)

/** Where Huffman strings are unpacked; shared, since a decode never leaves bytes behind. */
let scratch = Buffer.allocUnsafeSlow(16_384)

/**
 * Decodes header blocks (RFC 7541). The verdicts of RFC 9113 §8 are gathered on the way, in the fields of
 * {@link HeaderFacts}. Errors of the coding itself throw a ConnectionError with COMPRESSION_ERROR.
 *
 * What repeats is recognised by its bytes: a literal value equal to the last one of its name gives the same
 * string object, a whole block equal to the last one, with no table change between, the same list, and the end of a
 * block that goes on as the last one is not decoded again.
 */
export class HpackDecoder implements HeaderFacts {
  malformed = ''
  seen = 0
  contentLength = -1
  status = 0
  listBytes = 0
  /** The list was above `listBytesMax`: `decode` gave only the beginning of it. */
  tooLarge = false

  readonly #table: DecoderTable
  readonly #names = new NameRecords()
  readonly #listBytesMax: number
  #bytes: Buffer = scratch
  #at = 0
  #end = 0
  #value = ''
  #wrong = false

  readonly #last: LastBlock
  /** Fields of the list so far. */
  #fields = 0
  /** The last field had a literal value other than the last one of its name. */
  #isNew = false

  /** `tableSizeMax`: our SETTINGS_HEADER_TABLE_SIZE; `listBytesMax`: our SETTINGS_MAX_HEADER_LIST_SIZE. */
  constructor(tableSizeMax: number, listBytesMax: number) {
    this.#table = new DecoderTable(tableSizeMax)
    this.#listBytesMax = listBytesMax
    this.#last = new LastBlock(listBytesMax)
  }

  /** The peer acknowledged our SETTINGS: a table above our limit must be shrunk by the next block. */
  settingsAcknowledged(): void {
    this.#table.settingsAcknowledged()
  }

  /** Bytes in the dynamic table, as RFC 7541 §4.1 counts them. */
  get tableBytes(): number {
    return this.#table.bytes
  }

  /** Decodes one whole header block to a flat list of names and values. */
  decode(bytes: Buffer, start: number, end: number): string[] {
    this.malformed = ''
    this.seen = 0
    this.contentLength = -1
    this.status = 0
    this.listBytes = 0
    this.tooLarge = false
    const last = this.#last
    const { version } = this.#table
    const mayRepeat = last.isOf(version)
    if (mayRepeat && last.isWhole(bytes, start, end, this)) return last.list
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.#fields = 0
    // The end that is taken over is in its place then, and the list need not grow.
    const list = mayRepeat ? last.list.slice() : []
    this.#sizeUpdates()
    while (this.#at < end) {
      last.mark(this.#fields, this.#at - start, this)
      this.#isNew = false
      this.#field(list)
      if (this.#isNew && mayRepeat && this.#goesOnAsBefore()) return list
    }
    if (list.length > 2 * this.#fields) list.length = 2 * this.#fields
    if (version === this.#table.version && !this.tooLarge) last.keep(version, bytes, start, end, list, this)
    return list
  }

  /** Whether the rest of the block was the end of the last one too. */
  #goesOnAsBefore(): boolean {
    const last = this.#last
    return last.isOf(this.#table.version) && last.isEnd(this.#fields, this.#bytes, this.#at, this.#end, this)
  }

  #field(list: string[]): void {
    const first = this.#bytes[this.#at]!
    if (first >= 0x80) {
      // | 1 | index (7+) |   RFC 7541 §6.1
      const index = this.#integer(0x7f)
      if (index > STATIC_COUNT) this.#indexedDynamic(list, index)
      else if (index !== 0)
        this.#add(list, STATIC_NAMES[index]!, STATIC_KINDS[index]!, STATIC_VALUES[index]!, false)
      else throw compressionError('index 0 in a header block')
    } else if (first >= 0x40) {
      // | 0 1 | name index (6+) or 0 and a name |   RFC 7541 §6.2.1
      const name = this.#name(0x3f)
      this.#literal(name)
      this.#table.insert(name, this.#value, this.#wrong)
      this.#add(list, name.text, name.kind, this.#value, this.#wrong)
    } else if (first >= 0x20) {
      // RFC 7541 §4.2: a size update stands at the beginning of a block.
      throw compressionError('a table size update after a header field')
    } else {
      // | 0 0 0 x | name index (4+) or 0 and a name |   RFC 7541 §6.2.2 and §6.2.3
      const name = this.#name(0x0f)
      this.#literal(name)
      this.#add(list, name.text, name.kind, this.#value, this.#wrong)
    }
  }

  #indexedDynamic(list: string[], index: number): void {
    const table = this.#table
    const slot = table.slot(index - STATIC_COUNT)
    if (slot < 0) throw compressionError(`index ${index} is beyond the dynamic table`)
    const name = table.names[slot]!
    this.#add(list, name.text, name.kind, table.values[slot]!, table.wrong[slot] === 1)
  }

  #add(list: string[], name: string, kind: NameKind, value: string, wrong: boolean): void {
    this.listBytes += name.length + value.length + 32
    if (this.listBytes > this.#listBytesMax) {
      this.tooLarge = true
      return
    }
    const place = 2 * this.#fields++
    list[place] = name
    list[place + 1] = value
    if (kind === NameKind.PLAIN && !wrong) this.seen |= Seen.REGULAR
    else noteField(this, kind, name, value, wrong)
  }

  #sizeUpdates(): void {
    while (this.#at < this.#end) {
      const first = this.#bytes[this.#at]!
      if ((first & 0xe0) !== 0x20) break
      const size = this.#integer(0x1f)
      if (!this.#table.resize(size)) throw compressionError(`the table size ${size} is above our setting`)
    }
    if (this.#table.mustShrink) throw compressionError('no table size update after our smaller setting')
  }

  /** An integer with a prefix of the given mask, at the cursor (RFC 7541 §5.1). */
  #integer(mask: number): number {
    const bytes = this.#bytes
    let value = bytes[this.#at++]! & mask
    if (value < mask) return value
    let shift = 0
    for (;;) {
      if (this.#at >= this.#end) throw compressionError('an integer runs over the end of the block')
      const byte = bytes[this.#at++]!
      // Nothing here is above 2^28; longer encodings, also those padded with zeros, are an attack.
      if (shift > 21) throw compressionError('an integer is too long')
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
      shift += 7
    }
  }

  #name(mask: number): NameRecord {
    const index = this.#integer(mask)
    if (index > STATIC_COUNT) {
      const slot = this.#table.slot(index - STATIC_COUNT)
      if (slot < 0) throw compressionError(`index ${index} is beyond the dynamic table`)
      return this.#table.names[slot]!
    }
    if (index !== 0) return this.#names.ofStatic(index)
    const start = this.#stringStart()
    const end = start + this.#stringLength
    this.#at = end
    return (
      this.#names.ofBytes(this.#bytes, start, end, this.#stringCoded) ??
      this.#names.learn(this.#bytes, start, end, this.#stringCoded, this.#text(start, end))
    )
  }

  /** Reads a literal value into `#value` and `#wrong`. */
  #literal(name: NameRecord): void {
    const start = this.#stringStart()
    const end = start + this.#stringLength
    this.#at = end
    if (name.matches(this.#bytes, start, end, this.#stringCoded)) {
      this.#value = name.lastValue
      this.#wrong = name.lastWrong
      return
    }
    this.#isNew = true
    const coded = this.#stringCoded
    if (coded) {
      const length = this.#unpack(start, end)
      this.#value = latin1(scratch, 0, length)
      this.#wrong = fieldIsWrong(name.kind, this.#value, scratch, 0, length)
    } else {
      this.#value = latin1(this.#bytes, start, end)
      this.#wrong = fieldIsWrong(name.kind, this.#value, this.#bytes, start, end)
    }
    name.remember(this.#bytes, start, end, coded, this.#value, this.#wrong)
  }

  #stringLength = 0
  #stringCoded = false

  // | H | length (7+) | octets |   RFC 7541 §5.2
  #stringStart(): number {
    if (this.#at >= this.#end) throw compressionError('a string is missing at the end of the block')
    this.#stringCoded = this.#bytes[this.#at]! >= 0x80
    this.#stringLength = this.#integer(0x7f)
    if (this.#stringLength > this.#end - this.#at)
      throw compressionError('a string runs over the end of the block')
    return this.#at
  }

  #text(start: number, end: number): string {
    if (!this.#stringCoded) return latin1(this.#bytes, start, end)
    return latin1(scratch, 0, this.#unpack(start, end))
  }

  /** Unpacks a Huffman string into `scratch`; gives its length. */
  #unpack(start: number, end: number): number {
    const room = huffmanRoom(end - start)
    if (room > scratch.length) scratch = Buffer.allocUnsafeSlow(room)
    const length = huffmanDecode(this.#bytes, start, end, scratch)
    if (length < 0) throw compressionError('a Huffman string is broken')
    return length
  }
}

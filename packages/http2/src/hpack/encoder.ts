import { Http2UsageError } from '../errors.ts'
import type { OutputBuffer } from '../output-buffer.ts'
import type { HeaderList, IndexingPolicies, IndexingPolicy } from '../types.ts'
import { EncoderTable, type FieldName } from './encoder-table.ts'
import { huffmanEncode, huffmanLength } from './huffman.ts'
import { staticNameIndex } from './static-table.ts'

/** Sent literally unless the caller says otherwise: values that are different in each message. */
const DEFAULT_INDEXING: IndexingPolicies = { ':path': 'literal', 'content-length': 'literal' }

/** Table size used at most, whatever the peer offers. */
const TABLE_BYTES_MAX = 4096
/** Names whose state is kept; beyond, a name is looked up anew each time. */
const NAMES_MAX = 256

/**
 * Encodes header lists (RFC 7541). A value that enters the table is Huffman-coded where that is shorter (it
 * is sent once); what is sent literally goes as plain bytes, which costs both ends least.
 */
export class HpackEncoder {
  readonly #table = new EncoderTable(TABLE_BYTES_MAX)
  readonly #policies: IndexingPolicies
  readonly #names = new Map<string, FieldName>()
  /** The name last seen at each position of a list: lists of one kind have their names in the same places. */
  readonly #positions: (FieldName | undefined)[] = []
  /** Size updates to send before the next block: the lowest size since the last one, and the final one. */
  #lowestSize = -1

  constructor(indexing: IndexingPolicies | undefined) {
    this.#policies = { ...DEFAULT_INDEXING, ...indexing }
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  setTableSizeMax(size: number): void {
    const next = Math.min(size, TABLE_BYTES_MAX)
    if (next === this.#table.size) return
    // RFC 7541 §4.2: with several changes between two blocks, the smallest must be signalled too.
    this.#lowestSize = this.#lowestSize < 0 ? next : Math.min(this.#lowestSize, next)
    this.#table.resize(next)
  }

  /**
   * Writes one header block. Throws Http2UsageError (INVALID_HEADER) where a name or value must not be sent;
   * then nothing of the list is written and the connection stays usable.
   */
  encode(list: HeaderList, out: OutputBuffer): void {
    const start = out.length
    const version = this.#table.inserted
    try {
      if (this.#lowestSize >= 0) this.#writeSizeUpdates(out)
      for (let at = 0; at + 1 < list.length; at += 2) this.#field(at >>> 1, list[at]!, list[at + 1]!, out)
    } catch (error) {
      out.length = start
      // The peer never sees this block: if it changed the table, both ends start from an empty one again.
      if (this.#table.inserted !== version || this.#lowestSize >= 0) {
        this.#table.clear()
        this.#lowestSize = 0
      }
      throw error
    }
    this.#lowestSize = -1
  }

  #field(position: number, text: string, value: string, out: OutputBuffer): void {
    let name = this.#positions[position]
    if (name === undefined || name.text !== text) {
      name = this.#name(text)
      this.#positions[position] = name
    }
    const index = name.policy === 'incremental' ? this.#table.find(name, value) : 0
    if (index === 0) {
      this.#literal(name, value, out)
    } else if (index < 0x7f) {
      // | 1 | index (7+) |   RFC 7541 §6.1
      if (out.length === out.bytes.length) out.ensure(1)
      out.bytes[out.length++] = 0x80 | index
    } else {
      writeInteger(out, 0x80, 0x7f, index)
    }
  }

  #literal(name: FieldName, value: string, out: OutputBuffer): void {
    const nameIndex = this.#table.findName(name)
    const enters =
      name.policy === 'incremental'
        ? this.#table.isWorthwhile(name, value)
        : // A literal field of a name without index enters once, so that later ones need not spell the name.
          nameIndex === 0 && name.policy === 'literal' && this.#table.isWorthwhile(name, value)
    // | 0 1 | name index (6+) | value   or   | 0 0 0 never | name index (4+) | value   RFC 7541 §6.2
    if (enters) writeInteger(out, 0x40, 0x3f, nameIndex)
    else writeInteger(out, name.policy === 'never' ? 0x10 : 0, 0x0f, nameIndex)
    if (nameIndex === 0) writeString(out, name.text, name.text, true)
    writeString(out, value, name.text, enters)
    if (enters) this.#table.insert(name, value)
  }

  #name(text: string): FieldName {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    if (!/^:?[!#$%&'*+.^_`|~0-9a-z-]+$/.test(text)) {
      throw new Http2UsageError(
        'INVALID_HEADER',
        `the header name ${JSON.stringify(text)} cannot be sent: use lower-case token characters`,
      )
    }
    const policy: IndexingPolicy = Object.hasOwn(this.#policies, text) ? this.#policies[text]! : 'incremental'
    const name = this.#table.name(text, policy, staticNameIndex(text))
    if (this.#names.size < NAMES_MAX) this.#names.set(text, name)
    return name
  }

  #writeSizeUpdates(out: OutputBuffer): void {
    if (this.#lowestSize < this.#table.size) writeInteger(out, 0x20, 0x1f, this.#lowestSize)
    writeInteger(out, 0x20, 0x1f, this.#table.size)
  }
}

/** An integer with prefix (RFC 7541 §5.1). */
const writeInteger = (out: OutputBuffer, flags: number, mask: number, value: number): void => {
  out.ensure(6)
  const bytes = out.bytes
  if (value < mask) {
    bytes[out.length++] = flags | value
    return
  }
  bytes[out.length++] = flags | mask
  let rest = value - mask
  while (rest >= 0x80) {
    bytes[out.length++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[out.length++] = rest
}

const writeString = (out: OutputBuffer, text: string, name: string, compress: boolean): void => {
  const length = text.length
  // The length takes 6 at most; with room to spare, text that is not ASCII never seems to be as long as it is.
  out.ensure(length + 16)
  if (compress && length > 4) {
    checkValue(text, name)
    const coded = huffmanLength(text)
    if (coded < length) {
      writeInteger(out, 0x80, 0x7f, coded)
      out.ensure(coded)
      out.length = huffmanEncode(text, out.bytes, out.length)
      return
    }
  }
  writeInteger(out, 0, 0x7f, length)
  // What is not ASCII takes more bytes than characters; such a value is rare.
  const isAscii = out.bytes.write(text, out.length) === length
  if (!isAscii) {
    checkValue(text, name)
    out.bytes.write(text, out.length, 'latin1')
  } else if (hasControls(out.bytes, out.length, length)) checkValue(text, name)
  out.length += length
}

/** Whether there is a byte that may be a control character: a few that are allowed count, too. */
const hasControls = (bytes: Uint8Array, start: number, length: number): boolean => {
  let seen = 0
  // The high bit of (byte - 0x20) is set below a space.
  for (let at = start; at < start + length; at += 1) seen |= (bytes[at]! - 0x20) | (0x7e - bytes[at]!)
  return seen < 0
}

/** RFC 9113 §8.2.1, and RFC 9110 §5.5 for other control characters. */
const checkValue = (text: string, name: string): void => {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > 0xff || code === 0x7f || (code < 0x20 && code !== 0x09)) {
      throw new Http2UsageError(
        'INVALID_HEADER',
        `the value of ${name} has the character U+${code.toString(16).padStart(4, '0')}, which a header cannot carry`,
      )
    }
  }
}

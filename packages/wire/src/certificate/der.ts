import { WireError } from '../wire-error.ts'

/*
 * DER, as far as certificates need it (X.690 §8 and §10):
 *
 *   identifier (1 byte, tag number below 31) | length | content
 *   length: 00..7f                  the length itself
 *           81 xx, 82 xx xx, 83 …   that many bytes, big-endian, no shorter form possible
 *
 * Indefinite lengths (80) and multi-byte tags are refused: nothing that is signed over DER has them.
 */

/** The identifier bytes that certificates use. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

export interface DerElement {
  /** The identifier byte, class and constructed bit included. */
  readonly tag: number
  /** The content, a view on the bytes that were read. */
  readonly content: Uint8Array
  /** The element with its header, a view as well. */
  readonly raw: Uint8Array
}

const lengthBytesMax = 3 // lengths up to 16 MB; longer ones are not certificates

/** Reads exactly one element that fills `bytes`. Throws `WireError` on anything else. */
export function readDer(bytes: Uint8Array): DerElement {
  const element = readElementAt(bytes, 0)
  if (element.raw.length !== bytes.length) throw corrupt('bytes follow the end of the element')
  return element
}

/** The elements inside a constructed element, in order. Throws `WireError` where they do not fit exactly. */
export function derChildren(element: DerElement): DerElement[] {
  if ((element.tag & 0x20) === 0) throw corrupt('a primitive element has no elements inside')
  const children: DerElement[] = []
  for (let offset = 0; offset < element.content.length; ) {
    const child = readElementAt(element.content, offset)
    children.push(child)
    offset += child.raw.length
  }
  return children
}

/** The dotted form of an OBJECT IDENTIFIER. */
export function derOid(element: DerElement | undefined): string {
  const content = expectDer(element, derTag.oid, 'an object identifier').content
  if (content.length === 0 || (content[content.length - 1]! & 0x80) !== 0) {
    throw corrupt('an object identifier ends in the middle of a number')
  }
  const arcs: number[] = []
  let arc = 0
  let started = false
  for (const byte of content) {
    if (!started && byte === 0x80) throw corrupt('a number of an object identifier has a leading zero')
    started = true
    arc = arc * 128 + (byte & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER) throw corrupt('a number of an object identifier is too large')
    if ((byte & 0x80) === 0) {
      arcs.push(arc)
      arc = 0
      started = false
    }
  }
  // The first number holds two: 40 × first + second, where only first = 2 allows a second above 39.
  const head = arcs[0]!
  const first = head < 80 ? Math.floor(head / 40) : 2
  return [first, head - 40 * first, ...arcs.slice(1)].join('.')
}

/** The text of a character string of any of the types that names use. */
export function derText(element: DerElement | undefined): string {
  switch (element?.tag) {
    case derTag.utf8String:
    case derTag.printableString:
    case derTag.ia5String:
    case derTag.teletexString:
      return decodeUtf8(element.content)
    case derTag.bmpString:
      return decodeUtf16(element.content)
    default:
      throw corrupt('a character string is missing')
  }
}

/** Milliseconds since 1970 of a UTCTime or GeneralizedTime in the form of RFC 5280 §4.1.2.5. */
export function derTime(element: DerElement | undefined): number {
  if (element?.tag !== derTag.utcTime && element?.tag !== derTag.generalizedTime) {
    throw corrupt('a time is missing')
  }
  const yearDigits = element.tag === derTag.utcTime ? 2 : 4
  const text = decodeUtf8(element.content)
  if (text.length !== yearDigits + 11 || !/^\d+Z$/.test(text)) throw corrupt('a time is not in its DER form')
  const two = (at: number) => Number(text.slice(yearDigits + at, yearDigits + at + 2))
  let year = Number(text.slice(0, yearDigits))
  if (yearDigits === 2) year += year < 50 ? 2000 : 1900 // RFC 5280 §4.1.2.5.1
  const [month, day, hour, minute, second] = [two(0), two(2), two(4), two(6), two(8)]
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) {
    throw corrupt('a time does not exist')
  }
  const time = Date.UTC(2000, month - 1, day, hour, minute, second)
  const exact = new Date(time)
  exact.setUTCFullYear(year, month - 1, day) // Date.UTC would read years below 100 as 19xx
  if (exact.getUTCDate() !== day) throw corrupt('a time does not exist')
  return exact.getTime()
}

/** The element, if it has this tag; otherwise a `WireError` that names what was expected. */
export function expectDer(element: DerElement | undefined, tag: number, what: string): DerElement {
  if (element === undefined) throw corrupt(`${what} is missing`)
  if (element.tag !== tag) throw corrupt(`${what} was expected, not an element 0x${element.tag.toString(16)}`)
  return element
}

/** The bytes of a positive INTEGER in lower-case hex, without the sign byte. */
export function derIntegerHex(element: DerElement | undefined, what: string): string {
  const { content } = expectDer(element, derTag.integer, what)
  if (content.length === 0) throw corrupt(`${what} is empty`)
  if (content.length > 1) {
    const padded = (content[0] === 0 && content[1]! < 0x80) || (content[0] === 0xff && content[1]! >= 0x80)
    if (padded) throw corrupt(`${what} is not in its shortest form`)
  }
  if (content[0]! >= 0x80) throw corrupt(`${what} is negative`)
  const digits = content[0] === 0 && content.length > 1 ? content.subarray(1) : content
  return Array.from(digits, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function readElementAt(bytes: Uint8Array, offset: number): DerElement {
  const tag = bytes[offset]
  const first = bytes[offset + 1]
  if (tag === undefined || first === undefined) throw corrupt('an element is cut off')
  if ((tag & 0x1f) === 0x1f) throw corrupt('a tag has several bytes')
  let start = offset + 2
  let length = first
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count === 0 || count > lengthBytesMax) throw corrupt('a length is indefinite or absurd')
    length = 0
    for (let index = 0; index < count; index++) {
      const byte = bytes[start + index]
      if (byte === undefined) throw corrupt('a length is cut off')
      length = length * 256 + byte
    }
    const shortest = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3
    if (count !== shortest) throw corrupt('a length is not in its shortest form')
    start += count
  }
  if (length > bytes.length - start) throw corrupt('an element is cut off')
  return {
    tag,
    content: bytes.subarray(start, start + length),
    raw: bytes.subarray(offset, start + length),
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw corrupt('a character string is not UTF-8', cause)
  }
}

function decodeUtf16(bytes: Uint8Array): string {
  if (bytes.length % 2 !== 0) throw corrupt('a BMPString has half a character')
  let text = ''
  for (let index = 0; index < bytes.length; index += 2) {
    text += String.fromCharCode(bytes[index]! * 256 + bytes[index + 1]!)
  }
  return text
}

function corrupt(message: string, cause?: unknown): WireError {
  return new WireError(
    'certificate-invalid',
    `The certificate cannot be read: ${message}.`,
    cause === undefined ? undefined : { cause },
  )
}

/**
 * What RFC 9113 §8 demands of names and values. Every check is made once, when a name or a value is decoded
 * or enters the dynamic table; an entry that repeats carries the verdict with it.
 */

/** What a header name means to the engine. Pseudo-headers come from {@link NameKind.METHOD} on. */
export const NameKind = {
  PLAIN: 0,
  /** Has characters that a name must not have (RFC 9113 §8.2.1), or is a pseudo-header nobody defined (§8.3). */
  INVALID: 1,
  /** Connection-specific: makes a message malformed (RFC 9113 §8.2.2). */
  FORBIDDEN: 2,
  /** Only `trailers` is allowed as value (RFC 9113 §8.2.2). */
  TE: 3,
  CONTENT_LENGTH: 4,
  HOST: 5,
  METHOD: 8,
  SCHEME: 9,
  AUTHORITY: 10,
  PATH: 11,
  STATUS: 12,
} as const
export type NameKind = (typeof NameKind)[keyof typeof NameKind]

const KINDS = new Map<string, NameKind>([
  ['connection', NameKind.FORBIDDEN],
  ['proxy-connection', NameKind.FORBIDDEN],
  ['keep-alive', NameKind.FORBIDDEN],
  ['transfer-encoding', NameKind.FORBIDDEN],
  ['upgrade', NameKind.FORBIDDEN],
  ['te', NameKind.TE],
  ['content-length', NameKind.CONTENT_LENGTH],
  ['host', NameKind.HOST],
  [':method', NameKind.METHOD],
  [':scheme', NameKind.SCHEME],
  [':authority', NameKind.AUTHORITY],
  [':path', NameKind.PATH],
  [':status', NameKind.STATUS],
])

// RFC 9113 §8.2.1: 0x00-0x20, upper case and 0x7f-0xff are forbidden, a colon only starts a pseudo-header.
const NAME_FORM = /^[!-9;-@[-~]+$/

/** The kind of a received name. */
export const nameKind = (name: string): NameKind =>
  KINDS.get(name) ?? (NAME_FORM.test(name) ? NameKind.PLAIN : NameKind.INVALID)

const METHOD_FORM = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const CONTENT_LENGTH_FORM = /^[0-9]{1,15}$/
const STATUS_FORM = /^[1-9][0-9]{2}$/

// RFC 9113 §8.2.1: no NUL, LF or CR anywhere, no space or tab at either end. The bytes are at hand in any case, and
// looking at them is cheaper than at the characters of a text.
const bytesAreWrong = (bytes: Uint8Array, start: number, end: number): boolean => {
  if (start === end) return false
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!
    if (byte <= 13 && (byte === 0 || byte === 10 || byte === 13)) return true
  }
  const first = bytes[start]!
  const last = bytes[end - 1]!
  return first === 32 || first === 9 || last === 32 || last === 9
}

/** Whether a field makes its message malformed, whatever message that is. `bytes[start..end)` are the value's. */
export const fieldIsWrong = (
  kind: NameKind,
  value: string,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean => {
  if (bytesAreWrong(bytes, start, end)) return true
  switch (kind) {
    case NameKind.PLAIN:
    case NameKind.HOST:
    case NameKind.AUTHORITY:
      return false
    case NameKind.INVALID:
    case NameKind.FORBIDDEN:
      return true
    case NameKind.TE:
      return value !== 'trailers'
    case NameKind.CONTENT_LENGTH:
      return !CONTENT_LENGTH_FORM.test(value)
    case NameKind.METHOD:
      return !METHOD_FORM.test(value)
    case NameKind.SCHEME:
      return value.length === 0
    case NameKind.PATH:
      // RFC 9113 §8.3.1: starts with a slash, or is "*" (OPTIONS).
      return value.charCodeAt(0) !== 47 && value !== '*'
    case NameKind.STATUS:
      return !STATUS_FORM.test(value)
  }
}

/** Bits of {@link HeaderFacts.seen}. */
export const Seen = {
  METHOD: 1,
  SCHEME: 2,
  AUTHORITY: 4,
  PATH: 8,
  STATUS: 16,
  HOST: 32,
  REGULAR: 64,
} as const

/** What was found while a header block was decoded. */
export interface HeaderFacts {
  /** Why the message is malformed, '' where it is not (so far). */
  malformed: string
  /** Which of {@link Seen} occurred. */
  seen: number
  /** Value of content-length, -1 without. */
  contentLength: number
  /** Value of `:status`, 0 without. */
  status: number
  /** Bytes of the list as RFC 9113 §6.5.2 counts them (32 per field on top). */
  listBytes: number
}

const pseudo = (facts: HeaderFacts, bit: number, name: string): void => {
  // RFC 9113 §8.3: pseudo-headers come first, and each once.
  if ((facts.seen & Seen.REGULAR) !== 0) facts.malformed = `${name} after a regular header`
  else if ((facts.seen & bit) !== 0) facts.malformed = `${name} twice`
  facts.seen |= bit
}

/** Takes note of a field that is not plain, or wrong. */
export const noteField = (
  facts: HeaderFacts,
  kind: NameKind,
  name: string,
  value: string,
  wrong: boolean,
): void => {
  if (wrong) facts.malformed = `the field ${JSON.stringify(name.slice(0, 64))} must not be sent like this`
  switch (kind) {
    case NameKind.METHOD:
      return pseudo(facts, Seen.METHOD, name)
    case NameKind.SCHEME:
      return pseudo(facts, Seen.SCHEME, name)
    case NameKind.AUTHORITY:
      return pseudo(facts, Seen.AUTHORITY, name)
    case NameKind.PATH:
      return pseudo(facts, Seen.PATH, name)
    case NameKind.STATUS:
      facts.status = Number(value)
      return pseudo(facts, Seen.STATUS, name)
    case NameKind.HOST:
      facts.seen |= Seen.HOST | Seen.REGULAR
      return
    case NameKind.CONTENT_LENGTH: {
      const length = Number(value)
      // RFC 9110 §8.6: repeated equal values may be taken as one.
      if (facts.contentLength >= 0 && facts.contentLength !== length) facts.malformed = 'two content-lengths'
      facts.contentLength = length
      facts.seen |= Seen.REGULAR
      return
    }
    default:
      facts.seen |= Seen.REGULAR
  }
}

const REQUEST_NEEDS = Seen.METHOD | Seen.SCHEME | Seen.PATH

/** Why these are no request headers, '' where they are (RFC 9113 §8.3.1; CONNECT is not offered). */
export const requestFault = (facts: HeaderFacts, authorityRequired: boolean): string => {
  if (facts.malformed !== '') return facts.malformed
  const seen = facts.seen
  if ((seen & REQUEST_NEEDS) !== REQUEST_NEEDS) return 'a request needs :method, :scheme and :path'
  if ((seen & Seen.STATUS) !== 0) return ':status in a request'
  if (authorityRequired && (seen & (Seen.AUTHORITY | Seen.HOST)) === 0) return 'no :authority and no host'
  return ''
}

const REQUEST_PSEUDO = Seen.METHOD | Seen.SCHEME | Seen.PATH | Seen.AUTHORITY

/** Why these are no response headers, '' where they are (RFC 9113 §8.3.2). */
export const responseFault = (facts: HeaderFacts): string => {
  if (facts.malformed !== '') return facts.malformed
  if ((facts.seen & Seen.STATUS) === 0) return 'a response needs :status'
  if ((facts.seen & REQUEST_PSEUDO) !== 0) return 'a pseudo-header of a request in a response'
  // RFC 9113 §8.6: HTTP/2 has no 101.
  return facts.status === 101 ? ':status 101' : ''
}

/** Why these are no trailers, '' where they are (RFC 9113 §8.1: no pseudo-headers). */
export const trailerFault = (facts: HeaderFacts): string => {
  if (facts.malformed !== '') return facts.malformed
  return (facts.seen & (REQUEST_PSEUDO | Seen.STATUS)) !== 0 ? 'a pseudo-header in trailers' : ''
}

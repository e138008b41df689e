/** The byte scanners below {@link scanPayload}: white space, strings, numbers and words of JSON. RFC 8259 */

/** Why a body is no payload. Negative, so that one number says either what was found or what is wrong. */
export const payloadFault = {
  /** No bytes, or white space only. */
  empty: -1,
  notJson: -2,
  /** A byte sequence in a string that is not UTF-8 (RFC 3629). */
  notUtf8: -3,
  /** More than `payloadDepthMax` objects and arrays inside each other. */
  tooDeep: -4,
  /** Valid JSON, but not an object. */
  notObject: -5,
} as const

const quote = 0x22
const backslash = 0x5c

/** 1 for each byte that stands for itself inside a string: ASCII without controls, quote and backslash. */
const plain = new Uint8Array(256)
for (let byte = 0x20; byte < 0x80; byte++) plain[byte] = byte === quote || byte === backslash ? 0 : 1

/** 1 for the characters that may follow a backslash, `u` apart. */
const escapable = new Uint8Array(256)
for (const character of '"\\/bfnrt') escapable[character.charCodeAt(0)] = 1

/** The position of the next byte that is no white space, or `end`. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const byte = bytes[at]!
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
    at += 1
  }
  return at
}

/** The position behind the string whose opening quote is just before `at`, or a fault. */
export function scanString(bytes: Uint8Array, at: number, end: number): number {
  const lastQuad = end - 4
  for (;;) {
    // Four bytes a step: most strings are plain from end to end.
    while (
      at <= lastQuad &&
      (plain[bytes[at]!]! & plain[bytes[at + 1]!]! & plain[bytes[at + 2]!]! & plain[bytes[at + 3]!]!) === 1
    ) {
      at += 4
    }
    while (at < end && plain[bytes[at]!] === 1) at += 1
    if (at >= end) return payloadFault.notJson
    const byte = bytes[at]!
    if (byte === quote) return at + 1
    if (byte === backslash) at = scanEscape(bytes, at + 1, end)
    else if (byte >= 0x80) at = scanCharacters(bytes, at, end)
    else return payloadFault.notJson
    if (at < 0) return at
  }
}

/** `at` is behind the backslash. */
function scanEscape(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return payloadFault.notJson
  const byte = bytes[at]!
  if (escapable[byte] === 1) return at + 1
  // A lone surrogate such as \ud800 is valid JSON grammar and passes, as it does with JSON.parse.
  if (byte !== 0x75 || at + 4 >= end) return payloadFault.notJson
  for (let index = at + 1; index <= at + 4; index++) {
    const digit = bytes[index]!
    const letter = digit | 0x20
    if (!(digit >= 0x30 && digit <= 0x39) && !(letter >= 0x61 && letter <= 0x66)) return payloadFault.notJson
  }
  return at + 5
}

/** A run of characters of two to four bytes each. RFC 3629 §4 */
function scanCharacters(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at]! >= 0x80) {
    const first = bytes[at]!
    if (first < 0xc2 || first > 0xf4) return payloadFault.notUtf8
    const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    if (at + length > end) return payloadFault.notUtf8
    const second = bytes[at + 1]!
    // The second byte's range is narrower where all of it would allow overlong forms, surrogates or > U+10FFFF.
    const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
    const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
    if (second < low || second > high) return payloadFault.notUtf8
    if (length > 2 && (bytes[at + 2]! & 0xc0) !== 0x80) return payloadFault.notUtf8
    if (length > 3 && (bytes[at + 3]! & 0xc0) !== 0x80) return payloadFault.notUtf8
    at += length
  }
  return at
}

/** A number, `true`, `false` or `null` at `at`: the position behind it, or a fault. */
export function scanScalar(bytes: Uint8Array, at: number, end: number): number {
  switch (bytes[at]) {
    case 0x74:
      return scanWord(bytes, at, end, trueBytes)
    case 0x66:
      return scanWord(bytes, at, end, falseBytes)
    case 0x6e:
      return scanWord(bytes, at, end, nullBytes)
    default:
      return scanNumber(bytes, at, end)
  }
}

const trueBytes = new TextEncoder().encode('true')
const falseBytes = new TextEncoder().encode('false')
const nullBytes = new TextEncoder().encode('null')

function scanWord(bytes: Uint8Array, at: number, end: number, word: Uint8Array): number {
  if (at + word.length > end) return payloadFault.notJson
  for (let index = 1; index < word.length; index++) {
    if (bytes[at + index] !== word[index]) return payloadFault.notJson
  }
  return at + word.length
}

/** `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?` RFC 8259 §6 */
function scanNumber(bytes: Uint8Array, at: number, end: number): number {
  if (at < end && bytes[at] === 0x2d) at += 1
  if (at < end && bytes[at] === 0x30) at += 1
  else {
    at = scanDigits(bytes, at, end)
    if (at < 0) return at
  }
  if (at < end && bytes[at] === 0x2e) {
    at = scanDigits(bytes, at + 1, end)
    if (at < 0) return at
  }
  if (at < end && (bytes[at]! | 0x20) === 0x65) {
    at += 1
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at += 1
    at = scanDigits(bytes, at, end)
  }
  return at
}

/** One digit or more. */
function scanDigits(bytes: Uint8Array, at: number, end: number): number {
  const start = at
  while (at < end && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at += 1
  return at === start ? payloadFault.notJson : at
}

import { payloadDepthMax } from '../limits.ts'
import { payloadFault, scanScalar, scanString, skipSpace } from './scan-text.ts'

/** What {@link scanPayload} found, as the sum of these bits. */
export const payloadFlag = {
  /** The body is a JSON object; comes with every other flag. */
  object: 1,
  /** `aps` is an object. */
  aps: 2,
  /** `aps.alert` is there, and neither null nor ''. */
  alert: 4,
  /** `aps.badge` is there and not null. */
  badge: 8,
  /** `aps.sound` is there, and neither null nor ''. */
  sound: 16,
  /** `aps.content-available` is 1 (or true). */
  contentAvailable: 32,
  /** `aps.mutable-content` is 1 (or true). */
  mutableContent: 64,
} as const

/** The flags of a payload that the user notices. */
export const payloadFlagsVisible = payloadFlag.alert | payloadFlag.badge | payloadFlag.sound

const apsFlags =
  payloadFlag.aps | payloadFlagsVisible | payloadFlag.contentAvailable | payloadFlag.mutableContent

const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const comma = 0x2c
const colon = 0x3a
const quote = 0x22

/** 1 where the container at that depth is an object. Shared: a scan runs to its end without giving up the thread. */
const isObjectAt = new Uint8Array(payloadDepthMax + 1)

/**
 * Checks that the bytes are one JSON object in UTF-8 and says what its `aps` holds, without building objects:
 * the sum of {@link payloadFlag} bits, or one of the negative {@link payloadFault} values. It accepts exactly what
 * JSON.parse accepts after a strict UTF-8 decoding, except for nesting deeper than {@link payloadDepthMax}. Of
 * a repeated key the last counts, as with JSON.parse. A byte order mark is refused (RFC 8259 §8.1).
 *
 * @param asksForAps false where it is enough to know that it is an object; then there are no other flags
 */
export function scanPayload(bytes: Uint8Array, asksForAps = true): number {
  const end = bytes.length
  let at = skipSpace(bytes, 0, end)
  if (at === end) return payloadFault.empty
  const rootFlag = bytes[at] === openBrace ? payloadFlag.object : 0
  let flags = rootFlag
  let depth = 0
  /** True while the container at depth 2 is `aps`. */
  let inAps = false
  /** The flag that the key of the value to come stands for; 0 for every other key. */
  let keyFlag = 0

  for (;;) {
    // A value starts at `at`.
    const start = at
    const first = at < end ? bytes[at]! : 0
    let isOpened = false
    if (first === quote) {
      at = scanString(bytes, at + 1, end)
    } else if (first === openBrace || first === openBracket) {
      if (depth === payloadDepthMax) return payloadFault.tooDeep
      depth += 1
      isObjectAt[depth] = first === openBrace ? 1 : 0
      at += 1
      isOpened = true
    } else {
      at = scanScalar(bytes, at, end)
    }
    if (at < 0) return at
    if (keyFlag !== 0) {
      if (keyFlag === payloadFlag.aps) {
        flags &= ~apsFlags
        if (first === openBrace) {
          flags |= payloadFlag.aps
          inAps = true
        }
      } else if (isSet(bytes, start, at, keyFlag)) flags |= keyFlag
      else flags &= ~keyFlag
      keyFlag = 0
    }

    // Behind a value, or just inside a container: closes what ends here, up to where the next value starts.
    for (;;) {
      at = skipSpace(bytes, at, end)
      if (depth === 0) {
        if (at !== end) return payloadFault.notJson
        return rootFlag === 0 ? payloadFault.notObject : flags
      }
      const byte = at < end ? bytes[at]! : 0
      const isObject = isObjectAt[depth] === 1
      if (byte === (isObject ? closeBrace : closeBracket)) {
        depth -= 1
        if (depth === 1) inAps = false
        isOpened = false
        at += 1
        continue
      }
      if (!isOpened) {
        if (byte !== comma) return payloadFault.notJson
        at = skipSpace(bytes, at + 1, end)
      }
      if (!isObject) break
      if (at >= end || bytes[at] !== quote) return payloadFault.notJson
      const keyStart = at + 1
      at = scanString(bytes, keyStart, end)
      if (at < 0) return at
      if (asksForAps && rootFlag !== 0 && (depth === 1 || (depth === 2 && inAps))) {
        keyFlag = keyFlagOf(bytes, keyStart, at - 1, depth)
      }
      at = skipSpace(bytes, at, end)
      if (at >= end || bytes[at] !== colon) return payloadFault.notJson
      at = skipSpace(bytes, at + 1, end)
      break
    }
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const apsKey = encoder.encode('aps')
const alertKey = encoder.encode('alert')
const badgeKey = encoder.encode('badge')
const soundKey = encoder.encode('sound')
const mutableContentKey = encoder.encode('mutable-content')
const contentAvailableKey = encoder.encode('content-available')

/** The flag of a key at depth 1 (`aps`) or inside `aps`; 0 for a key that does not matter. */
function keyFlagOf(bytes: Uint8Array, start: number, end: number, depth: number): number {
  for (let index = start; index < end; index++) {
    if (bytes[index] === 0x5c) return escapedKeyFlagOf(bytes, start, end, depth)
  }
  if (depth === 1) return isKey(bytes, start, end, apsKey) ? payloadFlag.aps : 0
  switch (end - start) {
    case 5:
      if (isKey(bytes, start, end, alertKey)) return payloadFlag.alert
      if (isKey(bytes, start, end, badgeKey)) return payloadFlag.badge
      return isKey(bytes, start, end, soundKey) ? payloadFlag.sound : 0
    case 15:
      return isKey(bytes, start, end, mutableContentKey) ? payloadFlag.mutableContent : 0
    case 17:
      return isKey(bytes, start, end, contentAvailableKey) ? payloadFlag.contentAvailable : 0
    default:
      return 0
  }
}

/** A key written with escapes, such as `"\u0061ps"`, is the same key: rare, so it may cost a decoding. */
function escapedKeyFlagOf(bytes: Uint8Array, start: number, end: number, depth: number): number {
  const key = encoder.encode(JSON.parse(decoder.decode(bytes.subarray(start - 1, end + 1))) as string)
  return key.indexOf(0x5c) === -1 ? keyFlagOf(key, 0, key.length, depth) : 0
}

function isKey(bytes: Uint8Array, start: number, end: number, key: Uint8Array): boolean {
  if (end - start !== key.length) return false
  for (let index = 0; index < key.length; index++) {
    if (bytes[start + index] !== key[index]) return false
  }
  return true
}

/** Whether the value from `start` counts for its flag; of an object or array `end` is just behind its start. */
function isSet(bytes: Uint8Array, start: number, end: number, flag: number): boolean {
  const first = bytes[start]!
  if (flag === payloadFlag.contentAvailable || flag === payloadFlag.mutableContent) {
    // 't' for true: what some senders write for 1.
    if (first === 0x74) return true
    if (end - start === 1) return first === 0x31
    return first >= 0x30 && first <= 0x39 && Number(decoder.decode(bytes.subarray(start, end))) === 1
  }
  // 'n' for null, and '' (nothing between the quotes), show nothing; an empty badge is not a badge of 0.
  return first !== 0x6e && !(first === quote && end - start === 2)
}

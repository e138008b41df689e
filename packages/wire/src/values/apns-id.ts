import { hexText } from '../bytes/text.ts'
import { isHex } from './hex.ts'

/**
 * `apns-id`, `apns-request-id` and `apns-unique-id` are UUIDs in the canonical form 8-4-4-4-12. Apple:
 * "Sending notification requests to APNs" shows 32 lower-case hex digits; either case is accepted here because
 * Apple's own generated ids were seen in upper case. RFC 9562 §4
 */
export function isApnsId(text: string): boolean {
  return (
    text.length === 36 &&
    text.charCodeAt(8) === 45 &&
    text.charCodeAt(13) === 45 &&
    text.charCodeAt(18) === 45 &&
    text.charCodeAt(23) === 45 &&
    isHex(text, 0, 8) &&
    isHex(text, 9, 13) &&
    isHex(text, 14, 18) &&
    isHex(text, 19, 23) &&
    isHex(text, 24, 36)
  )
}

/** A version 4 UUID in lower case from 16 random bytes. The bytes are not changed. RFC 9562 §5.4 */
export function apnsIdOf(random: Uint8Array): string {
  if (random.length !== 16)
    throw new RangeError(`An apns-id is made of 16 random bytes, not ${random.length}.`)
  const hex = hexText(random)
  const version = `4${hex.slice(13, 16)}`
  const variant = '89ab'[(random[8]! >> 4) & 3]! + hex.slice(17, 20)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}-${variant}-${hex.slice(20)}`
}

/** True when both name the same notification, whatever the case of their digits. */
export function isSameApnsId(left: string, right: string): boolean {
  return left === right || (left.length === right.length && left.toLowerCase() === right.toLowerCase())
}

/**
 * The 16 bytes of an apns-id as the courier carries it, either case; undefined unless it is canonical. Runs for each
 * notification: one pass that gathers what is wrong and looks at it once.
 */
export function apnsIdBytes(text: string): Uint8Array | undefined {
  if (text.length !== 36) return undefined
  const bytes = new Uint8Array(16)
  let codes = 0
  let values = 0
  for (let index = 0; index < 16; index++) {
    const at = digitPlaces[index]!
    const high = text.charCodeAt(at)
    const low = text.charCodeAt(at + 1)
    codes |= high | low
    const byte = (digitValues[high & 127]! << 4) | digitValues[low & 127]!
    values |= byte
    bytes[index] = byte
  }
  const hyphens =
    (text.charCodeAt(8) ^ 45) |
    (text.charCodeAt(13) ^ 45) |
    (text.charCodeAt(18) ^ 45) |
    (text.charCodeAt(23) ^ 45)
  return hyphens === 0 && codes < 128 && values >= 0 ? bytes : undefined
}

/** Where the two digits of each byte stand. */
const digitPlaces = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34)

/** By ASCII code: what a hexadecimal digit counts; -1 for every other character. */
const digitValues = Int8Array.from({ length: 128 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(value) ? -1 : value
})

/** An apns-id from the 16 bytes that the courier carries, in lower case, every bit kept. */
export function apnsIdText(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError(`An apns-id has 16 bytes, not ${bytes.length}.`)
  const hex = hexText(bytes)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

import { expirationSecondsMax } from '../limits.ts'

/**
 * `apns-expiration` in UNIX seconds: decimal digits only, no sign, no fraction; -1 when the text is none.
 * 0 means one delivery attempt and no storage. A negative number stands for "bad" so that the hot path returns
 * no object and no NaN.
 */
export function parseExpiration(text: string): number {
  const length = text.length
  // 16 digits stay exact in a double, and leading zeros are harmless.
  if (length === 0 || length > 16) return -1
  let seconds = 0
  for (let index = 0; index < length; index++) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > 9) return -1
    seconds = seconds * 10 + digit
  }
  return seconds <= expirationSecondsMax ? seconds : -1
}

import { hexBytes, hexText } from '../bytes/text.ts'
import { deviceTokenBytesMax } from '../limits.ts'
import { isHex } from './hex.ts'

/**
 * A device token names one app on one device in one environment. Apple: "Registering your app with APNs" asks
 * never to assume its size; 32 bytes is what Apple issued for years and what our push service issues, 100 bytes
 * is the most that was ever announced (2015).
 */
export const deviceTokenBytes = 32

/** True for hex of either case that is 1 to 100 whole bytes. */
export function isDeviceToken(text: string): boolean {
  const length = text.length
  return length > 0 && length <= deviceTokenBytesMax * 2 && length % 2 === 0 && isHex(text)
}

/** The token in lower case, the one spelling that is stored and compared. Returns the same string if it is. */
export function normalDeviceToken(token: string): string {
  for (let index = 0; index < token.length; index++) {
    const code = token.charCodeAt(index)
    if (code >= 0x41 && code <= 0x5a) return token.toLowerCase()
  }
  return token
}

/** Lower-case hex of the token's bytes. */
export function encodeDeviceToken(bytes: Uint8Array): string {
  return hexText(bytes)
}

/** The token's bytes, or undefined when `text` is not a device token. */
export function decodeDeviceToken(text: string): Uint8Array | undefined {
  return isDeviceToken(text) ? hexBytes(text) : undefined
}

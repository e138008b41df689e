import { WireError } from '../wire-error.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const hexPairs: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
)

export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text)
}

/** UTF-8 to text; bytes that are not UTF-8 become U+FFFD, as in every browser. */
export function utf8Text(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** Lower-case hexadecimal. */
export function hexText(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hexPairs[byte]
  return text
}

/** @throws WireError `text-invalid` unless `text` is an even number of hexadecimal digits of either case */
export function hexBytes(text: string): Uint8Array {
  if (text.length % 2 !== 0) {
    throw new WireError('text-invalid', `${text.length} hexadecimal digits do not make whole bytes`)
  }
  const bytes = new Uint8Array(text.length / 2)
  for (let index = 0; index < bytes.length; index++) {
    const high = hexDigit(text.charCodeAt(index * 2))
    const low = hexDigit(text.charCodeAt(index * 2 + 1))
    if (high < 0 || low < 0) {
      throw new WireError(
        'text-invalid',
        `Character ${index * 2 + (high < 0 ? 0 : 1)} is no hexadecimal digit`,
      )
    }
    bytes[index] = (high << 4) | low
  }
  return bytes
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 0x20
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** Base64 with padding (RFC 4648 §4). */
export function base64Text(bytes: Uint8Array): string {
  let binary = ''
  // In pieces: one call with a whole large array would exceed the argument limit of the engine.
  for (let offset = 0; offset < bytes.length; offset += 8192) {
    binary += String.fromCharCode(...bytes.subarray(offset, offset + 8192))
  }
  return btoa(binary)
}

/** Base64url without padding (RFC 4648 §5). */
export function base64UrlText(bytes: Uint8Array): string {
  return base64Text(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/**
 * Base64 or base64url, padded or not.
 * @throws WireError `text-invalid` for any other character, white space included, or an impossible length
 */
export function base64Bytes(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) {
    throw new WireError('text-invalid', 'The text holds characters that base64 does not have')
  }
  const digits = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '')
  if (digits.length % 4 === 1)
    throw new WireError('text-invalid', `${digits.length} base64 digits make no bytes`)
  const binary = atob(digits)
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index)
  return bytes
}

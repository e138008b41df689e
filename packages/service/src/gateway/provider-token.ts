import { type KeyObject, verify } from 'node:crypto'
import { isKeyId, isTeamId } from '@carillon/wire'
import { limits } from '../limits.ts'

/** What a provider token (JWT) says, before anybody believes it. */
export interface ProviderToken {
  /** Header `kid`: ten characters. */
  readonly keyId: string
  /** Claim `iss`: ten characters. */
  readonly teamId: string
  /** Claim `iat`, in milliseconds since the epoch. */
  readonly issuedAtMs: number
  /** What was signed: the first two parts with the dot between them, ASCII. */
  readonly signed: Buffer
  readonly signature: Buffer
}

/**
 * Takes a JWS in compact form (RFC 7515 §7.1) apart. `undefined` for anything that Apple's documentation does
 * not allow: another algorithm than ES256 (so `none` and HS256 never reach a key), a kid or team id of another
 * length, base64 that is padded or not canonical, critical extensions.
 */
export function decodeProviderToken(text: string): ProviderToken | undefined {
  if (text.length > limits.providerTokenLengthMax) return undefined
  const parts = text.split('.')
  if (parts.length !== 3) return undefined
  const header = jsonObjectOf(parts[0]!)
  const claims = jsonObjectOf(parts[1]!)
  const signature = base64UrlBytes(parts[2]!)
  if (header === undefined || claims === undefined || signature === undefined) return undefined
  // RFC 7515 §4.1.11: a critical extension that is not understood makes the token invalid.
  if (header.alg !== 'ES256' || 'crit' in header) return undefined
  const { kid } = header
  const { iss, iat } = claims
  if (typeof kid !== 'string' || !isKeyId(kid)) return undefined
  if (typeof iss !== 'string' || !isTeamId(iss)) return undefined
  if (typeof iat !== 'number' || !Number.isFinite(iat) || iat < 0) return undefined
  const signed = Buffer.from(text.slice(0, text.length - parts[2]!.length - 1), 'latin1')
  return { keyId: kid, teamId: iss, issuedAtMs: iat * 1000, signed, signature }
}

/**
 * Checks the signature, which costs about 100 µs. RFC 7518 §3.4 wants R and S in 64 bytes; pushy, apnotic and
 * the openssl recipe of Apple ("Sending push notifications using command-line tools") send DER, so both pass.
 */
export function isProviderTokenSigned(token: ProviderToken, key: KeyObject): boolean {
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false
  const dsaEncoding = token.signature.length === 64 ? 'ieee-p1363' : 'der'
  if (dsaEncoding === 'der' && !mayBeDer(token.signature)) return false
  return verify('sha256', token.signed, { key, dsaEncoding }, token.signature)
}

/** SEQUENCE of two INTEGERs of at most 33 bytes: 8 to 72 bytes, and its length byte counts the rest. */
function mayBeDer(signature: Buffer): boolean {
  return (
    signature.length >= 8 &&
    signature.length <= 72 &&
    signature[0] === 0x30 &&
    signature[1] === signature.length - 2
  )
}

function jsonObjectOf(part: string): Record<string, unknown> | undefined {
  const bytes = base64UrlBytes(part)
  if (bytes === undefined) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    // Not JSON: the caller answers as for every other malformed token.
    return undefined
  }
}

/** Base64url without padding, and only in its canonical spelling (RFC 4648 §3.5): no two texts for one token. */
function base64UrlBytes(part: string): Buffer | undefined {
  if (part.length === 0) return undefined
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

/*
 * How a device proves its key in `connect`.
 *
 *   nonce:      00 | u64 milliseconds since 1970 | 8 random bytes
 *   signature:  tag (2 bytes) | signature of the 17 nonce bytes
 *
 * Tag 01 01, RSASSA-PKCS1-v1_5 with SHA-1, is the form of all known clients. Tag 01 02, ECDSA P-256 with
 * SHA-256 in DER, is our own choice for our own devices; Apple is not known to use it.
 */

import { ByteWriter } from '../bytes/byte-writer.ts'
import { concatBytes } from '../bytes/compare.ts'
import { readU53 } from '../bytes/read.ts'
import { WireError } from '../wire-error.ts'

export const nonceBytes = 17
const nonceType = 0
const nonceRandomBytes = 8

export interface Nonce {
  /** Milliseconds since 1970 by the device's clock. */
  timeMs: number
  /** 8 bytes. */
  random: Uint8Array
}

/** @throws WireError `nonce-invalid` unless `random` has 8 bytes, `value-out-of-range` for an impossible time */
export function encodeNonce(nonce: Nonce): Uint8Array {
  if (nonce.random.length !== nonceRandomBytes) {
    throw new WireError('nonce-invalid', `A nonce needs 8 random bytes, not ${nonce.random.length}`)
  }
  return new ByteWriter(nonceBytes).u8(nonceType).u53(nonce.timeMs).raw(nonce.random).finish()
}

/** @throws WireError `nonce-invalid` for another length, type or an impossible time */
export function decodeNonce(bytes: Uint8Array): Nonce {
  if (bytes.length !== nonceBytes) {
    throw new WireError('nonce-invalid', `A nonce has 17 bytes, not ${bytes.length}`)
  }
  if (bytes[0] !== nonceType)
    throw new WireError('nonce-invalid', `Nonce type ${bytes[0]} is not a courier's 0`)
  const timeMs = readU53(bytes, 1)
  if (timeMs === undefined) throw new WireError('nonce-invalid', 'The time in the nonce is beyond 2^53 ms')
  return { timeMs, random: bytes.subarray(9) }
}

/** How a nonce may be signed: one row per tag. */
export const signatureSchemes = {
  /** RSASSA-PKCS1-v1_5 with SHA-1. */
  'rsa-sha1': { tag: [0x01, 0x01] },
  /** Ours: ECDSA over P-256 with SHA-256, the signature in DER (SEQUENCE of two INTEGERs). */
  'ecdsa-p256-sha256': { tag: [0x01, 0x02] },
} as const

export type SignatureScheme = keyof typeof signatureSchemes

export interface NonceSignature {
  scheme: SignatureScheme
  signature: Uint8Array
}

export function encodeSignature({ scheme, signature }: NonceSignature): Uint8Array {
  return concatBytes(Uint8Array.from(signatureSchemes[scheme].tag), signature)
}

/** @throws WireError `signature-invalid` for an unknown tag or an empty signature */
export function decodeSignature(bytes: Uint8Array): NonceSignature {
  for (const [scheme, { tag }] of Object.entries(signatureSchemes)) {
    if (bytes.length > 2 && bytes[0] === tag[0] && bytes[1] === tag[1]) {
      return { scheme: scheme as SignatureScheme, signature: bytes.subarray(2) }
    }
  }
  throw new WireError('signature-invalid', 'The nonce signature has no known tag, or nothing after it')
}

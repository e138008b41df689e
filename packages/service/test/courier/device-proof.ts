import { constants, type KeyObject, sign } from 'node:crypto'
import { encodeNonce, encodeSignature } from '@carillon/wire'

/** By what a device proves in `connect` that it has its key. */
export interface DeviceProof {
  readonly nonce: Uint8Array
  readonly signature: Uint8Array
}

/** As our devices do it, with a nonce of its own. */
export function proofOf(key: KeyObject, timeMs: number): DeviceProof {
  const nonce = newNonce(timeMs)
  const signature = sign('sha256', nonce, key)
  return { nonce, signature: encodeSignature({ scheme: 'ecdsa-p256-sha256', signature }) }
}

/** As foreign clients do it. */
export function rsaProofOf(key: KeyObject, timeMs: number): DeviceProof {
  const nonce = newNonce(timeMs)
  const signature = sign('sha1', nonce, { key, padding: constants.RSA_PKCS1_PADDING })
  return { nonce, signature: encodeSignature({ scheme: 'rsa-sha1', signature }) }
}

let nonces = 0

function newNonce(timeMs: number): Uint8Array {
  const random = new Uint8Array(8)
  new DataView(random.buffer).setUint32(0, ++nonces)
  return encodeNonce({ timeMs, random })
}

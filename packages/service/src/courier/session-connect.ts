import { constants, verify } from 'node:crypto'
import {
  courierConnectStatus,
  decodeNonce,
  decodeSignature,
  type MessageOf,
  type NonceSignature,
  WireError,
} from '@carillon/wire'
import { limits } from '../limits.ts'
import type { DeviceIdentity, DeviceTrust, DistrustReason } from './device-trust.ts'
import type { NonceMemory } from './nonce-memory.ts'

export type RejectionReason =
  | DistrustReason
  | 'connect incomplete'
  | 'signature wrong'
  | 'signature scheme off'
  | 'nonce time'
  | 'nonce reused'
  | 'base token unknown'

/** A `connect` that was not accepted, and what the device is told. */
export interface Rejection {
  readonly reason: RejectionReason
  readonly status: number
  /** Our clock, for a device whose clock is wrong. */
  readonly nonceTimeMs?: number
}

export interface ConnectRules {
  readonly trust: DeviceTrust
  readonly nonces: NonceMemory
  /** Whether RSA with SHA-1, the only form of foreign clients, is accepted. */
  readonly acceptsRsaSha1: boolean
}

/** Who connects? The steps in order; the cheap ones and those that need no state come first. */
export function authenticate(
  connect: MessageOf<'connect'>,
  rules: ConnectRules,
  nowMs: number,
): DeviceIdentity | Rejection {
  const { certificates, nonce, signature } = connect
  if (certificates === undefined || nonce === undefined || signature === undefined) {
    return rejected('connect incomplete')
  }
  if (certificates.length > limits.connectCertificatesMax) return rejected('connect incomplete')
  const proof = readProof(nonce, signature)
  if (proof === undefined) return rejected('connect incomplete')
  if (proof.scheme === 'rsa-sha1' && !rules.acceptsRsaSha1) return rejected('signature scheme off')

  const identity = rules.trust.identify(certificates, nowMs)
  if (typeof identity === 'string') return rejected(identity)
  if (!isSigned(nonce, proof, identity)) return rejected('signature wrong')

  if (Math.abs(nowMs - proof.timeMs) > limits.nonceAgeMsMax) {
    // Unverified against Apple: the status beside field 7; clients look at the field.
    return { reason: 'nonce time', status: courierConnectStatus.rejected, nonceTimeMs: nowMs }
  }
  if (!rules.nonces.isNew(nonce, nowMs)) return rejected('nonce reused')
  return identity
}

export function rejected(reason: RejectionReason): Rejection {
  return { reason, status: courierConnectStatus.rejected }
}

function readProof(
  nonce: Uint8Array,
  signature: Uint8Array,
): (NonceSignature & { timeMs: number }) | undefined {
  try {
    return { timeMs: decodeNonce(nonce).timeMs, ...decodeSignature(signature) }
  } catch (error) {
    // A nonce or signature of another form is a proof of nothing.
    if (error instanceof WireError) return undefined
    throw error
  }
}

function isSigned(nonce: Uint8Array, proof: NonceSignature, identity: DeviceIdentity): boolean {
  const { publicKey } = identity
  if (proof.scheme === 'rsa-sha1') {
    if (publicKey.asymmetricKeyType !== 'rsa') return false
    return verify('sha1', nonce, { key: publicKey, padding: constants.RSA_PKCS1_PADDING }, proof.signature)
  }
  if (publicKey.asymmetricKeyType !== 'ec') return false
  return verify('sha256', nonce, { key: publicKey, dsaEncoding: 'der' }, proof.signature)
}

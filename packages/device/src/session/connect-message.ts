import {
  courierConnectFlags,
  courierExtensions,
  courierInterface,
  courierPresence,
  encodeNonce,
  encodeSignature,
  type MessageOf,
} from '@carillon/wire'
import type { DeviceIdentity } from './identity.ts'

/** What a session begins with. */
export interface SessionStart {
  /** The courier's time as far as the device knows it. */
  readonly clockMs: number
  /** 8 bytes. */
  readonly random: Uint8Array
  /** How often in a row the device was sent from one courier to another. */
  readonly redirects?: number
  /** The framing that was agreed on; '' for none. */
  readonly alpn?: string
}

/** What this device adds to the protocol; the courier says which of it holds. */
const offeredExtensions =
  courierExtensions.installation |
  courierExtensions.power |
  courierExtensions.reports |
  courierExtensions.resume |
  courierExtensions.closeReason

/** Introduces the device. The signature is a promise where the key signs elsewhere, as in browsers. */
export function connectMessage(
  identity: DeviceIdentity,
  baseToken: Uint8Array | undefined,
  { clockMs, random, redirects = 0 }: SessionStart,
): MessageOf<'connect'> | Promise<MessageOf<'connect'>> {
  // A courier may have told any time at all; what a nonce cannot hold must not stop the device.
  const timeMs = Math.min(Math.max(0, clockMs), Number.MAX_SAFE_INTEGER)
  const nonce = encodeNonce({ timeMs, random })
  const signed = (signature: Uint8Array): MessageOf<'connect'> => ({
    type: 'connect',
    ...(baseToken ? { token: baseToken } : {}),
    state: courierPresence.present,
    flags: courierConnectFlags.base,
    interface: courierInterface.wifi,
    carrier: 'WiFi',
    certificates: identity.certificates,
    nonce,
    signature: encodeSignature({ scheme: 'ecdsa-p256-sha256', signature }),
    protocolVersion: 11,
    ...(redirects > 0 ? { redirectCount: Math.min(redirects, 0xffff) } : {}),
    extensions: offeredExtensions,
  })
  const signature = identity.sign(nonce)
  return signature instanceof Uint8Array ? signed(signature) : signature.then(signed)
}

import {
  courierCapabilities,
  courierConnectedUnexplained,
  courierConnectStatus,
  courierExtensions,
  courierPushTypes,
  courierStorageFlags,
  type MessageOf,
  payloadBytesMax,
} from '@carillon/wire'
import type { Origin } from '../delivery/device-link.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import type { DeviceHooks } from './connected-device.ts'
import type { Rejection } from './session-connect.ts'
import type { KeepAliveBounds } from './session-host.ts'

/** What of our own we add to the protocol for those who ask; some of it is served by parts that may be absent. */
function offeredExtensions({ power, reports }: DeviceHooks): number {
  const { installation, resume, closeReason } = courierExtensions
  return (
    installation |
    resume |
    closeReason |
    (power === undefined ? 0 : courierExtensions.power) |
    (reports === undefined ? 0 : courierExtensions.reports)
  )
}

/** What Apple's courier was seen to announce. */
const largeMessageBytesMax = 15_360

/** The extensions that both ends know; undefined for a device that did not speak of any. */
export function agreedExtensions(connect: MessageOf<'connect'>, hooks: DeviceHooks): number | undefined {
  return connect.extensions === undefined ? undefined : connect.extensions & offeredExtensions(hooks)
}

/** Independent clients fail without one or the other of these fields, so all are always there. */
export function connectedMessage(
  baseToken: Uint8Array,
  serverTimeMs: number,
  extensions: number | undefined,
  keepAlive: KeepAliveBounds | undefined,
): MessageOf<'connected'> {
  const connected: MessageOf<'connected'> = {
    type: 'connected',
    status: courierConnectStatus.ok,
    token: baseToken,
    ...fixedFields,
    serverTimeMs,
    ...keepAlive,
  }
  if (extensions === undefined) return connected
  // A device that speaks of extensions is one of ours: it is told that its filter has arrived.
  return { ...connected, capabilities: courierCapabilities.filterReplies, extensions }
}

/** Where a device is sent instead of being served. */
export function redirectMessage(redirectHost: string, serverTimeMs: number): MessageOf<'connected'> {
  return {
    type: 'connected',
    status: courierConnectStatus.ok,
    redirectHost,
    ...fixedFields,
    serverTimeMs,
  }
}

export function rejectionMessage(rejection: Rejection, serverTimeMs: number): MessageOf<'connected'> {
  const { status, nonceTimeMs } = rejection
  const connected: MessageOf<'connected'> = { type: 'connected', status, ...fixedFields, serverTimeMs }
  return nonceTimeMs === undefined ? connected : { ...connected, nonceTimeMs }
}

const fixedFields = {
  messageBytesMax: payloadBytesMax,
  unexplained: courierConnectedUnexplained,
  // Each capability is a duty of ours; foreign clients expect none.
  capabilities: 0,
  largeMessageBytesMax,
}

const storageFlagsOf: Record<Origin, number> = {
  live: 0,
  storage: courierStorageFlags.fromStorage,
  'last from storage': courierStorageFlags.fromStorage | courierStorageFlags.lastFromStorage,
}

export function notificationMessage(
  message: StoredMessage,
  id: number,
  origin: Origin,
  topicHash: Uint8Array,
  baseToken: Uint8Array,
): MessageOf<'notification'> {
  const notification: MessageOf<'notification'> = {
    type: 'notification',
    token: message.token,
    topicHash,
    payload: message.payload,
    id,
    expirySeconds: Math.min(message.expiration, 0xffff_ffff),
    sentAtNs: BigInt(message.receivedAtMs) * 1_000_000n,
    legacyFlags: 0,
    storageFlags: storageFlagsOf[origin],
    priority: message.priority,
    baseToken,
    // The apns-id, by which the device knows what it has shown already.
    tracingId: message.apnsId,
  }
  const pushType = (courierPushTypes as Readonly<Record<string, number>>)[message.pushType]
  return pushType === undefined ? notification : { ...notification, pushType }
}

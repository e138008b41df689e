import {
  courierConnectedUnexplained,
  courierConnectStatus,
  courierExtensions,
  courierPushTypes,
  courierStorageFlags,
  encodeCourierMessage,
  type MessageOf,
  payloadBytesMax,
} from '@carillon/wire'
import type { Origin } from '../delivery/device-link.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import type { Rejection } from './session-connect.ts'

/** What of our own we add to the protocol for those who ask. */
const offeredExtensions = courierExtensions.installation

/** What Apple's courier was seen to announce. */
const largeMessageBytesMax = 15_360

/** The extensions that both ends know; undefined for a device that did not speak of any. */
export function agreedExtensions(connect: MessageOf<'connect'>): number | undefined {
  return connect.extensions === undefined ? undefined : connect.extensions & offeredExtensions
}

/** Independent clients fail without one or the other of these fields, so all are always there. */
export function connectedFrame(
  baseToken: Uint8Array,
  serverTimeMs: number,
  extensions: number | undefined,
): Uint8Array {
  const connected: MessageOf<'connected'> = {
    type: 'connected',
    status: courierConnectStatus.ok,
    token: baseToken,
    ...fixedFields,
    serverTimeMs,
  }
  return encodeCourierMessage(extensions === undefined ? connected : { ...connected, extensions })
}

export function rejectionFrame(rejection: Rejection, serverTimeMs: number): Uint8Array {
  const { status, nonceTimeMs } = rejection
  const connected: MessageOf<'connected'> = { type: 'connected', status, ...fixedFields, serverTimeMs }
  return encodeCourierMessage(nonceTimeMs === undefined ? connected : { ...connected, nonceTimeMs })
}

const fixedFields = {
  messageBytesMax: payloadBytesMax,
  unexplained: courierConnectedUnexplained,
  // Each capability is a duty of ours; none is taken on yet.
  capabilities: 0,
  largeMessageBytesMax,
}

const storageFlagsOf: Record<Origin, number> = {
  live: 0,
  storage: courierStorageFlags.fromStorage,
  'last from storage': courierStorageFlags.fromStorage | courierStorageFlags.lastFromStorage,
}

export function notificationFrame(
  message: StoredMessage,
  id: number,
  origin: Origin,
  topicHash: Uint8Array,
  baseToken: Uint8Array,
): Uint8Array {
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
  return encodeCourierMessage(pushType === undefined ? notification : { ...notification, pushType })
}

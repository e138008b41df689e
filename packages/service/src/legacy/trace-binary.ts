import {
  apnsIdBytes,
  type BinaryNotification,
  type BinaryStatusName,
  binaryStatuses,
  encodeDeviceToken,
} from '@carillon/wire'
import type { Notification } from '../delivery/delivery.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import type { BinaryGateway } from './binary-gateway.ts'
import type { CertificateClient } from './certificate-client.ts'

/** @param notification undefined where it could not be read */
export function traceRejected(
  { trace, apnsIds, now }: BinaryGateway,
  { facts }: CertificateClient,
  notification: BinaryNotification | undefined,
  status: BinaryStatusName,
): void {
  const push = {
    apnsId: apnsIds.next(),
    token: notification === undefined ? '' : encodeDeviceToken(notification.token),
    topic: facts.bundleId,
    pushType: '',
    priority: notification?.priority ?? 10,
    // The two statuses without a counterpart in the HTTP/2 interface are told by their own name.
    reason: binaryStatuses[status].gatewayReason ?? status,
  }
  trace.rejected(push, now())
}

/** Accepted for a token whose app is gone: it goes nowhere. */
export function traceDiscarded({ trace }: BinaryGateway, notification: Notification): void {
  const { token, payload, priority, pushType, collapseId, expiration, receivedAtMs } = notification
  const message: StoredMessage = {
    // It has no place among the stored ones.
    seq: 0,
    device: token.device,
    app: token.bundleId,
    topic: token.topic,
    token: token.tokenBytes,
    apnsId: apnsIdBytes(notification.apnsId)!,
    ...{ payload, priority, pushType, collapseId, expiration, receivedAtMs },
  }
  trace.received(message, '')
  trace.discarded(message, 'unregistered', false, receivedAtMs)
}

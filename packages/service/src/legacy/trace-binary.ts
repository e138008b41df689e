import {
  apnsIdBytes,
  type BinaryNotification,
  type BinaryStatusName,
  binaryStatuses,
  encodeDeviceToken,
  reasons,
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
    reason: reasonOf(status),
  }
  trace.rejected(push, now())
}

/** The two statuses without a counterpart in the HTTP/2 interface are told by their own name. */
function reasonOf(status: BinaryStatusName): string {
  // All that is refused with it is a priority that may not be: it is no failure of the service.
  if (status === 'processingError') return reasons.BadPriority.text
  return binaryStatuses[status].gatewayReason ?? status
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

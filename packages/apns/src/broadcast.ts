import {
  broadcastPath,
  broadcastPayloadBytesMax,
  header,
  isApnsId,
  type Priority,
  pushTypes,
  reasons,
} from '@carillon/wire'
import { checkBundleId } from './bundle-id.ts'
import { checkChannelId } from './channels.ts'
import { checkSignal } from './check-signal.ts'
import { ArgumentError, kindOf } from './errors.ts'
import { refusedLocally } from './outcome.ts'
import { PendingPush } from './pending-push.ts'
import type { Preparer } from './prepare.ts'
import type { PushRejected } from './result.ts'
import type { AmbiguityPolicy } from './retry-options.ts'
import { expirationSecondsOf } from './unix-seconds.ts'

/** A Live Activity update or end for all devices that listen to a channel. */
export interface Broadcast {
  readonly bundleId: string
  readonly channelId: string
  /** As of a push; at most 5120 bytes. `liveActivity` builds one. */
  readonly payload: object | string | Uint8Array
  /** UNIX seconds or a Date. Default 0, the only value that a channel without storage takes. */
  readonly expiration?: number | Date | undefined
  readonly priority?: Priority | undefined
  /** A UUID; made where it is left out. */
  readonly requestId?: string | undefined
  /** Default `resend`: devices order updates by their timestamp. One of expiration 0 is never sent again. */
  readonly whenAmbiguous?: AmbiguityPolicy | undefined
  readonly signal?: AbortSignal | undefined
}

/** The record of a broadcast, or the rejection that the service would answer with. Throws ArgumentError. */
export const prepareBroadcast = (
  broadcast: Broadcast,
  preparer: Preparer,
  ownId: string,
): PendingPush | PushRejected => {
  if (typeof broadcast !== 'object' || broadcast === null) {
    throw new ArgumentError('broadcast', `give { bundleId, channelId, payload }, not ${kindOf(broadcast)}`)
  }
  const { bundleId, channelId, priority, requestId = ownId } = broadcast
  checkBundleId(bundleId)
  checkChannelId(channelId)
  checkSignal(broadcast.signal)
  if (!isApnsId(requestId)) return refusedLocally(requestId, reasons.BadMessageId, 'requestId is not a UUID')
  const { expiration = 0 } = broadcast
  const seconds = expirationSecondsOf(expiration)
  if (seconds === undefined) {
    return refusedLocally(requestId, reasons.BadExpirationDate, 'expiration is not a time in UNIX seconds')
  }
  if (priority !== undefined && priority !== 10 && priority !== 5 && priority !== 1) {
    return refusedLocally(requestId, reasons.BadPriority, `priority is ${String(priority)}`)
  }
  const body = preparer.encode(broadcast.payload)
  if (body.length === 0) return refusedLocally(requestId, reasons.PayloadEmpty, 'the payload is empty')
  if (body.length > broadcastPayloadBytesMax) {
    const found = `the payload has ${body.length} bytes, a broadcast takes ${broadcastPayloadBytesMax}`
    return refusedLocally(requestId, reasons.PayloadTooLarge, found)
  }
  const type = pushTypes.liveactivity.value
  const headers = [
    header.apnsChannelId,
    channelId,
    header.apnsPushType,
    type,
    header.apnsExpiration,
    String(seconds),
  ]
  if (priority !== undefined) headers.push(header.apnsPriority, String(priority))
  const pending = new PendingPush(
    ...([broadcastPath(bundleId), requestId, bundleId, type, '', String(seconds), ''] as const),
    body,
    broadcast.signal,
  )
  pending.whenAmbiguous = broadcast.whenAmbiguous ?? 'resend'
  pending.call = { method: 'POST', headers, onSuccess() {} }
  return pending
}

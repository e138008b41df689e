import { header, isApnsId, reasons } from '@carillon/wire'
import type { PushResult, PushUnanswered } from '../../result.ts'
import { VError } from './verror.ts'

/** A recipient for whom the service took the notification over. */
export interface ResponseSent {
  device: string
  /** Of the answer. The original has both, too, and its types do not say so. */
  [header.apnsId]?: string
  [header.apnsUniqueId]?: string
}

/** What the service said to a request for channels, or to a broadcast. */
export interface BroadcastResponse {
  bundleId: string
  [header.apnsRequestId]?: string
  [header.apnsChannelId]?: string
  'message-storage-policy'?: number
  'push-type'?: string
  channels?: string[]
}

/** In the types of `setLogger` alone, as in the original. */
export interface LoggerResponse extends Partial<ResponseSent>, Partial<BroadcastResponse> {}

/** A recipient that got nothing: `status` and `response` of the service, or `error` where there is no answer. */
export interface ResponseFailure {
  device: string
  error?: Error
  status?: number
  response?: {
    reason: string
    // A number in truth, of milliseconds; the original's types call it a string.
    timestamp?: string
  }
}

/** The same for channels and broadcasts. */
export interface BroadcastResponseFailure extends Omit<ResponseFailure, 'device'> {
  bundleId: string
}

/** In the types of `setLogger` alone, as in the original. */
export interface LoggerResponseFailure extends Partial<ResponseFailure>, Partial<BroadcastResponseFailure> {}

/** How a call ended for each recipient, in their order. */
export interface Responses<R, F> {
  sent: R[]
  failed: F[]
}

/** What the original has in `sent` for a device. */
export const sentOf = (device: string, result: PushResult & { ok: true }): ResponseSent => {
  const uniqueId = result.apnsUniqueId
  return {
    device,
    ...(uniqueId === undefined ? {} : { [header.apnsUniqueId]: uniqueId }),
    [header.apnsId]: result.apnsId,
  }
}

/**
 * What the original has in `failed`, beside whose it is. `idHeader`: under which name the answer has the id. `newId`:
 * the service answers under an id of its own where the given one is none.
 */
export const failureOf = (
  result: PushResult & { ok: false },
  idHeader: string,
  newId: () => string,
): Omit<ResponseFailure, 'device'> => {
  if (result.outcome !== 'rejected') return { error: new VError(unansweredMessage(result)) }
  const { status, reason, timestamp } = result
  const ids = { [idHeader]: isApnsId(result.apnsId) ? result.apnsId : newId() }
  switch (reason) {
    case reasons.ExpiredProviderToken.text:
      return { ...ids, status, error: new VError(reason) }
    case reasons.InternalServerError.text:
      return { ...ids, status, error: new VError('Error 500, stream ended unexpectedly') }
    default:
      if (reason === `HttpStatus${status}`) {
        return { error: new VError(`Unexpected error processing APNs response: status ${status}`) }
      }
      return { ...ids, status, response: { reason, ...(timestamp === undefined ? {} : at(timestamp)) } }
  }
}

const at = (timestamp: number): { timestamp: string } => ({ timestamp: timestamp as unknown as string })

export const destroyedMessage = 'client is destroyed'

const unansweredMessage = ({ reason, sent, hint }: PushUnanswered): string => {
  if (reason === 'DeadlineExceeded' && sent) return 'apn write timeout'
  return reason === 'ClientClosed' && !sent ? destroyedMessage : `apn write failed: ${hint}`
}

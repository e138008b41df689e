import { allChannelsPath, broadcastPath, channelsPath, header } from '@carillon/wire'
import { isHeaderText } from '../../header-text.ts'
import { PendingPush } from '../../pending-push.ts'
import { type PushClient, submitTo } from '../../push-client.ts'
import type { Notification, NotificationHeaders } from './notification.ts'
import type { BroadcastResponse, BroadcastResponseFailure } from './responses.ts'
import { failureOf } from './responses.ts'
import { VError } from './verror.ts'

/** What `manageChannels` can do. */
export type ChannelAction = 'create' | 'read' | 'readAll' | 'delete'

/** What to ask the service for. */
export interface ServiceCall {
  readonly method: 'POST' | 'GET' | 'DELETE'
  readonly path: (bundleId: string) => string
}

export const channelCalls: Readonly<Record<ChannelAction, ServiceCall>> = {
  create: { method: 'POST', path: channelsPath },
  read: { method: 'GET', path: channelsPath },
  readAll: { method: 'GET', path: allChannelsPath },
  delete: { method: 'DELETE', path: channelsPath },
}

export const broadcastCall: ServiceCall = { method: 'POST', path: broadcastPath }

/** Headers that a request gets from the client, or that are answered by others. */
const ownHeaders: readonly string[] = [header.apnsRequestId]

/** Headers of an answer that the original hands on, in its order. */
const answerHeaders = [
  header.apnsUniqueId,
  header.apnsRequestId,
  header.apnsChannelId,
  header.apnsId,
] as const

/**
 * Sends headers and body of a notification as they are, and resolves with what the original has in `sent`, or in
 * `failed`, which has `status` or `error`. `id`: for a request without one.
 */
export const callService = async (
  client: PushClient,
  { method, path }: ServiceCall,
  bundleId: string,
  notification: Notification,
  id: string,
): Promise<BroadcastResponse | BroadcastResponseFailure> => {
  const headers = notification.headers()
  const body = notification.compile()
  const list = headerList(headers)
  const app = String(bundleId)
  if (list === undefined || !isHeaderText(app)) {
    return {
      bundleId,
      error: new VError('apn write failed: a header has characters that no header can have'),
    }
  }
  const requestId = String(headers[header.apnsRequestId] ?? id)
  const expiration = String(headers[header.apnsExpiration] ?? '')
  const pending = new PendingPush(
    path(app),
    requestId,
    app,
    '',
    '',
    expiration,
    '',
    // The original sends no body where there is nothing to say.
    Buffer.from(body === '{}' ? '' : body),
    undefined,
  )
  // Asking twice is harmless, and so is telling twice what devices order by its timestamp; making twice is not.
  pending.whenAmbiguous = method === 'GET' || path === broadcastPath ? 'resend' : 'report'
  let answer: object = {}
  pending.call = {
    method,
    headers: list,
    onSuccess(said, bytes) {
      answer = { ...pick(said), ...parsed(bytes) }
    },
  }
  const result = await submitTo(client, pending)
  return result.ok
    ? { bundleId, ...answer }
    : { bundleId, ...failureOf(result, header.apnsRequestId, () => id) }
}

const headerList = (headers: NotificationHeaders): string[] | undefined => {
  const list: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    const text = String(value)
    if (!isHeaderText(text)) return undefined
    if (!ownHeaders.includes(name)) list.push(name, text)
  }
  return list
}

const pick = (said: readonly string[]): Record<string, string> => {
  const picked: Record<string, string> = {}
  for (const name of answerHeaders) {
    for (let i = 0; i < said.length; i += 2) if (said[i] === name) picked[name] = said[i + 1]!
  }
  return picked
}

const parsed = (bytes: Uint8Array): object => {
  if (bytes.length === 0) return {}
  try {
    return JSON.parse(Buffer.from(bytes).toString())
  } catch {
    // A success is a success, even where somebody on the way wrote something else under it.
    return {}
  }
}

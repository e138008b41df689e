import type { HeaderList, IndexingPolicies } from '@carillon/http2'
import { header } from '@carillon/wire'
import type { ChannelCall, PendingPush } from './pending-push.ts'

/**
 * The header list of a request. Values that repeat from push to push (token, topic, type, priority, expiration)
 * cost one byte each in the engine's table; path and apns-id are new every time.
 */
export const requestHeaders = (
  push: PendingPush,
  authority: string,
  authorization: string | undefined,
): HeaderList => {
  if (push.call !== undefined) return callHeaders(push, push.call, authority, authorization)
  const list = [
    header.method,
    'POST',
    header.scheme,
    'https',
    header.authority,
    authority,
    header.path,
    push.path,
    header.apnsId,
    push.apnsId,
  ]
  if (authorization !== undefined) list.push(header.authorization, authorization)
  if (push.topic !== '') list.push(header.apnsTopic, push.topic)
  if (push.pushType !== '') list.push(header.apnsPushType, push.pushType)
  if (push.priority !== '') list.push(header.apnsPriority, push.priority)
  if (push.expiration !== '') list.push(header.apnsExpiration, push.expiration)
  if (push.collapseId !== '') list.push(header.apnsCollapseId, push.collapseId)
  return list
}

/** Channel management and broadcasts have the bundle id in the path, and a request id instead of an apns-id. */
const callHeaders = (
  push: PendingPush,
  call: ChannelCall,
  authority: string,
  authorization: string | undefined,
): HeaderList => {
  const list = [header.method, call.method, header.scheme, 'https', header.authority, authority]
  list.push(header.path, push.path, header.apnsRequestId, push.apnsId)
  if (authorization !== undefined) list.push(header.authorization, authorization)
  list.push(...call.headers)
  return list
}

/** Apple: "Sending notification requests to APNs" on HPACK: ids that seldom repeat stay out of the small table. */
export const requestIndexing: IndexingPolicies = {
  [header.apnsId]: 'literal',
  [header.apnsRequestId]: 'literal',
  [header.apnsCollapseId]: 'literal',
}

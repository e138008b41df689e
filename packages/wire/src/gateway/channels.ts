import { base64Text } from '../bytes/text.ts'
import { broadcastPayloadBytesMax, channelIdLengthMax } from '../limits.ts'
import { isApnsId } from '../values/apns-id.ts'
import { parseExpiration } from '../values/expiration.ts'
import { parsePriority } from '../values/priority.ts'
import { parseGatewayPath } from './paths.ts'
import { headerBit, type PushHeaders } from './push-headers.ts'
import type { Reason } from './reason.ts'
import { reasons } from './reasons.ts'

/** `0`: nothing is stored. `1`: the most recent message is kept for subscribers that connect later. */
export type MessageStoragePolicy = 0 | 1

/** What a channel is made with, and what reading it answers. */
export interface ChannelConfig {
  readonly messageStoragePolicy: MessageStoragePolicy
}

/** The random bytes behind a channel id; ids seen on Apple's service have the same size. */
export const channelIdBytes = 16

/** The push type in channel bodies. Headers spell it in other cases too, so it is compared without regard to case. */
export const channelPushType = 'LiveActivity'

const policyKey = 'message-storage-policy'
const pushTypeKey = 'push-type'
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** An operation of channel management, or a broadcast. */
export type ChannelOperation = 'create' | 'read' | 'delete' | 'list' | 'broadcast'

const operations: Readonly<Record<string, ChannelOperation>> = {
  'POST channels': 'create',
  'GET channels': 'read',
  'DELETE channels': 'delete',
  'GET all-channels': 'list',
  'POST broadcast': 'broadcast',
}

/** What a request of the channel API asks for. */
export interface ChannelTarget {
  readonly operation: ChannelOperation
  readonly bundleId: string
}

/**
 * Method and path of channel management and of broadcasts. Apple: "Handling error responses from APNs" gives
 * BadPath for a method that does not go with the path, and MethodNotAllowed for one that is served nowhere.
 */
export function checkChannelTarget(method: string, path: string): ChannelTarget | Reason {
  const parsed = parseGatewayPath(path)
  if (parsed === undefined || parsed.api === 'device') return reasons.BadPath
  const operation = operations[`${method} ${parsed.api}`]
  if (operation !== undefined) return { operation, bundleId: parsed.bundleId }
  return method === 'POST' || method === 'GET' || method === 'DELETE'
    ? reasons.BadPath
    : reasons.MethodNotAllowed
}

/**
 * The request id to echo: `apns-request-id`, or `apns-id`, which one of Apple's own samples sends instead; '' when
 * neither was sent.
 */
export function requestIdOf(headers: PushHeaders): string {
  return headers.has(headerBit.requestId) ? headers.requestId : headers.apnsId
}

/** The headers of channel management. Set `needsChannelId` for reading and deleting. */
export function checkChannelHeaders(headers: PushHeaders, needsChannelId: boolean): Reason | undefined {
  if (headers.hasDuplicate) return reasons.DuplicateHeaders
  const requestId = requestIdOf(headers)
  const hasId = headers.has(headerBit.requestId | headerBit.apnsId)
  if (hasId && !isApnsId(requestId)) return reasons.BadMessageId
  if (!needsChannelId) return undefined
  if (headers.channelId === '') return reasons.MissingChannelId
  return isChannelId(headers.channelId) ? undefined : reasons.BadChannelId
}

/**
 * The headers of a broadcast. Sets `pushType`, `priority` and `expiration`. Whether a channel allows an expiration
 * other than 0 depends on its storage policy: see {@link checkBroadcastExpiration}.
 */
export function checkBroadcastHeaders(headers: PushHeaders): Reason | undefined {
  const reason = checkChannelHeaders(headers, true)
  if (reason !== undefined) return reason
  if (headers.pushTypeText === '') return reasons.MissingPushType
  if (!isChannelPushType(headers.pushTypeText)) return reasons.InvalidPushType
  headers.pushType = 'liveactivity'
  // Observed: a broadcast without apns-expiration is answered with BadExpirationDate.
  headers.expiration = parseExpiration(headers.expirationText)
  if (headers.expiration < 0) return reasons.BadExpirationDate
  if (!headers.has(headerBit.priority)) return undefined
  const priority = parsePriority(headers.priorityText)
  if (priority === undefined) return reasons.BadPriority
  headers.priority = priority
  return undefined
}

/** Apple: "Handling error responses from APNs": a channel that stores nothing takes only expiration 0. */
export function checkBroadcastExpiration(
  expiration: number,
  policy: MessageStoragePolicy,
): Reason | undefined {
  return policy === 0 && expiration !== 0 ? reasons.BadExpirationDate : undefined
}

/**
 * Size and content of a broadcast. Apple: "Starting and updating Live Activities with ActivityKit push
 * notifications": a broadcast updates or ends activities, it cannot start one.
 *
 * @param checksEvent false takes whatever `aps` says, as device pushes do
 */
export function checkBroadcastPayload(body: Uint8Array, checksEvent: boolean): Reason | undefined {
  if (body.length === 0) return reasons.PayloadEmpty
  if (body.length > broadcastPayloadBytesMax) return reasons.PayloadTooLarge
  const payload = parseObject(body)
  if (payload === undefined) return reasons.BadRequestPayload
  if (!checksEvent) return undefined
  // Unverified against Apple: the reason for a payload that neither updates nor ends an activity.
  const event = (payload.aps as { event?: unknown } | null | undefined)?.event
  return event === 'update' || event === 'end' ? undefined : reasons.BadRequestPayload
}

/** Standard base64 of the random bytes, 24 characters for 16 bytes. */
export function encodeChannelId(bytes: Uint8Array): string {
  return base64Text(bytes)
}

/** True for standard base64 (with padding) of at most 128 characters. Whether the channel exists is not asked. */
export function isChannelId(text: string): boolean {
  const length = text.length
  if (length === 0 || length > channelIdLengthMax || length % 4 !== 0) return false
  let end = length
  if (text.charCodeAt(end - 1) === 0x3d) end -= text.charCodeAt(end - 2) === 0x3d ? 2 : 1
  for (let index = 0; index < end; index++) {
    const code = text.charCodeAt(index)
    const isLetter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a
    if (!isLetter && !(code >= 0x2f && code <= 0x39) && code !== 0x2b) return false
  }
  return true
}

/** The body of a create request and of the answer to a read request. */
export function encodeChannelConfig(config: ChannelConfig): Uint8Array {
  return encoder.encode(
    JSON.stringify({ [policyKey]: config.messageStoragePolicy, [pushTypeKey]: channelPushType }),
  )
}

/** Reads the body of a create request, or says why it is refused. */
export function readChannelConfig(body: Uint8Array): ChannelConfig | Reason {
  if (body.length === 0) return reasons.PayloadEmpty
  const value = parseObject(body)
  if (value === undefined) return reasons.BadRequestPayload
  for (const key of Object.keys(value)) {
    if (key !== policyKey && key !== pushTypeKey) return reasons.BadRequestParams
  }
  const policy = value[policyKey]
  const pushType = value[pushTypeKey]
  if (policy !== 0 && policy !== 1) return reasons.BadRequestParams
  if (pushType === undefined) return reasons.MissingPushType
  if (typeof pushType !== 'string' || !isChannelPushType(pushType)) return reasons.InvalidPushType
  return { messageStoragePolicy: policy }
}

/** The body of the answer to a list request. */
export function encodeChannelList(channelIds: readonly string[]): Uint8Array {
  return encoder.encode(JSON.stringify({ channels: channelIds }))
}

/** The channel ids in the answer to a list request; undefined when it is none. */
export function readChannelList(body: Uint8Array): readonly string[] | undefined {
  const channels = parseObject(body)?.channels
  return Array.isArray(channels) && channels.every((id) => typeof id === 'string') ? channels : undefined
}

/** Whether an answer of this file is a rejection. */
export function isReason(value: object): value is Reason {
  return 'status' in value && 'meaning' in value
}

function isChannelPushType(text: string): boolean {
  return text.length === channelPushType.length && text.toLowerCase() === 'liveactivity'
}

function parseObject(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(body))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    // Not UTF-8 or not JSON: the caller names the reason.
    return undefined
  }
}

import {
  checkPayload,
  header,
  isCollapseId,
  type Priority,
  type PushType,
  parseExpiration,
  parsePriority,
  parsePushType,
  pushTypes,
  topicFor,
} from '@carillon/wire'
import { limits } from '../limits.ts'
import { ProviderError } from '../provider-error.ts'
import type { MessageRequest } from './message-request.ts'

/** The parts of a message that follow from the request alone. */
export interface ComposedMessage {
  readonly topic: string
  readonly pushType: PushType
  readonly priority: Priority
  readonly expiration: number
  readonly collapseId: string | undefined
  readonly payload: string
  readonly expiresAt: number
}

/** Makes headers and payload of a request; throws a ProviderError with Apple's reason where the service would. */
export function composeMessage(request: MessageRequest, bundleId: string, now: number): ComposedMessage {
  const payload = composePayload(request)
  const pushType = pushTypeOf(request, payload)
  assertPayload(payload, pushType)
  return {
    topic: request.apns?.headers?.[header.apnsTopic] ?? topicFor(bundleId, pushType),
    pushType,
    priority: priorityOf(request, pushType),
    collapseId: collapseIdOf(request),
    payload: JSON.stringify(payload),
    ...expirationOf(request, now),
  }
}

type JsonObject = Readonly<Record<string, unknown>>

/** The common fields, with what `apns.payload` says laid over them. */
function composePayload(request: MessageRequest): JsonObject {
  const given = request.apns?.payload ?? {}
  const givenAps = asObject(given.aps)
  const { title, subtitle, body, badge, sound } = request.notification ?? {}
  const alert = withoutUndefined({ title, subtitle, body })
  const givenAlert = givenAps.alert
  const mergedAlert = typeof givenAlert === 'string' ? givenAlert : { ...alert, ...asObject(givenAlert) }
  const hasAlert = typeof mergedAlert === 'string' || Object.keys(mergedAlert).length > 0
  const aps = {
    ...withoutUndefined({ badge, sound }),
    ...givenAps,
    ...(hasAlert ? { alert: mergedAlert } : {}),
  }
  const hasAps = Object.keys(aps).length > 0 || given.aps !== undefined || request.notification !== undefined
  return { ...request.data, ...given, ...(hasAps ? { aps } : {}) }
}

function pushTypeOf(request: MessageRequest, payload: JsonObject): PushType {
  const text = request.pushType ?? request.apns?.headers?.[header.apnsPushType]
  if (text === undefined) {
    const aps = asObject(payload.aps)
    const isVisible = aps.alert !== undefined || aps.badge !== undefined || aps.sound !== undefined
    return !isVisible && aps['content-available'] === 1 ? 'background' : 'alert'
  }
  const pushType = parsePushType(text)
  if (pushType !== undefined) return pushType
  throw refused(
    'InvalidPushType',
    `"${text}" is not a push type; use one of ${Object.keys(pushTypes).join(', ')}.`,
  )
}

function priorityOf(request: MessageRequest, pushType: PushType): Priority {
  const allowed: readonly Priority[] = pushTypes[pushType].priorities
  const text = request.priority?.toString() ?? request.apns?.headers?.[header.apnsPriority]
  if (text === undefined) return allowed[0]!
  const priority = parsePriority(text)
  if (priority !== undefined && allowed.includes(priority)) return priority
  throw refused(
    'BadPriority',
    `The priority ${text} is not allowed for ${pushType}; use ${allowed.join(' or ')}.`,
  )
}

function collapseIdOf(request: MessageRequest): string | undefined {
  const collapseId = request.collapseId ?? request.apns?.headers?.[header.apnsCollapseId]
  if (collapseId === undefined || isCollapseId(collapseId)) return collapseId
  throw refused('BadCollapseId', 'The collapse id is empty or longer than 64 bytes; shorten or hash it.')
}

/** Stored by default: a push that is thrown away when the phone is off is what surprises people most. */
function expirationOf(request: MessageRequest, now: number): { expiration: number; expiresAt: number } {
  const text = request.apns?.headers?.[header.apnsExpiration]
  let expiresAt = now + limits.expirationDefaultMs
  if (request.ttlSeconds !== undefined) expiresAt = now + request.ttlSeconds * 1000
  else if (text !== undefined) {
    const seconds = parseExpiration(text)
    if (seconds < 0) {
      throw refused('BadExpirationDate', `The expiration "${text}" is not a UNIX time in seconds.`)
    }
    expiresAt = seconds === 0 ? now : seconds * 1000
    if (seconds !== 0 && expiresAt <= now) {
      throw refused(
        'BadExpirationDate',
        `The expiration ${text} has passed already; it is a UNIX time in seconds.`,
      )
    }
  }
  if (expiresAt <= now) return { expiration: 0, expiresAt: now + limits.immediateMsMax }
  expiresAt = Math.min(expiresAt, now + limits.expirationMsMax)
  return { expiration: Math.ceil(expiresAt / 1000), expiresAt }
}

function assertPayload(payload: JsonObject, pushType: PushType): void {
  const problem = checkPayload(payload, pushType).find(({ severity }) => severity === 'error')
  if (problem === undefined) return
  const bytes = Buffer.byteLength(JSON.stringify(payload))
  const where = problem.path === '' ? '' : `${problem.path}: `
  const sentence = `${where}${problem.message} ${problem.fix}`
  if (bytes > pushTypes[pushType].payloadBytesMax) {
    throw new ProviderError('PAYLOAD_INVALID', sentence, { reason: 'PayloadTooLarge', status: 413 })
  }
  throw new ProviderError('PAYLOAD_INVALID', sentence)
}

function refused(reason: string, sentence: string): ProviderError {
  return new ProviderError('INVALID_REQUEST', sentence, { reason })
}

function asObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

function withoutUndefined(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

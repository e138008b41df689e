import { payloadFlag, scanPayload } from '../payload/scan.ts'
import { isApnsId } from '../values/apns-id.ts'
import { isCollapseId } from '../values/collapse-id.ts'
import { isDeviceToken } from '../values/device-token.ts'
import { parseExpiration } from '../values/expiration.ts'
import { parsePriority } from '../values/priority.ts'
import { parseDevicePath } from './paths.ts'
import { collectHeaders, headerBit, type PushHeaders } from './push-headers.ts'
import { type PushType, parsePushType, pushTypeDefault, pushTypes } from './push-types.ts'
import type { Reason } from './reason.ts'
import { reasons } from './reasons.ts'
import { suffixedPushTypeOf } from './topics.ts'

/**
 * The steps of a device push, in order; the first that fails names the reason. Apple's own order is unknown
 * (Unverified against Apple); this one never tells an unauthenticated client anything about tokens or topics.
 * `authentication`, topic ownership and the state of the token are the gateway's; the rest is in this file.
 */
export const requestCheckOrder = ['target', 'authentication', 'headers', 'topic', 'token', 'payload'] as const

/** The checks within the step `headers`, in order. */
export const headerCheckOrder = [
  'DuplicateHeaders',
  'BadMessageId',
  'BadExpirationDate',
  'BadPriority',
  'BadCollapseId',
  'InvalidPushType',
] as const

/** Switches for behaviour that Apple's documents and its service may disagree on. */
export interface HeaderRules {
  /** Refuse a background push that asks for priority 10 with BadPriority. */
  readonly refusesUrgentBackground: boolean
}

/** Follows Apple's text. */
export const headerRulesDefault: HeaderRules = { refusesUrgentBackground: true }

/**
 * Collects the headers of a device push and checks them, without the steps that need the gateway's knowledge:
 * `target`, then `headers`. A gateway that authenticates in between calls {@link collectHeaders},
 * {@link checkDeviceTarget} and {@link checkPushHeaders} itself.
 */
export function readPushHeaders(
  list: readonly string[],
  into: PushHeaders,
  rules: HeaderRules = headerRulesDefault,
): Reason | undefined {
  collectHeaders(list, into)
  return checkDeviceTarget(into) ?? checkPushHeaders(into, rules)
}

/** Method and path of a device push. Sets `token`, '' if the path holds none. */
export function checkDeviceTarget(headers: PushHeaders): Reason | undefined {
  const token = parseDevicePath(headers.path)
  if (token === undefined) return reasons.BadPath
  if (headers.method !== 'POST') return reasons.MethodNotAllowed
  headers.token = token
  return undefined
}

/** The syntax of the headers of a device push. Sets `pushType`, `priority` and `expiration`. */
export function checkPushHeaders(
  headers: PushHeaders,
  rules: HeaderRules = headerRulesDefault,
): Reason | undefined {
  const seen = headers.seen
  if (headers.hasDuplicate) return reasons.DuplicateHeaders
  if ((seen & headerBit.apnsId) !== 0 && !isApnsId(headers.apnsId)) return reasons.BadMessageId
  if ((seen & headerBit.expiration) !== 0) {
    headers.expiration = parseExpiration(headers.expirationText)
    if (headers.expiration < 0) return reasons.BadExpirationDate
  }
  if ((seen & headerBit.priority) !== 0) {
    const priority = parsePriority(headers.priorityText)
    if (priority === undefined) return reasons.BadPriority
    headers.priority = priority
  }
  if ((seen & headerBit.collapseId) !== 0 && !isCollapseId(headers.collapseId)) return reasons.BadCollapseId
  if ((seen & headerBit.pushType) !== 0) {
    headers.pushType = parsePushType(headers.pushTypeText)
    if (headers.pushType === undefined) return reasons.InvalidPushType
    if (headers.pushType === 'background') {
      if ((seen & headerBit.priority) === 0) headers.priority = 5
      // Apple: "Sending notification requests to APNs" calls 10 an error. Unverified against Apple: the reason.
      else if (headers.priority === 10 && rules.refusesUrgentBackground) return reasons.BadPriority
    }
  }
  return undefined
}

/** The syntax of a device token in a path. */
export function checkDeviceToken(token: string): Reason | undefined {
  if (token === '') return reasons.MissingDeviceToken
  return isDeviceToken(token) ? undefined : reasons.BadDeviceToken
}

/** The most bytes of payload for a push type. Without one the topic's suffix tells it, else it is taken for an alert. */
// Unverified against Apple: that the suffix decides. Senders from before push types send voip pushes without one.
export function payloadBytesMaxOf(pushType: PushType | undefined, topic: string): number {
  return pushTypes[pushType ?? suffixedPushTypeOf(topic) ?? pushTypeDefault].payloadBytesMax
}

/**
 * Size and syntax of a payload. The body must be a JSON object (RFC 8259) in UTF-8; what its keys mean is the
 * device's business, so wrong types inside `aps` pass. Apple: "Generating a remote notification".
 */
export function checkPayloadBytes(body: Uint8Array, bytesMax: number): Reason | undefined {
  if (body.length === 0) return reasons.PayloadEmpty
  if (body.length > bytesMax) return reasons.PayloadTooLarge
  // Unverified against Apple: the reason for a body that is no JSON object is not documented. PayloadEmpty is the
  // only documented reason of device pushes that speaks of an unusable body.
  return scanPayload(body, false) >= payloadFlag.object ? undefined : reasons.PayloadEmpty
}

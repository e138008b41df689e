import {
  type BinaryNotification,
  type BinaryRules,
  type BinaryStatusName,
  binaryPayloadBytesMax,
  binaryPayloadBytesMaxVoip,
  deviceTokenBytes,
  payloadFlag,
  payloadFlagsVisible,
  storedSecondsMax,
  suffixedPushTypeOf,
} from '@carillon/wire'
import type { Notification } from '../delivery/delivery.ts'
import type { TokenRecord } from '../registry/registry.ts'
import type { BinaryOptions } from './binary-options.ts'

/** What the reader of a client with these topics takes. */
export function rulesFor(topics: readonly string[], options: BinaryOptions): BinaryRules {
  const payloadBytesMax = topics.some(isVoip) ? binaryPayloadBytesMaxVoip : binaryPayloadBytesMax
  return {
    tokenBytesMin: deviceTokenBytes,
    tokenBytesMax: deviceTokenBytes,
    payloadBytesMax,
    payloadBytesMaxUnframed: options.unframedPayloadBytesMax === 256 ? 256 : payloadBytesMax,
  }
}

/**
 * The steps that need the token's record, in order; the status of the first that refuses.
 * @param flags what `scanPayload` found
 */
export function checkNotification(
  notification: BinaryNotification,
  flags: number,
  record: TokenRecord | undefined,
  topics: readonly string[],
): BinaryStatusName | undefined {
  // One status for all of it: a token that was never issued, of another app, or of another environment.
  if (record === undefined || !topics.includes(record.topic)) return 'invalidToken'
  const { payload, priority } = notification
  if (payload.length > binaryPayloadBytesMax && !isVoip(record.topic)) return 'invalidPayloadSize'
  // Unverified against Apple: the status for a payload that is no JSON object. The HTTP/2 interface answers
  // PayloadEmpty, which is this one.
  if (flags < payloadFlag.object) return 'missingPayload'
  // Apple, "Binary Provider API": an error with content-available alone. Commands 0 and 1 cannot say a priority, and
  // were used for such payloads. Unverified against Apple: the status.
  return priority === 10 && isSilent(flags) ? 'processingError' : undefined
}

/** A checked notification as delivery takes it. */
export function toNotification(
  { command, payload, expiration, priority }: BinaryNotification,
  flags: number,
  token: TokenRecord,
  options: BinaryOptions,
  apnsId: string,
  nowMs: number,
): Notification {
  const silent = isSilent(flags)
  const stored = Math.floor(nowMs / 1000) + storedSecondsMax
  const isStored = command === 0 || options.missingExpiration === 'stored'
  return {
    apnsId,
    token,
    // The notification is a view of what the socket brought.
    payload: Buffer.from(payload),
    priority: priority ?? (silent ? 5 : 10),
    expiration: expiration ?? (isStored ? stored : 0),
    collapseId: '',
    pushType: suffixedPushTypeOf(token.topic) ?? (silent ? 'background' : ''),
    receivedAtMs: nowMs,
    uniqueId: '',
  }
}

function isVoip(topic: string): boolean {
  return suffixedPushTypeOf(topic) === 'voip'
}

/** Wakes the app and shows nothing. */
function isSilent(flags: number): boolean {
  return (flags & payloadFlag.contentAvailable) !== 0 && (flags & payloadFlagsVisible) === 0
}

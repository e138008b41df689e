import { type Reason, reasons } from '@carillon/wire'
import { dayMs, type TokenRecord } from '../registry/registry.ts'
import type { Gateway } from './gateway.ts'

/**
 * Step "token", once it was looked up. The topic is compared first, so that the state of a token is told only to
 * those who may push to it. A token serves exactly the topic that it was issued for: with Apple, too, calls, live
 * activities, widgets and the others have tokens of their own.
 */
export function checkTokenRecord(
  gateway: Gateway,
  record: TokenRecord | undefined,
  topic: string,
  nowMs: number,
): Reason | undefined {
  if (record === undefined) return reasons.BadDeviceToken
  if (record.topic !== topic) return reasons.DeviceTokenNotForTopic
  if (nowMs >= expiresAtMs(gateway, record)) return reasons.ExpiredToken
  if (record.inactiveSinceMs !== 0 && nowMs >= toldSinceMs(gateway, record)) return reasons.Unregistered
  return gateway.requestRates?.isTooMany(record.tokenBytes, nowMs) === true
    ? reasons.TooManyRequests
    : undefined
}

/** Since when the token is not valid, in milliseconds since the epoch; only the 410 reasons tell it. */
export function invalidSinceMs(
  gateway: Gateway,
  record: TokenRecord | undefined,
  reason: Reason,
): number | undefined {
  if (record === undefined) return undefined
  if (reason === reasons.ExpiredToken) return expiresAtMs(gateway, record)
  return reason === reasons.Unregistered ? record.inactiveSinceMs : undefined
}

/**
 * A token expires that its app has not asked for in a long time, where `tokenLifeDays` says so.
 * Unverified against Apple: when device tokens expire there. Its documents ask apps to register at every launch.
 */
function expiresAtMs({ fidelity }: Gateway, { askedDay }: TokenRecord): number {
  const { tokenLifeDays } = fidelity
  return tokenLifeDays === 0 ? Number.POSITIVE_INFINITY : (askedDay + tokenLifeDays + 1) * dayMs
}

/**
 * From when on an inactive token is answered 410. Apple keeps that time to itself and makes it vague, so that
 * nobody can tell when an app was removed; here it follows from the token's own random bytes.
 */
function toldSinceMs({ fidelity }: Gateway, { tokenBytes, inactiveSinceMs }: TokenRecord): number {
  const { unregisteredDelaySecondsMin: least, unregisteredDelaySecondsMax: most } = fidelity
  if (most === 0) return inactiveSinceMs
  const fraction = (tokenBytes[4]! * 65_536 + tokenBytes[5]! * 256 + tokenBytes[6]!) / 2 ** 24
  return inactiveSinceMs + (least + (most - least) * fraction) * 1000
}

import { type Reason, reasons } from '@carillon/wire'
import type { TokenRecord } from '../registry/registry.ts'

/**
 * Step "token", once it was looked up. The topic is compared first, so that the state of a token is told only to
 * those who may push to it. A token serves exactly the topic that it was issued for: with Apple, too, calls, live
 * activities, widgets and the others have tokens of their own.
 */
export function checkTokenRecord(record: TokenRecord | undefined, topic: string): Reason | undefined {
  if (record === undefined) return reasons.BadDeviceToken
  if (record.topic !== topic) return reasons.DeviceTokenNotForTopic
  return record.inactiveSinceMs === 0 ? undefined : reasons.Unregistered
}

import { topicLengthMax } from '../limits.ts'
import { type PushType, pushTypeDefault, pushTypes, pushTypeTable } from './push-types.ts'
import type { Reason } from './reason.ts'
import { reasons } from './reasons.ts'

/** The push types whose topics carry a suffix. */
const suffixed = pushTypeTable.filter((row) => row.suffix !== '')

/** The topic of a push type for an app: the bundle id and the suffix. For mdm pass the certificate's UID. */
export function topicFor(bundleId: string, pushType: PushType): string {
  return bundleId + pushTypes[pushType].suffix
}

/** The push type whose suffix ends the topic, or undefined for a topic without a known suffix. */
export function suffixedPushTypeOf(topic: string): PushType | undefined {
  for (const row of suffixed) {
    if (topic.length > row.suffix.length && topic.endsWith(row.suffix)) return row.value as PushType
  }
  return undefined
}

/**
 * The bundle id in a topic; undefined when the topic does not end as the push type demands. Without a push type
 * the topic's own suffix decides. For mdm the whole topic comes back.
 */
export function bundleIdOf(topic: string, pushType?: PushType): string | undefined {
  const suffix = pushTypes[pushType ?? suffixedPushTypeOf(topic) ?? pushTypeDefault].suffix
  if (suffix === '') return topic
  return topic.length > suffix.length && topic.endsWith(suffix) ? topic.slice(0, -suffix.length) : undefined
}

/**
 * Whether topic and push type agree; the reason to answer with if not. A request without a push type always
 * agrees (Apple's service took voip pushes without the header).
 */
export function checkTopic(topic: string, pushType: PushType | undefined): Reason | undefined {
  if (topic === '') return reasons.MissingTopic
  if (!isTopicSyntax(topic)) return reasons.BadTopic
  if (pushType === undefined || pushType === 'mdm') return undefined
  const named = suffixedPushTypeOf(topic)
  if (named === undefined) {
    // Observed with voip: the push type wants a suffix, the topic has none. AndrewBarba/apns2#23's reverse case,
    // laravel-notification-channels/apn#88.
    return pushTypes[pushType].suffix === '' ? undefined : reasons.DeviceTokenNotForTopic
  }
  // Observed with alert and background on a voip topic: Pr0Ger/PyAPNs2#87, AndrewBarba/apns2#23.
  return named === pushType ? undefined : reasons.InvalidPushType
}

/** Letters, digits, hyphen, period and underscore: what topics of every kind are made of. */
export function isTopicSyntax(topic: string): boolean {
  const length = topic.length
  if (length === 0 || length > topicLengthMax) return false
  for (let index = 0; index < length; index++) {
    const code = topic.charCodeAt(index)
    const isLetter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a
    if (!isLetter && !(code >= 0x30 && code <= 0x39) && code !== 0x2d && code !== 0x2e && code !== 0x5f)
      return false
  }
  return true
}

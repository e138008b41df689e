import { payloadBytesMax, voipPayloadBytesMax } from '../limits.ts'
import type { Priority } from '../values/priority.ts'

/** One row of the push type table. Apple: "Sending notification requests to APNs", "Know when to use push types". */
export interface PushTypeRow {
  /** The value of `apns-push-type`. */
  readonly value: string
  /** What follows the bundle id in `apns-topic`; '' for none. */
  readonly suffix: string
  /** What the topic is made of: the bundle id and the suffix, or (mdm) the UID of the MDM push certificate. */
  readonly topicBase: 'bundleId' | 'mdmUid'
  readonly payloadBytesMax: number
  /** The priorities that Apple's text allows. The gateway refuses another one only for `background`. */
  readonly priorities: readonly Priority[]
  /** `token`: a provider token is needed, a certificate will not do. */
  readonly authentication: 'any' | 'token'
  /** Where such pushes arrive, in words. */
  readonly platforms: string
  /**
   * The kind beside this topic in a push certificate's topic list (extension 1.2.840.113635.100.6.3.6), as far as
   * kinds are known; undefined where no certificate with one was seen.
   */
  readonly certificateKind: 'app' | 'voip' | 'complication' | undefined
  readonly meaning: string
}

const everyPriority = [10, 5, 1] as const

/** The push types by their value. */
export const pushTypes = {
  alert: {
    value: 'alert',
    suffix: '',
    topicBase: 'bundleId',
    payloadBytesMax,
    priorities: everyPriority,
    authentication: 'any',
    platforms: 'every platform',
    certificateKind: 'app',
    meaning: 'Shows an alert, plays a sound or sets the badge.',
  },
  background: {
    value: 'background',
    suffix: '',
    topicBase: 'bundleId',
    payloadBytesMax,
    // Apple: "Pushing background updates to your App": priority 5; 10 is called an error.
    priorities: [5, 1],
    authentication: 'any',
    platforms: 'every platform',
    certificateKind: 'app',
    meaning: 'Wakes the app in the background; the user sees nothing.',
  },
  voip: {
    value: 'voip',
    suffix: '.voip',
    topicBase: 'bundleId',
    payloadBytesMax: voipPayloadBytesMax,
    priorities: everyPriority,
    authentication: 'any',
    platforms: 'every platform but watchOS',
    certificateKind: 'voip',
    meaning: 'Announces an incoming call.',
  },
  complication: {
    value: 'complication',
    suffix: '.complication',
    topicBase: 'bundleId',
    payloadBytesMax,
    priorities: everyPriority,
    authentication: 'any',
    platforms: 'watchOS, iOS',
    certificateKind: 'complication',
    meaning: 'Updates a watch complication.',
  },
  fileprovider: {
    value: 'fileprovider',
    suffix: '.pushkit.fileprovider',
    topicBase: 'bundleId',
    payloadBytesMax,
    priorities: everyPriority,
    authentication: 'any',
    platforms: 'every platform but watchOS',
    certificateKind: undefined,
    meaning: 'Tells a file provider extension that its files changed.',
  },
  mdm: {
    value: 'mdm',
    suffix: '',
    topicBase: 'mdmUid',
    payloadBytesMax,
    priorities: everyPriority,
    authentication: 'any',
    platforms: 'every platform but watchOS',
    certificateKind: undefined,
    meaning: 'Asks a managed device to contact its MDM server.',
  },
  liveactivity: {
    value: 'liveactivity',
    suffix: '.push-type.liveactivity',
    topicBase: 'bundleId',
    payloadBytesMax,
    priorities: [10, 5],
    authentication: 'any',
    platforms: 'iOS, iPadOS',
    certificateKind: undefined,
    meaning: 'Starts, updates or ends a Live Activity.',
  },
  location: {
    value: 'location',
    suffix: '.location-query',
    topicBase: 'bundleId',
    payloadBytesMax,
    priorities: everyPriority,
    authentication: 'token',
    platforms: 'iOS, iPadOS',
    certificateKind: undefined,
    meaning: 'Asks the app for the location of the user.',
  },
  pushtotalk: {
    value: 'pushtotalk',
    suffix: '.voip-ptt',
    topicBase: 'bundleId',
    payloadBytesMax,
    priorities: everyPriority,
    authentication: 'any',
    platforms: 'iOS, iPadOS',
    certificateKind: undefined,
    meaning: 'Announces a Push to Talk transmission; send it at priority 10 with expiration 0.',
  },
  controls: {
    value: 'controls',
    suffix: '.push-type.controls',
    topicBase: 'bundleId',
    payloadBytesMax,
    priorities: everyPriority,
    authentication: 'any',
    platforms: 'every platform that has controls',
    certificateKind: undefined,
    meaning: 'Reloads a control.',
  },
  widgets: {
    value: 'widgets',
    suffix: '.push-type.widgets',
    topicBase: 'bundleId',
    payloadBytesMax,
    priorities: everyPriority,
    authentication: 'any',
    platforms: 'every platform that has widgets',
    certificateKind: undefined,
    meaning: 'Reloads widgets.',
  },
} as const satisfies Record<string, PushTypeRow>

/** A value of `apns-push-type`. */
export type PushType = keyof typeof pushTypes

/** All rows, in the order of Apple's list. */
export const pushTypeTable: readonly PushTypeRow[] = Object.values(pushTypes)

/** What a device push without the header is taken for when its topic has no suffix. */
export const pushTypeDefault: PushType = 'alert'

/** The push type spelled exactly so, or undefined. Allocates nothing. */
export function parsePushType(text: string): PushType | undefined {
  return Object.hasOwn(pushTypes, text) ? (text as PushType) : undefined
}

/** What goes into `aps`, as programs written for node-apn know it. Keys that are not listed may be set, too. */
export interface Aps {
  alert?: string | ApsAlert
  'launch-image'?: string
  badge?: number
  sound?: string | ApsSound
  'content-available'?: undefined | 1
  'content-changed'?: undefined | true
  'mutable-content'?: undefined | 1
  'url-args'?: string[]
  category?: string
  'thread-id'?: string
  'target-content-id'?: string
  'interruption-level'?: string | ApsNotificationInterruptionLevel
  'relevance-score'?: number
  'filter-criteria'?: string
  'stale-date'?: number
  'content-state'?: object
  timestamp?: number
  event?: string
  'dismissal-date'?: number
  'input-push-channel'?: string
  'input-push-token'?: number
  'attributes-type'?: string
  attributes?: object
}

/** An alert in `aps`. */
export interface ApsAlert {
  body?: string
  'loc-key'?: string
  // biome-ignore lint/suspicious/noExplicitAny: as in the original, so that programs compile unchanged
  'loc-args'?: any[]
  title?: string
  subtitle?: string
  'title-loc-key'?: string
  // biome-ignore lint/suspicious/noExplicitAny: as above
  'title-loc-args'?: any[]
  'subtitle-loc-key'?: string
  // biome-ignore lint/suspicious/noExplicitAny: as above
  'subtitle-loc-args'?: any[]
  action?: string
  'action-loc-key'?: string
  'launch-image'?: string
}

/** What `notification.alert` takes beside a string. */
export interface NotificationAlertOptions {
  title?: string
  subtitle?: string
  body: string
  'title-loc-key'?: string
  'title-loc-args'?: string[]
  'subtitle-loc-key'?: string
  'subtitle-loc-args'?: string[]
  'action-loc-key'?: string
  'loc-key'?: string
  'loc-args'?: string[]
  'launch-image'?: string
}

/** A critical sound. */
export interface ApsSound {
  critical: number
  name: string
  volume: number
}

/** How far a notification may disturb. */
export type ApsNotificationInterruptionLevel = 'passive' | 'active' | 'time-sensitive' | 'critical'

/** Push types that the original's types know. */
export type NotificationPushType =
  | 'background'
  | 'alert'
  | 'voip'
  | 'pushtotalk'
  | 'liveactivity'
  | 'location'
  | 'complication'
  | 'fileprovider'
  | 'mdm'
  | 'widgets'

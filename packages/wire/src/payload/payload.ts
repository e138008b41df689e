/**
 * The types of a payload. Apple: "Generating a remote notification" (aps and alert), "Starting and updating Live
 * Activities with ActivityKit push notifications", "Updating widgets with WidgetKit push notifications",
 * "Updating controls locally and remotely".
 */

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** A payload: `aps` for the system, and keys of the app's own beside it. */
export interface Payload {
  readonly aps?: Aps
  readonly [key: string]: Json | Aps | undefined
}

/** What the payload of an MDM push holds: the PushMagic string and nothing else. */
export interface MdmPayload {
  readonly mdm: string
}

/** The keys that the system reads. */
export interface Aps {
  /** The alert; a string is the body of one without a title. */
  readonly alert?: string | Alert
  /** The number on the app's icon; 0 removes it. */
  readonly badge?: number
  /** The name of a sound file in the app, or `default`; an object for critical alerts. */
  readonly sound?: string | CriticalSound
  /** Groups notifications. */
  readonly 'thread-id'?: string
  /** The id of a category of actions that the app registered. */
  readonly category?: string
  /** 1 wakes the app in the background. */
  readonly 'content-available'?: 0 | 1
  /** 1 runs the notification service extension first. */
  readonly 'mutable-content'?: 0 | 1
  /** The window to bring forward. */
  readonly 'target-content-id'?: string
  readonly 'interruption-level'?: InterruptionLevel
  /** 0 to 1; in Live Activities any number. */
  readonly 'relevance-score'?: number
  /** What a Focus filters by. */
  readonly 'filter-criteria'?: string

  /** UNIX seconds after which a Live Activity is shown as out of date. */
  readonly 'stale-date'?: number
  /** The new state of a Live Activity, decoded by the app's own type. */
  readonly 'content-state'?: { readonly [key: string]: Json }
  /** UNIX seconds; orders the updates of a Live Activity. */
  readonly timestamp?: number
  readonly event?: LiveActivityEvent
  /** UNIX seconds when an ended Live Activity goes away; in the past: at once. */
  readonly 'dismissal-date'?: number
  /** The name of the app's attributes type; starts a Live Activity. */
  readonly 'attributes-type'?: string
  /** The fixed data of a Live Activity that starts. */
  readonly attributes?: { readonly [key: string]: Json }
  /** The base64 id of the channel that a starting Live Activity is updated by. */
  readonly 'input-push-channel'?: string
  /** 1 asks for an update token of a starting Live Activity. */
  readonly 'input-push-token'?: 1

  /** Reloads widgets, or a control. */
  readonly 'content-changed'?: true
  /** Arguments for the page behind a Safari web notification. */
  readonly 'url-args'?: readonly string[]
  /** Keys that the system does not know are ignored by it. */
  readonly [key: string]: Json | Alert | CriticalSound | undefined
}

export type InterruptionLevel = 'passive' | 'active' | 'time-sensitive' | 'critical'

export const interruptionLevels = ['passive', 'active', 'time-sensitive', 'critical'] as const

export type LiveActivityEvent = 'start' | 'update' | 'end'

export const liveActivityEvents = ['start', 'update', 'end'] as const

/** The `alert` object. In Live Activities title and body may be localised objects, and `sound` stands here. */
export interface Alert {
  readonly title?: string | LocalizedText
  readonly subtitle?: string
  readonly body?: string | LocalizedText
  readonly 'launch-image'?: string
  readonly 'title-loc-key'?: string
  readonly 'title-loc-args'?: readonly string[]
  readonly 'subtitle-loc-key'?: string
  readonly 'subtitle-loc-args'?: readonly string[]
  readonly 'loc-key'?: string
  readonly 'loc-args'?: readonly string[]
  /** Live Activities only. */
  readonly sound?: string
  /** Older keys that clients still send; current systems ignore them. */
  readonly action?: string
  readonly 'action-loc-key'?: string
  readonly [key: string]: Json | LocalizedText | undefined
}

/** A text that is looked up in the app's strings, each `%@` filled by one argument. */
export interface LocalizedText {
  readonly 'loc-key': string
  readonly 'loc-args'?: readonly string[]
}

/** The sound of a critical alert. */
export interface CriticalSound {
  readonly critical?: 0 | 1
  readonly name?: string
  /** 0 (silent) to 1 (full). */
  readonly volume?: number
}

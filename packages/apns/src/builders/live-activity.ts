import type { Alert, Json } from '@carillon/wire'
import { secondsOf } from '../unix-seconds.ts'
import { type ApsKeys, type BuilderOptions, type BuiltNotification, build } from './build.ts'
import { checkObject, checkOptions, checkText, isOn, type Text } from './check-options.ts'

/** An object that the app decodes by a type of its own. */
export type ActivityObject = { readonly [key: string]: Json }

/** What people are shown beside the change of the activity. */
export interface ActivityAlert {
  readonly title: Text
  readonly body: Text
  readonly sound?: string
}

interface ActivityOptions extends BuilderOptions<10 | 5> {
  /** When the state was true: UNIX seconds or a Date. The newest wins on the device. */
  readonly timestamp: number | Date
  /** From when on it is shown as out of date. */
  readonly staleDate?: number | Date
  /** Any number; the highest is shown first. */
  readonly relevanceScore?: number
}

/** For `liveActivity.start`. */
export interface ActivityStartOptions extends ActivityOptions {
  readonly contentState: ActivityObject
  /** The name of the app's attributes type. */
  readonly attributesType: string
  readonly attributes: ActivityObject
  readonly alert: ActivityAlert
  /** Listen to this broadcast channel for updates (iOS 18; an older one does not start it). */
  readonly inputPushChannel?: string
  /** Ask for an update token (iOS 18). */
  readonly inputPushToken?: boolean
}

/** For `liveActivity.update`. */
export interface ActivityUpdateOptions extends ActivityOptions {
  readonly contentState: ActivityObject
  readonly alert?: ActivityAlert
}

/** For `liveActivity.end`. */
export interface ActivityEndOptions extends ActivityOptions {
  /** The last state, to be seen until it is dismissed. */
  readonly contentState?: ActivityObject
  readonly alert?: ActivityAlert
  /** When it goes away; in the past: at once. Left out: the system decides, up to four hours. */
  readonly dismissalDate?: number | Date
}

type Built = BuiltNotification<'liveactivity'>

/**
 * Pushes for Live Activities, at priority 10; 5 does not count against the hourly budget. Apple: "Starting and
 * updating Live Activities with ActivityKit push notifications".
 */
export const liveActivity = {
  /** To a push-to-start token. */
  start: (options: ActivityStartOptions): Built =>
    build('liveactivity', options, { aps: startOf(options), priority: 10, whenAmbiguous: 'report' }),
  /** To the update token of the activity. Twice is harmless: the timestamp orders. */
  update: (options: ActivityUpdateOptions): Built =>
    build('liveactivity', options, { aps: updateOf(options), priority: 10, whenAmbiguous: 'resend' }),
  /** To the update token of the activity. */
  end: (options: ActivityEndOptions): Built =>
    build('liveactivity', options, { aps: endOf(options), priority: 10, whenAmbiguous: 'resend' }),
}

const startOf = (options: ActivityStartOptions): ApsKeys => ({
  ...commonOf(options),
  event: 'start',
  'attributes-type': options.attributesType,
  attributes: options.attributes,
  ...(options.inputPushChannel === undefined ? {} : { 'input-push-channel': options.inputPushChannel }),
  ...(isOn('inputPushToken', options.inputPushToken) ? { 'input-push-token': 1 } : {}),
})

/** The `aps` of an update. */
export const updateOf = (options: ActivityUpdateOptions): ApsKeys => ({
  ...commonOf(options),
  event: 'update',
})

/** The `aps` of an end. */
export const endOf = (options: ActivityEndOptions): ApsKeys => ({
  ...commonOf(options),
  event: 'end',
  ...(options.dismissalDate === undefined ? {} : { 'dismissal-date': secondsOf(options.dismissalDate) }),
})

const commonOf = (
  options: ActivityOptions & { contentState?: ActivityObject; alert?: ActivityAlert },
): ApsKeys => {
  checkOptions(options)
  const { timestamp, contentState, alert, staleDate, relevanceScore } = options
  return {
    timestamp: secondsOf(timestamp),
    ...(contentState === undefined ? {} : { 'content-state': contentState }),
    ...(alert === undefined ? {} : { alert: alertOf(alert) }),
    ...(staleDate === undefined ? {} : { 'stale-date': secondsOf(staleDate) }),
    ...(relevanceScore === undefined ? {} : { 'relevance-score': relevanceScore }),
  }
}

const alertOf = (alert: ActivityAlert): Alert => {
  checkObject('alert', alert, '{ title, body }')
  const { title, body, sound } = alert
  return {
    title: textOf('alert.title', title),
    body: textOf('alert.body', body),
    ...(sound === undefined ? {} : { sound }),
  }
}

const textOf = (field: string, text: Text): NonNullable<Alert['title']> => {
  checkText(field, text)
  if (typeof text === 'string') return text
  return { 'loc-key': text.locKey, ...(text.locArgs === undefined ? {} : { 'loc-args': text.locArgs }) }
}

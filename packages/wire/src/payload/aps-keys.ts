import type { PushType } from '../gateway/push-types.ts'
import { interruptionLevels, liveActivityEvents } from './payload.ts'

/** One row for each key that the system reads: what it must hold. */
export interface KeyRow {
  /** What the value must be, to follow "it must be". */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  /** What the key does, in words. */
  readonly meaning: string
  /** The push types for which the key means something; every one if absent. */
  readonly only?: readonly PushType[]
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isNumber = (value: unknown): boolean => typeof value === 'number'
const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isSwitch = (value: unknown): boolean => value === 1 || value === 0
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isSeconds = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value < secondsMax
const isBase64 = (value: unknown): boolean =>
  typeof value === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(value)

/** UNIX seconds beyond this (the year 5138) are milliseconds by mistake. */
const secondsMax = 100_000_000_000

const text = { expected: 'a text', accepts: isText }
const texts = { expected: 'an array of texts', accepts: isTexts }
const seconds = { expected: 'UNIX time in seconds (not milliseconds)', accepts: isSeconds }
const activity = { only: ['liveactivity'] } as const

/** The keys of `aps`. Apple: "Generating a remote notification" and the pages on Live Activities, widgets and controls. */
export const apsKeys: Readonly<Record<string, KeyRow>> = {
  alert: {
    expected: 'a text or an object',
    accepts: (value) => isText(value) || isObject(value),
    meaning: 'What is shown.',
  },
  badge: {
    expected: 'a whole number from 0',
    accepts: (value) => Number.isInteger(value) && (value as number) >= 0,
    meaning: 'The number on the icon of the app; 0 removes it.',
  },
  sound: {
    expected: 'the name of a sound file, or an object with critical, name and volume',
    accepts: (value) => isText(value) || isObject(value),
    meaning: 'The sound to play.',
  },
  'thread-id': { ...text, meaning: 'Groups notifications.' },
  category: { ...text, meaning: 'The category of actions that the app registered.' },
  'content-available': { expected: '1', accepts: isSwitch, meaning: 'Wakes the app in the background.' },
  'mutable-content': {
    expected: '1',
    accepts: isSwitch,
    meaning: 'Runs the notification service extension first.',
  },
  'target-content-id': { ...text, meaning: 'The window to bring forward.' },
  'interruption-level': {
    expected: `one of ${interruptionLevels.join(', ')}`,
    accepts: (value) => interruptionLevels.some((level) => level === value),
    meaning: 'How urgent it is to the user.',
  },
  'relevance-score': {
    expected: 'a number',
    accepts: isNumber,
    meaning: 'Sorts notifications of the app, 0 to 1.',
  },
  'filter-criteria': { ...text, meaning: 'What a Focus filters by.' },
  'stale-date': { ...seconds, ...activity, meaning: 'From when on the activity is shown as out of date.' },
  'content-state': {
    expected: 'an object',
    accepts: isObject,
    ...activity,
    meaning: 'The new state of the activity.',
  },
  timestamp: { ...seconds, ...activity, meaning: 'Orders updates; the newest wins.' },
  event: {
    expected: `one of ${liveActivityEvents.join(', ')}`,
    accepts: (value) => liveActivityEvents.some((event) => event === value),
    ...activity,
    meaning: 'What happens to the activity.',
  },
  'dismissal-date': { ...seconds, ...activity, meaning: 'When an ended activity goes away.' },
  'attributes-type': {
    ...text,
    ...activity,
    meaning: 'The name of the attributes type of an activity that starts.',
  },
  attributes: {
    expected: 'an object',
    accepts: isObject,
    ...activity,
    meaning: 'The fixed data of an activity that starts.',
  },
  'input-push-channel': {
    expected: 'a channel id in base64',
    accepts: isBase64,
    ...activity,
    meaning: 'The channel that updates the activity that starts.',
  },
  'input-push-token': {
    expected: '1',
    accepts: (value) => value === 1,
    ...activity,
    meaning: 'Asks for an update token of the activity that starts.',
  },
  'content-changed': {
    expected: 'true',
    accepts: (value) => value === true,
    only: ['widgets', 'controls'],
    meaning: 'Reloads widgets, or a control.',
  },
  'url-args': { ...texts, meaning: 'Arguments for the page behind a Safari web notification.' },
}

/** The keys of `aps.alert`. */
export const alertKeys: Readonly<Record<string, KeyRow>> = {
  title: {
    expected: 'a text (in Live Activities also an object with loc-key)',
    accepts: (value) => isText(value) || isObject(value),
    meaning: 'The first line.',
  },
  subtitle: { ...text, meaning: 'The second line.' },
  body: {
    expected: 'a text (in Live Activities also an object with loc-key)',
    accepts: (value) => isText(value) || isObject(value),
    meaning: 'The message.',
  },
  'launch-image': {
    ...text,
    meaning: 'The launch image to show when the app is opened by the notification.',
  },
  'title-loc-key': { ...text, meaning: 'The key of the title in the strings of the app.' },
  'title-loc-args': { ...texts, meaning: 'Fills the title.' },
  'subtitle-loc-key': { ...text, meaning: 'The key of the subtitle in the strings of the app.' },
  'subtitle-loc-args': { ...texts, meaning: 'Fills the subtitle.' },
  'loc-key': { ...text, meaning: 'The key of the body in the strings of the app.' },
  'loc-args': { ...texts, meaning: 'Fills the body.' },
  sound: { ...text, ...activity, meaning: 'The sound of a Live Activity alert.' },
  action: { ...text, meaning: 'Older key, ignored by current systems.' },
  'action-loc-key': { ...text, meaning: 'Older key, ignored by current systems.' },
}

/** The keys of a `sound` object. */
export const soundKeys: Readonly<Record<string, KeyRow>> = {
  critical: {
    expected: '1',
    accepts: isSwitch,
    meaning: 'Plays although the device is muted; needs an entitlement.',
  },
  name: { ...text, meaning: 'The sound file, or default.' },
  volume: {
    expected: 'a number from 0 to 1',
    accepts: (value) => typeof value === 'number' && value >= 0 && value <= 1,
    meaning: 'How loud.',
  },
}

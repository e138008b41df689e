import type { Alert, InterruptionLevel } from '@carillon/wire'
import { type ApsKeys, type BuilderOptions, type BuiltNotification, build } from './build.ts'
import { checkObject, checkOptions, checkText, isOn, type Text } from './check-options.ts'

export type { Text }

/** A sound file of the app, `default`, or a critical alert's, which needs an entitlement. */
export type Sound = string | { readonly critical?: boolean; readonly name?: string; readonly volume?: number }

/** For {@link alert}. Apple: "Generating a remote notification". */
export interface AlertOptions extends BuilderOptions {
  readonly title?: Text
  readonly subtitle?: Text
  readonly body?: Text
  /** The launch image to show when the app is opened by the notification. */
  readonly launchImage?: string
  /** The number on the icon; 0 removes it. */
  readonly badge?: number
  readonly sound?: Sound
  /** Groups notifications. */
  readonly threadId?: string
  /** The category of actions that the app registered. */
  readonly category?: string
  /** Also wakes the app in the background. */
  readonly contentAvailable?: boolean
  /** Runs the notification service extension first. */
  readonly mutableContent?: boolean
  /** The window to bring forward. */
  readonly targetContentId?: string
  readonly interruptionLevel?: InterruptionLevel
  /** 0 to 1. */
  readonly relevanceScore?: number
  /** What a Focus filters by. */
  readonly filterCriteria?: string
}

/** A notification that people see or hear, at priority 10. */
export const alert = (options: AlertOptions): BuiltNotification<'alert'> =>
  build('alert', options, { aps: apsOf(options), priority: 10 })

const apsOf = (options: AlertOptions): ApsKeys => {
  checkOptions(options)
  const { badge, sound, threadId, category, targetContentId } = options
  const { interruptionLevel, relevanceScore, filterCriteria } = options
  const text = alertOf(options)
  return {
    ...(text === undefined ? {} : { alert: text }),
    ...(badge === undefined ? {} : { badge }),
    ...(sound === undefined ? {} : { sound: soundOf(sound) }),
    ...(threadId === undefined ? {} : { 'thread-id': threadId }),
    ...(category === undefined ? {} : { category }),
    ...(isOn('contentAvailable', options.contentAvailable) ? { 'content-available': 1 } : {}),
    ...(isOn('mutableContent', options.mutableContent) ? { 'mutable-content': 1 } : {}),
    ...(targetContentId === undefined ? {} : { 'target-content-id': targetContentId }),
    ...(interruptionLevel === undefined ? {} : { 'interruption-level': interruptionLevel }),
    ...(relevanceScore === undefined ? {} : { 'relevance-score': relevanceScore }),
    ...(filterCriteria === undefined ? {} : { 'filter-criteria': filterCriteria }),
  }
}

const alertOf = ({ title, subtitle, body, launchImage }: AlertOptions): Alert | undefined => {
  const alert: Record<string, string | readonly string[]> = {}
  put(alert, title, 'title', 'title-loc-key', 'title-loc-args')
  put(alert, subtitle, 'subtitle', 'subtitle-loc-key', 'subtitle-loc-args')
  put(alert, body, 'body', 'loc-key', 'loc-args')
  if (launchImage !== undefined) alert['launch-image'] = launchImage
  return Object.keys(alert).length === 0 ? undefined : alert
}

const put = (
  alert: Record<string, string | readonly string[]>,
  text: Text | undefined,
  plain: string,
  key: string,
  args: string,
): void => {
  if (text === undefined) return
  checkText(plain, text)
  if (typeof text === 'string') alert[plain] = text
  else {
    alert[key] = text.locKey
    if (text.locArgs !== undefined) alert[args] = text.locArgs
  }
}

const soundOf = (sound: Sound): NonNullable<ApsKeys['sound']> => {
  if (typeof sound === 'string') return sound
  checkObject('sound', sound, 'the name of a sound, or { critical, name, volume }')
  const { critical, ...rest } = sound
  return critical === undefined ? rest : { critical: critical ? 1 : 0, ...rest }
}

import { localizedText } from './localize.ts'
import { type InterruptionLevel, interruptionLevels, type Payload } from './payload.ts'

/**
 * What a device shows for a payload in a given app state. Pure, and tolerant: a value of the wrong type counts as
 * absent, as on a device. Apple: "Generating a remote notification", "Pushing background updates to your App",
 * "UNUserNotificationCenterDelegate".
 */
export function presentationOf(payload: Payload, context: PresentationContext): Presentation {
  const aps = objectOf(payload.aps)
  const strings = context.strings ?? {}
  const alert = objectOf(aps.alert)
  const level = levelOf(aps['interruption-level'])
  const found = {
    title: localizedText(alert, 'title', 'title-loc-key', 'title-loc-args', strings),
    subtitle: localizedText(alert, 'subtitle', 'subtitle-loc-key', 'subtitle-loc-args', strings),
    body: textOf(aps.alert) ?? localizedText(alert, 'body', 'loc-key', 'loc-args', strings),
    badge: badgeOf(aps.badge),
    sound: soundOf(aps.sound ?? alert.sound),
  }
  const shown = shownOf(found, level, context)
  const contentAvailable = isOn(aps['content-available'])
  const isActivity = textOf(aps.event) !== undefined
  const isForeground = context.appState === 'foreground'
  // Apple: "Pushing background updates to your App": an app that the user closed is not started for them.
  const wakesApp = !isActivity && (isForeground || (contentAvailable && context.wasForceQuit !== true))
  return {
    ...shown,
    kind: isActivity ? 'activity' : kindOf(shown, level, isForeground, contentAvailable && wakesApp),
    wakesApp,
    threadId: textOf(aps['thread-id']),
    category: textOf(aps.category),
    interruptionLevel: level,
    relevanceScore: numberOf(aps['relevance-score']),
    contentAvailable,
    mutableContent:
      isOn(aps['mutable-content']) && (shown.title ?? shown.subtitle ?? shown.body) !== undefined,
  }
}

/** Where the app is when a notification arrives. `terminated`: not running, by the system or by the user. */
export type AppState = 'foreground' | 'background' | 'terminated'

/** What the device and the app decide, beside the payload. */
export interface PresentationContext {
  readonly appState: AppState
  /** False when the user switched notifications off. Default true. */
  readonly allowsAlerts?: boolean
  /** What the app in the foreground asks for when it is handed the notification. Default nothing, as on iOS. */
  readonly foreground?: ForegroundChoice
  /** True when the user closed the app by hand: background pushes then do not start it. Default false. */
  readonly wasForceQuit?: boolean
  /** The app's strings, for localisation keys. Without a string the key itself is the format. */
  readonly strings?: { readonly [key: string]: string }
}

/** iOS: UNNotificationPresentationOptions, returned by the app while it is in the foreground. */
export interface ForegroundChoice {
  readonly banner?: boolean
  readonly sound?: boolean
  readonly badge?: boolean
}

/**
 * - `banner`: shown on the screen and kept in the notification list.
 * - `list`: kept in the notification list only (interruption level passive).
 * - `effect`: no text; the badge changes or a sound is played.
 * - `activity`: a Live Activity starts, changes or ends.
 * - `app`: the app in the foreground is handed the notification and shows what it likes.
 * - `silent`: the app is woken and the user notices nothing.
 * - `none`: nothing happens.
 */
export type PresentationKind = 'banner' | 'list' | 'effect' | 'activity' | 'app' | 'silent' | 'none'

/** What the user and the app get from one notification. */
export interface Presentation {
  readonly kind: PresentationKind
  /** Whether the app is woken or handed the payload. */
  readonly wakesApp: boolean
  readonly title: string | undefined
  readonly subtitle: string | undefined
  readonly body: string | undefined
  /** The new number on the icon, 0 removes it; undefined leaves it. */
  readonly badge: number | undefined
  readonly sound: PresentedSound | undefined
  readonly threadId: string | undefined
  readonly category: string | undefined
  readonly interruptionLevel: InterruptionLevel
  readonly relevanceScore: number | undefined
  readonly contentAvailable: boolean
  /** The service extension runs before anything is shown. */
  readonly mutableContent: boolean
}

/** A sound to play. `volume` 0 to 1 is set with critical sounds only. */
export interface PresentedSound {
  readonly name: string
  readonly critical: boolean
  readonly volume: number | undefined
}

/** The part of a presentation that the user notices. */
type Shown = Pick<Presentation, 'title' | 'subtitle' | 'body' | 'badge' | 'sound'>

const nothing: Shown = {
  title: undefined,
  subtitle: undefined,
  body: undefined,
  badge: undefined,
  sound: undefined,
}

/** What of the payload reaches the user, by his settings, the app's choice and the interruption level. */
function shownOf(found: Shown, level: InterruptionLevel, context: PresentationContext): Shown {
  if (context.allowsAlerts === false) return nothing
  const sound = level === 'passive' ? undefined : found.sound
  if (context.appState !== 'foreground') return { ...found, sound }
  const choice = context.foreground ?? {}
  return {
    ...(choice.banner === true ? found : nothing),
    badge: choice.badge === true ? found.badge : undefined,
    sound: choice.sound === true ? sound : undefined,
  }
}

function kindOf(
  shown: Shown,
  level: InterruptionLevel,
  isForeground: boolean,
  isSilentWake: boolean,
): PresentationKind {
  const hasText = (shown.title ?? shown.subtitle ?? shown.body) !== undefined
  if (hasText) return level === 'passive' ? 'list' : 'banner'
  if (shown.badge !== undefined || shown.sound !== undefined) return 'effect'
  if (isForeground) return 'app'
  return isSilentWake ? 'silent' : 'none'
}

function soundOf(value: unknown): PresentedSound | undefined {
  const name = textOf(value)
  if (name !== undefined) return { name, critical: false, volume: undefined }
  const sound = objectOf(value)
  const critical = isOn(sound.critical)
  const soundName = textOf(sound.name)
  if (soundName === undefined && !critical) return undefined
  const volume = numberOf(sound.volume)
  return {
    name: soundName ?? 'default',
    critical,
    volume: critical && volume !== undefined ? Math.min(1, Math.max(0, volume)) : undefined,
  }
}

function badgeOf(value: unknown): number | undefined {
  const badge = numberOf(value)
  return badge === undefined || badge < 0 ? undefined : Math.trunc(badge)
}

function levelOf(value: unknown): InterruptionLevel {
  return interruptionLevels.find((level) => level === value) ?? 'active'
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** A text with something in it. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function isOn(value: unknown): boolean {
  return value === 1 || value === true
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}

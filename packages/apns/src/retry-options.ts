import type { PushType } from '@carillon/wire'
import { ArgumentError, kindOf } from './errors.ts'

/**
 * What to do with a push that was sent and whose answer was lost.
 * - `report`: never twice. It ends as `ambiguous`, and the caller decides.
 * - `resend`: never lost. It is sent again under the same apns-id, and the device may get it twice.
 * - `resendIfCollapsed`: as `resend` where a collapse id makes the second replace the first, else as `report`.
 */
export type AmbiguityPolicy = 'report' | 'resend' | 'resendIfCollapsed'

/**
 * The policy of each push type. What people see or hear is not repeated behind their backs; what only says "there
 * is news, look" is harmless twice. A Live Activity that starts would start twice: its builder says `resend` for
 * updates and ends alone, which are ordered by their timestamp.
 */
export const ambiguityPolicies: Readonly<Record<PushType, AmbiguityPolicy>> = {
  alert: 'resendIfCollapsed',
  background: 'resend',
  voip: 'report',
  complication: 'resend',
  fileprovider: 'resend',
  mdm: 'resend',
  liveactivity: 'report',
  location: 'resend',
  pushtotalk: 'report',
  controls: 'resend',
  widgets: 'resend',
}

/** A wait of `leastMs`, and beyond it a random time up to `firstMs`, which doubles with each attempt up to `mostMs`. */
export interface RetryPace {
  readonly leastMs: number
  readonly firstMs: number
  readonly mostMs: number
}

/**
 * Why a push is sent again later: `server` (5xx), `throttled` (429), `transport` (the answer was lost and the policy
 * is to resend). Pushes that the service certainly did not process are sent again at once; that is not counted here.
 */
export type RetryClass = 'server' | 'throttled' | 'transport'

/** Automatic retries. Their number and time are bounded by `limits.attemptsMax` and `limits.queuedMsMax`. */
export interface RetryOptions {
  /** Paces that differ from the defaults; false: failures of this class are reported at once. */
  readonly server?: Partial<RetryPace> | false
  readonly throttled?: Partial<RetryPace> | false
  readonly transport?: Partial<RetryPace> | false
  /** Policies that differ from {@link ambiguityPolicies}. */
  readonly ambiguous?: Partial<Record<PushType, AmbiguityPolicy>>
}

/** Retry options that were checked. */
export interface ResolvedRetry {
  readonly paces: Readonly<Record<RetryClass, RetryPace>>
  readonly isOn: Readonly<Record<RetryClass, boolean>>
  readonly ambiguous: Readonly<Record<PushType, AmbiguityPolicy>>
}

const minuteMs = 60_000

// Apple: "Handling notification responses from APNs": after a 5xx wait 15 minutes, then longer. So such a push of
// Apple's is reported at once with `retryAfter`, unless the answer itself names a shorter time.
const applePaces: ResolvedRetry['paces'] = {
  server: { leastMs: 15 * minuteMs, firstMs: 15 * minuteMs, mostMs: 60 * minuteMs },
  throttled: { leastMs: 1000, firstMs: 2000, mostMs: minuteMs },
  transport: { leastMs: 0, firstMs: 500, mostMs: minuteMs },
}

/** Another service is back as soon as its disk or process is. */
const ownPaces: ResolvedRetry['paces'] = {
  ...applePaces,
  server: { leastMs: 0, firstMs: 1000, mostMs: minuteMs },
}

const classes = ['server', 'throttled', 'transport'] as const
const policies: readonly AmbiguityPolicy[] = ['report', 'resend', 'resendIfCollapsed']

export const isAmbiguityPolicy = (value: unknown): value is AmbiguityPolicy =>
  policies.some((policy) => policy === value)

/** Fills in the defaults. `isApple`: the service is Apple's, which asks for long pauses after its own errors. */
export const resolveRetry = (given: RetryOptions | false | undefined, isApple: boolean): ResolvedRetry => {
  if (given !== false && given !== undefined && (typeof given !== 'object' || given === null)) {
    throw new ArgumentError('retry', `give false or { server, throttled, transport }, not ${kindOf(given)}`)
  }
  const paces = { ...(isApple ? applePaces : ownPaces) }
  const isOn = { server: given !== false, throttled: given !== false, transport: given !== false }
  const ambiguous = { ...ambiguityPolicies }
  if (!given) return { paces, isOn, ambiguous }
  checkNames('retry', given, [...classes, 'ambiguous'])
  for (const name of classes) {
    const pace = given[name]
    if (pace === false) isOn[name] = false
    else if (pace !== undefined) {
      checkNames(`retry.${name}`, pace, Object.keys(paces[name]))
      paces[name] = checkedPace(name, { ...paces[name], ...pace })
    }
  }
  for (const [type, policy] of Object.entries(given.ambiguous ?? {})) {
    if (!Object.hasOwn(ambiguous, type)) throw new ArgumentError(`retry.ambiguous.${type}`, 'no push type')
    if (!isAmbiguityPolicy(policy)) {
      throw new ArgumentError(`retry.ambiguous.${type}`, `give ${policies.join(', ')}`)
    }
    ambiguous[type as PushType] = policy
  }
  return { paces, isOn, ambiguous }
}

const checkNames = (field: string, given: object, known: readonly string[]): void => {
  const unknown = Object.keys(given).find((name) => !known.includes(name))
  if (unknown !== undefined) throw new ArgumentError(`${field}.${unknown}`, `give ${known.join(', ')}`)
}

const checkedPace = (name: RetryClass, pace: RetryPace): RetryPace => {
  for (const [field, value] of Object.entries(pace)) {
    if (!Number.isInteger(value) || value < 0) {
      throw new ArgumentError(`retry.${name}.${field}`, 'give whole milliseconds, 0 or more')
    }
  }
  return pace
}

import type { ReasonSpelling } from '@carillon/wire'
import { ServiceError } from './service-error.ts'

/**
 * Switches for behaviour on which Apple's documents and its service disagree, that they leave open, or that a
 * test may want otherwise. Plain data; `docs/fidelity.md` has a row for each.
 */
export interface Fidelity {
  /** MAX_CONCURRENT_STREAMS of a connection without certificate until its first valid provider token. */
  readonly streamsBeforeToken: number
  /** After a 4xx other than 410 one stream at a time, until the next success. */
  readonly oneStreamAfterRejection: boolean
  /** After ExpiredProviderToken the connection answers nothing else any more. */
  readonly wedgedAfterExpiredToken: boolean
  /** A token that became inactive is answered 200 for at least so many seconds, and then … */
  readonly unregisteredDelaySecondsMin: number
  /** … at most so many: each token has a time of its own between the two. 0 and 0: 410 at once. */
  readonly unregisteredDelaySecondsMax: number
  /** Which spelling of a reason is sent where the documents and the service differ. */
  readonly reasonSpellings: ReasonSpelling
  /** A certificate of the other environment: 403 for each request, or GOAWAY right after the handshake. */
  readonly wrongEnvironmentCertificate: 'answer' | 'goaway'
  /** A background push with priority 10 is answered BadPriority. */
  readonly refusesUrgentBackground: boolean
  /** GOAWAY after so many answers BadDeviceToken on one connection; 0: never. */
  readonly goawayAfterBadTokens: number
  /** Seconds in `retry-after` of the answers 429 and 503; 0: without the header. */
  readonly retryAfterSeconds: number
  /** A key's provider token may be renewed once in so many minutes, else TooManyProviderTokenUpdates; 0: at any time. */
  readonly tokenUpdateMinutesMin: number
  /** Whether renewals count for each connection alone, or for all that use the key. */
  readonly tokenUpdateScope: 'connection' | 'key'
  /** Requests to one device token in a minute; further ones are answered TooManyRequests. 0: any number. */
  readonly requestsPerTokenPerMinuteMax: number
  /** Days after which a device token expires that its app has not asked for; 0: never. */
  readonly tokenLifeDays: number
  /** Minutes without a frame and without a request; then GOAWAY with IdleTimeout. */
  readonly idleMinutesMax: number
  /** Deleting a channel that does not exist is answered BadPath, as seen, or as every other request for it. */
  readonly unknownChannelDeletion: 'BadPath' | 'ChannelNotRegistered'
  /** A broadcast whose `aps.event` is neither update nor end is answered BadRequestPayload. */
  readonly checksBroadcastEvent: boolean
  /** Seconds that a request may take to arrive whole; then it is answered IdleTimeout. */
  readonly requestSecondsMax: number
}

/** The switches that somebody sets; one that is absent or undefined has its default. */
export type FidelityOptions = { readonly [Name in keyof Fidelity]?: Fidelity[Name] | undefined }

export const fidelityDefaults: Fidelity = {
  streamsBeforeToken: 1,
  oneStreamAfterRejection: false,
  wedgedAfterExpiredToken: false,
  unregisteredDelaySecondsMin: 0,
  unregisteredDelaySecondsMax: 0,
  reasonSpellings: 'observed',
  wrongEnvironmentCertificate: 'answer',
  refusesUrgentBackground: true,
  goawayAfterBadTokens: 0,
  retryAfterSeconds: 0,
  tokenUpdateMinutesMin: 20,
  tokenUpdateScope: 'connection',
  requestsPerTokenPerMinuteMax: 60_000,
  tokenLifeDays: 0,
  idleMinutesMax: 60,
  requestSecondsMax: 60,
  unknownChannelDeletion: 'BadPath',
  checksBroadcastEvent: true,
}

/** What a switch may be set to: true or false, one of some words, or a whole number between two. */
type Allowed =
  | 'boolean'
  | { readonly words: readonly string[] }
  | { readonly from: number; readonly to: number }

const secondsMax = 100 * 365 * 24 * 60 * 60

const allowed: Readonly<Record<keyof Fidelity, Allowed>> = {
  // With 0 nobody could ever show a token.
  streamsBeforeToken: { from: 1, to: 1000 },
  oneStreamAfterRejection: 'boolean',
  wedgedAfterExpiredToken: 'boolean',
  unregisteredDelaySecondsMin: { from: 0, to: secondsMax },
  unregisteredDelaySecondsMax: { from: 0, to: secondsMax },
  reasonSpellings: { words: ['observed', 'documented'] },
  wrongEnvironmentCertificate: { words: ['answer', 'goaway'] },
  refusesUrgentBackground: 'boolean',
  goawayAfterBadTokens: { from: 0, to: 1_000_000 },
  retryAfterSeconds: { from: 0, to: 86_400 },
  tokenUpdateMinutesMin: { from: 0, to: 60 },
  tokenUpdateScope: { words: ['connection', 'key'] },
  requestsPerTokenPerMinuteMax: { from: 0, to: 1_000_000_000 },
  tokenLifeDays: { from: 0, to: 36_500 },
  idleMinutesMax: { from: 1, to: 100_000 },
  requestSecondsMax: { from: 1, to: 86_400 },
  unknownChannelDeletion: { words: ['BadPath', 'ChannelNotRegistered'] },
  checksBroadcastEvent: 'boolean',
}

/**
 * The defaults with what was given in their place.
 * @throws ServiceError OPTION_INVALID that names the switch and what it may be
 */
export function fidelityOf(given: FidelityOptions = {}): Fidelity {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(allowed, name)) {
      throw invalid(`fidelity.${name} is no switch.`, `The switches are ${Object.keys(allowed).join(', ')}.`)
    }
    const wanted = value === undefined ? undefined : misfit(value, allowed[name as keyof Fidelity])
    if (wanted !== undefined) {
      throw invalid(`fidelity.${name} is ${JSON.stringify(value)}.`, `Give ${wanted}.`)
    }
  }
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  const fidelity: Fidelity = { ...fidelityDefaults, ...Object.fromEntries(known) }
  if (fidelity.unregisteredDelaySecondsMin > fidelity.unregisteredDelaySecondsMax) {
    throw invalid(
      'fidelity.unregisteredDelaySecondsMin is above fidelity.unregisteredDelaySecondsMax.',
      'Give both, the first not above the second.',
    )
  }
  return fidelity
}

/** What is wanted instead of the value, undefined where it fits. */
function misfit(value: unknown, rule: Allowed): string | undefined {
  if (rule === 'boolean') return typeof value === 'boolean' ? undefined : 'true or false'
  if ('words' in rule) {
    return rule.words.includes(value as string) ? undefined : `one of ${rule.words.join(', ')}`
  }
  const fits = Number.isInteger(value) && (value as number) >= rule.from && (value as number) <= rule.to
  return fits ? undefined : `a whole number from ${rule.from} to ${rule.to}`
}

function invalid(message: string, fix: string): ServiceError {
  return new ServiceError('OPTION_INVALID', message, fix)
}

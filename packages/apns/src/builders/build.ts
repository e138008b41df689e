import {
  type Aps,
  checkPayload,
  type Json,
  type Priority,
  type PushType,
  pushTypes,
  suffixedPushTypeOf,
  topicFor,
} from '@carillon/wire'
import { checkBundleId } from '../bundle-id.ts'
import { ArgumentError } from '../errors.ts'
import type { Notification } from '../push.ts'
import type { AmbiguityPolicy } from '../retry-options.ts'
import { checkData, checkObject, checkOptions } from './check-options.ts'

/** Every key of `aps` by its exact name, so that a misspelled one is found by the compiler. */
export type ApsKeys = { readonly [K in keyof Aps as string extends K ? never : K]?: Aps[K] }

/** Data of the app, beside `aps`. */
export type AppData = { readonly [key: string]: Json } & { readonly aps?: never }

/** What builders have in common. `P` are the priorities that the push type takes. */
export interface BuilderOptions<P extends Priority = Priority> {
  /** The app, without a suffix: the builder adds that of its push type. */
  readonly bundleId: string
  readonly priority?: P | undefined
  /** UNIX seconds or a Date; 0: one attempt, nothing is stored. */
  readonly expiration?: number | Date | undefined
  /** At most 64 bytes. */
  readonly collapseId?: string | undefined
  readonly whenAmbiguous?: AmbiguityPolicy | undefined
  /** Data of the app, beside `aps`. */
  readonly data?: AppData | undefined
  /** Further keys of `aps`, as they stand on the wire; they win over those that the builder writes. */
  readonly aps?: ApsKeys | undefined
}

/** What a builder adds to its options. */
export interface BuilderDefaults {
  readonly aps: ApsKeys
  readonly priority: Priority
  readonly expiration?: number
  readonly whenAmbiguous?: AmbiguityPolicy
}

/** A notification with its topic, type and priority set. */
export interface BuiltNotification<T extends PushType = PushType> extends Notification {
  readonly topic: string
  readonly pushType: T
  readonly priority: Priority
  readonly payload: object
}

/**
 * Puts a notification together and checks it. Throws ArgumentError that says what is wrong with the payload and how
 * to mend it, with all `problems`.
 */
export const build = <T extends PushType>(
  pushType: T,
  options: BuilderOptions,
  defaults: BuilderDefaults,
): BuiltNotification<T> => {
  checkOptions(options)
  const topic = topicOf(pushType, options.bundleId)
  const payload = payloadOf(defaults.aps, options)
  return finish(pushType, topic, payload, options, defaults)
}

/** The keys of a builder and those of its caller, and the data of the app beside them. */
export const payloadOf = (own: ApsKeys, { aps, data }: Pick<BuilderOptions, 'aps' | 'data'>): object => {
  if (aps !== undefined) checkObject('aps', aps)
  checkData(data)
  return { aps: { ...own, ...aps }, ...data }
}

/** The same with a topic and a payload of another form. */
export const finish = <T extends PushType>(
  pushType: T,
  topic: string,
  payload: object,
  options: Omit<BuilderOptions, 'bundleId' | 'data' | 'aps'>,
  defaults: Omit<BuilderDefaults, 'aps'>,
): BuiltNotification<T> => {
  const priority = options.priority ?? defaults.priority
  const row = pushTypes[pushType]
  if (!(row.priorities as readonly Priority[]).includes(priority)) {
    throw new ArgumentError(
      'priority',
      `push type ${pushType} takes ${row.priorities.join(' or ')}, not ${String(priority)}`,
    )
  }
  refuseBadPayload(payload, pushType)
  const expiration = options.expiration ?? defaults.expiration
  const whenAmbiguous = options.whenAmbiguous ?? defaults.whenAmbiguous
  return {
    topic,
    pushType,
    priority,
    ...(expiration === undefined ? {} : { expiration }),
    ...(options.collapseId === undefined ? {} : { collapseId: options.collapseId }),
    ...(whenAmbiguous === undefined ? {} : { whenAmbiguous }),
    payload,
  }
}

/** The topic of an app for a push type. Throws ArgumentError for what is no bare bundle id. */
export const topicOf = (pushType: PushType, bundleId: unknown): string => {
  checkBundleId(bundleId)
  const { suffix } = pushTypes[pushType]
  if (suffix !== '' && suffixedPushTypeOf(bundleId) === pushType) {
    throw new ArgumentError('bundleId', `leave ${suffix} out; the builder adds it`)
  }
  return topicFor(bundleId, pushType)
}

/** Throws ArgumentError for what the service would refuse or the device not understand. */
export const refuseBadPayload = (payload: object, pushType: PushType, broadcast = false): void => {
  const problems = checkPayload(payload, pushType, { broadcast })
  const errors = problems.filter(({ severity }) => severity === 'error')
  const [first] = errors
  if (first === undefined) return
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more, see \`problems\`)`
  throw new ArgumentError('payload', `${first.message} ${first.fix}${more}`, undefined, problems)
}

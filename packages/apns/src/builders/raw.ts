import {
  checkPayload,
  type PayloadProblem,
  type Priority,
  type PushType,
  parsePushType,
  pushTypes,
} from '@carillon/wire'
import { ArgumentError } from '../errors.ts'
import type { Notification } from '../push.ts'
import { type BuilderOptions, topicOf } from './build.ts'
import { checkOptions } from './check-options.ts'

/** For {@link raw}. */
export interface RawOptions extends Omit<BuilderOptions, 'data' | 'aps'> {
  readonly pushType: PushType
  /** Sent as it is. */
  readonly payload: Notification['payload']
}

/** A notification whose payload is not looked at; the topic's suffix and a priority that the type takes are set. */
export const raw = (options: RawOptions): Notification => {
  checkOptions(options)
  const { bundleId, pushType, payload, ...rest } = options
  if (parsePushType(pushType) === undefined) {
    throw new ArgumentError('pushType', `give one of ${Object.keys(pushTypes).join(', ')}`)
  }
  const [urgent] = pushTypes[pushType].priorities as readonly Priority[]
  const priority = rest.priority ?? urgent
  return { ...rest, priority, topic: topicOf(pushType, bundleId), pushType, payload }
}

/**
 * Everything that is wrong or unusual about the payload of a notification, with the fix; an empty list where nothing
 * is. Builders throw for errors; warnings are found here alone.
 */
export const explainPayload = ({
  payload,
  pushType = 'alert',
}: Pick<Notification, 'payload' | 'pushType'>): PayloadProblem[] => checkPayload(payload, pushType)

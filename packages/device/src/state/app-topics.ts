import { isHex, topicHash } from '@carillon/wire'

/** A further topic of an app: its bundle id and the suffix of a push type. It has a token of its own. */
export interface SuffixedTopic {
  /** As in the push type table: `.voip`. */
  readonly suffix: string
  /** Lower-case hex; absent until the courier issued it. */
  readonly deviceToken?: string
}

interface WithTopics {
  readonly bundleId: string
  readonly deviceToken?: string
  readonly suffixed?: readonly SuffixedTopic[]
}

/** Every topic that an app takes; its own, without a suffix, first. */
export function topicsOf(app: WithTopics): SuffixedTopic[] {
  const own = app.deviceToken === undefined ? { suffix: '' } : { suffix: '', deviceToken: app.deviceToken }
  return [own, ...(app.suffixed ?? [])]
}

/** The hashes by which the courier is told of them. */
export function topicHashesOf(app: WithTopics): Uint8Array[] {
  return topicsOf(app).map(({ suffix }) => topicHash(app.bundleId + suffix))
}

/** The change that gives one of an app's topics its token; without one the topic is there, and has none yet. */
export function withTopic(
  app: WithTopics,
  suffix: string,
  deviceToken: string | undefined,
): Pick<WithTopics, 'deviceToken' | 'suffixed'> {
  if (suffix === '') return deviceToken === undefined ? {} : { deviceToken }
  const others = (app.suffixed ?? []).filter((topic) => topic.suffix !== suffix)
  return { suffixed: [...others, deviceToken === undefined ? { suffix } : { suffix, deviceToken }] }
}

/** Whether what was read from a file is a list of them, or was left out. */
export function areSuffixedTopics(value: unknown): boolean {
  return (
    value === undefined ||
    (Array.isArray(value) &&
      value.every(
        (topic) =>
          typeof topic === 'object' &&
          topic !== null &&
          typeof topic.suffix === 'string' &&
          topic.suffix !== '' &&
          (topic.deviceToken === undefined || isHex(topic.deviceToken)),
      ))
  )
}

import type { Priority } from '../values/priority.ts'
import { header } from './headers.ts'
import type { PushType } from './push-types.ts'

/** One bit for each header that a request may carry once only; `PushHeaders.seen` is their sum. */
export const headerBit = {
  method: 1 << 0,
  path: 1 << 1,
  authority: 1 << 2,
  authorization: 1 << 3,
  apnsId: 1 << 4,
  pushType: 1 << 5,
  topic: 1 << 6,
  priority: 1 << 7,
  expiration: 1 << 8,
  collapseId: 1 << 9,
  channelId: 1 << 10,
  requestId: 1 << 11,
  contentLength: 1 << 12,
} as const

/**
 * The headers of one request of the provider API. A gateway connection keeps one and fills it anew for each
 * request, so reading headers allocates nothing; copy what must outlive the request. A text is '' when the header
 * is absent; `has` tells absent from empty.
 */
export class PushHeaders {
  method = ''
  path = ''
  /** `:authority`, or `host` from clients that send only that. RFC 9113 §8.3.1 */
  authority = ''
  authorization = ''
  apnsId = ''
  pushTypeText = ''
  topic = ''
  priorityText = ''
  expirationText = ''
  collapseId = ''
  channelId = ''
  requestId = ''
  contentLengthText = ''
  /** The bits of {@link headerBit} for what was sent. */
  seen = 0
  /** True when one of these headers was sent twice. Other headers may repeat (RFC 9110 §5.2). */
  hasDuplicate = false

  /** The device token of the path as written by the client, once the path was checked. */
  token = ''
  /** Filled by the header check; undefined when the header is absent. */
  pushType: PushType | undefined = undefined
  /** Filled by the header check: what was sent, else 10; a background push without the header has 5. */
  priority: Priority = 10
  /** Filled by the header check: UNIX seconds; -1 when the header is absent (stored as long as allowed). */
  expiration = -1

  /** The list that the record was filled from, empty where a header was sent twice; and the topic in it. */
  #list: readonly string[] = []
  #topic = ''

  /**
   * Fills the record from a list that differs from the last one in `:path` and `apns-id` only, as the lists of one
   * client mostly do; they are told apart by comparing pointers, for the most part. False where more differs.
   */
  takesOver(list: readonly string[]): boolean {
    const last = this.#list
    if (list.length !== last.length || last.length === 0) return false
    for (let index = 0; index < list.length; index++) {
      const text = list[index]!
      if (text === last[index]) continue
      const name = (index & 1) === 1 ? list[index - 1] : ''
      if (name === header.path) this.path = text
      else if (name === header.apnsId) this.apnsId = text
      else return false
    }
    this.#list = list
    this.topic = this.#topic
    this.#forgetFindings()
    return true
  }

  /** To be called when the record was filled from a list. */
  filledFrom(list: readonly string[]): void {
    this.#list = this.hasDuplicate ? [] : list
    this.#topic = this.topic
  }

  /** Makes the record as new. */
  reset(): void {
    this.method = ''
    this.path = ''
    this.authority = ''
    this.authorization = ''
    this.apnsId = ''
    this.pushTypeText = ''
    this.topic = ''
    this.priorityText = ''
    this.expirationText = ''
    this.collapseId = ''
    this.channelId = ''
    this.requestId = ''
    this.contentLengthText = ''
    this.seen = 0
    this.hasDuplicate = false
    this.#list = []
    this.#forgetFindings()
  }

  /** What the checks have filled in. */
  #forgetFindings(): void {
    this.token = ''
    this.pushType = undefined
    this.priority = 10
    this.expiration = -1
  }

  /** True when the header of this bit was sent, with whatever value. */
  has(bit: number): boolean {
    return (this.seen & bit) !== 0
  }
}

/**
 * Fills the record from a flat list of lower-case names and values, `[name, value, name, value, …]`, without
 * judging them. The first of two values wins; headers that the provider API does not know are skipped. The record
 * remembers the list, to compare the next one with it: never change one afterwards.
 */
export function collectHeaders(list: readonly string[], into: PushHeaders): void {
  if (into.takesOver(list)) return
  into.reset()
  for (let index = 0; index + 1 < list.length; index += 2) {
    const name = list[index]!
    // The length picks at most three candidates, so a name costs one or two comparisons.
    switch (name.length) {
      case 5:
        if (name === header.path && isFirst(into, headerBit.path)) into.path = list[index + 1]!
        break
      case 4:
        // `:authority` wins over `host` in whichever order they come; both may be present.
        if (name === header.host && into.authority === '') into.authority = list[index + 1]!
        break
      case 7:
        if (name === header.method) {
          if (isFirst(into, headerBit.method)) into.method = list[index + 1]!
        } else if (name === header.apnsId && isFirst(into, headerBit.apnsId)) into.apnsId = list[index + 1]!
        break
      case 10:
        if (name === header.apnsTopic) {
          if (isFirst(into, headerBit.topic)) into.topic = list[index + 1]!
        } else if (name === header.authority && isFirst(into, headerBit.authority))
          into.authority = list[index + 1]!
        break
      case 13:
        if (name === header.authorization) {
          if (isFirst(into, headerBit.authorization)) into.authorization = list[index + 1]!
        } else if (name === header.apnsPriority && isFirst(into, headerBit.priority)) {
          into.priorityText = list[index + 1]!
        }
        break
      case 14:
        if (name === header.apnsPushType) {
          if (isFirst(into, headerBit.pushType)) into.pushTypeText = list[index + 1]!
        } else if (name === header.contentLength && isFirst(into, headerBit.contentLength)) {
          into.contentLengthText = list[index + 1]!
        }
        break
      case 15:
        if (name === header.apnsExpiration) {
          if (isFirst(into, headerBit.expiration)) into.expirationText = list[index + 1]!
        } else if (name === header.apnsChannelId) {
          if (isFirst(into, headerBit.channelId)) into.channelId = list[index + 1]!
        } else if (name === header.apnsRequestId && isFirst(into, headerBit.requestId)) {
          into.requestId = list[index + 1]!
        }
        break
      case 16:
        if (name === header.apnsCollapseId && isFirst(into, headerBit.collapseId))
          into.collapseId = list[index + 1]!
        break
    }
  }
  into.filledFrom(list)
}

function isFirst(into: PushHeaders, bit: number): boolean {
  if ((into.seen & bit) !== 0) {
    into.hasDuplicate = true
    return false
  }
  into.seen |= bit
  return true
}

import {
  checkDeviceToken,
  collapseIdBytesMax,
  devicePath,
  expirationSecondsMax,
  isApnsId,
  isCollapseId,
  normalDeviceToken,
  type PushType,
  parsePushType,
  payloadBytesMaxOf,
  type Reason,
  reasons,
} from '@carillon/wire'
import type { ApnsIdSource } from './apns-id-source.ts'
import { checkSignal } from './check-signal.ts'
import { ArgumentError, kindOf } from './errors.ts'
import { isHeaderText } from './header-text.ts'
import { refusedLocally } from './outcome.ts'
import { checkPayloadType, jsonText } from './payload-text.ts'
import { PendingPush } from './pending-push.ts'
import type { Notification, Push } from './push.ts'
import type { PushRejected } from './result.ts'
import { isAmbiguityPolicy } from './retry-options.ts'
import { expirationSecondsOf } from './unix-seconds.ts'

/**
 * Turns what a caller gave into a record that can be sent, or into the rejection that the service would answer
 * with: a value that cannot succeed costs no request, and does not count as an error on the connection.
 * Throws ArgumentError for values of the wrong type, which are mistakes in the program.
 */
export class Preparer {
  readonly #ids: ApnsIdSource
  readonly #needsTopic: boolean
  /** The payload string encoded last: campaigns send one string to everybody. Strings never change, objects may. */
  #text = ''
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(ids: ApnsIdSource, needsTopic: boolean) {
    this.#ids = ids
    this.#needsTopic = needsTopic
  }

  /** `deviceToken` where it is not the push's own: one notification then serves many. */
  prepare(
    push: Notification & Partial<Push>,
    deviceToken: string | undefined = push?.deviceToken,
  ): PendingPush | PushRejected {
    if (typeof push !== 'object' || push === null) {
      throw new ArgumentError('push', `give { deviceToken, topic, payload }, not ${kindOf(push)}`)
    }
    if (typeof deviceToken !== 'string') {
      throw new ArgumentError('deviceToken', `give the token as a hex string, not ${kindOf(deviceToken)}`)
    }
    checkTypes(push)
    const { pushType, collapseId = '' } = push
    const apnsId = push.apnsId ?? this.#ids.next()
    if (push.apnsId !== undefined && !isApnsId(apnsId)) {
      return refusedLocally(apnsId, reasons.BadMessageId, 'apnsId is not a UUID')
    }
    const badToken = checkDeviceToken(deviceToken)
    if (badToken !== undefined) {
      return refusedLocally(
        apnsId,
        badToken,
        deviceToken === '' ? 'deviceToken is empty' : 'deviceToken is not hex',
      )
    }
    const topic = push.topic ?? ''
    if (topic === '' ? this.#needsTopic : !isHeaderText(topic)) {
      return topic === ''
        ? refusedLocally(apnsId, reasons.MissingTopic, 'topic is missing')
        : refusedLocally(apnsId, reasons.BadTopic, 'topic has characters that no bundle id has')
    }
    if (pushType !== undefined && parsePushType(pushType) === undefined) {
      return refusedLocally(apnsId, reasons.InvalidPushType, `${JSON.stringify(pushType)} is no push type`)
    }
    const priority = priorityText(push)
    if (priority === undefined) return refusedPriority(apnsId, push)
    const expiration = expirationText(push)
    if (expiration === undefined) return refusedExpiration(apnsId, push)
    if (!isCollapseId(collapseId)) {
      return refusedLocally(
        apnsId,
        reasons.BadCollapseId,
        `collapseId has more than ${collapseIdBytesMax} bytes`,
      )
    }
    const collapse = headerBytes(collapseId)
    if (collapse === undefined) {
      return refusedLocally(
        apnsId,
        reasons.BadCollapseId,
        'collapseId has control characters or outer spaces',
      )
    }
    const body = this.#bodyOf(push.payload)
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    const tooBig = checkSize(bytes, pushType, topic)
    if (tooBig !== undefined) return refusedSize(apnsId, tooBig, bytes, payloadBytesMaxOf(pushType, topic))
    const path = devicePath(normalDeviceToken(deviceToken))
    const pending = new PendingPush(
      path,
      apnsId,
      topic,
      pushType ?? '',
      priority,
      expiration,
      collapse,
      body,
      push.signal,
    )
    if (push.registeredAt !== undefined) pending.registeredAt = timeOf('registeredAt', push.registeredAt)
    if (push.whenAmbiguous !== undefined) pending.whenAmbiguous = push.whenAmbiguous
    return pending
  }

  /** The bytes of a payload, as they are sent. Throws ArgumentError for a value that JSON cannot hold. */
  encode(payload: Push['payload']): Uint8Array {
    const body = this.#bodyOf(payload)
    return typeof body === 'string' ? Buffer.from(body) : body
  }

  /** What an object becomes is sent once as a rule: it stays text until it is written where it goes. */
  #bodyOf(payload: Push['payload']): Uint8Array | string {
    if (typeof payload === 'string') {
      if (payload !== this.#text) {
        this.#bytes = Buffer.from(payload)
        this.#text = payload
      }
      return this.#bytes
    }
    if (payload instanceof Uint8Array) return payload
    return jsonText(payload)
  }
}

const checkTypes = (push: Notification & Partial<Push>): void => {
  const { topic, pushType, collapseId, apnsId, payload, signal, whenAmbiguous } = push
  if (topic !== undefined && typeof topic !== 'string') throw mistyped('topic', topic)
  if (pushType !== undefined && typeof pushType !== 'string') throw mistyped('pushType', pushType)
  if (collapseId !== undefined && typeof collapseId !== 'string') throw mistyped('collapseId', collapseId)
  if (apnsId !== undefined && typeof apnsId !== 'string') throw mistyped('apnsId', apnsId)
  checkPayloadType(payload)
  checkSignal(signal)
  if (whenAmbiguous !== undefined && !isAmbiguityPolicy(whenAmbiguous)) {
    throw new ArgumentError('whenAmbiguous', "give 'report', 'resend' or 'resendIfCollapsed'")
  }
}

/** Milliseconds since 1970. */
const timeOf = (field: string, value: unknown): number => {
  const time = value instanceof Date ? value.getTime() : value
  if (typeof time === 'number' && Number.isFinite(time)) return time
  throw new ArgumentError(field, 'give a Date, or milliseconds since 1970')
}

const mistyped = (field: string, value: unknown): ArgumentError =>
  new ArgumentError(field, `give a string, not ${kindOf(value)}`)

/** '' for none, undefined for a bad one. */
const priorityText = ({ priority, pushType }: Notification): string | undefined => {
  if (priority === undefined) return ''
  // Apple: "Pushing background updates to your App": a background push at priority 10 is an error.
  if (priority === 10) return pushType === 'background' ? undefined : '10'
  if (priority === 5) return '5'
  return priority === 1 ? '1' : undefined
}

const refusedPriority = (apnsId: string, { priority, pushType }: Notification): PushRejected =>
  refusedLocally(
    apnsId,
    reasons.BadPriority,
    `priority is ${String(priority)}${pushType === 'background' ? ' with push type background' : ''}`,
  )

const expirationText = ({ expiration }: Notification): string | undefined => {
  if (expiration === undefined) return ''
  return expirationSecondsOf(expiration)?.toString()
}

const refusedExpiration = (apnsId: string, { expiration }: Notification): PushRejected => {
  const isMilliseconds = typeof expiration === 'number' && expiration > expirationSecondsMax
  return refusedLocally(
    apnsId,
    reasons.BadExpirationDate,
    `expiration is ${String(expiration)}${isMilliseconds ? ', which looks like milliseconds' : ''}`,
  )
}

const checkSize = (bytes: number, pushType: PushType | undefined, topic: string): Reason | undefined => {
  if (bytes === 0) return reasons.PayloadEmpty
  return bytes > payloadBytesMaxOf(pushType, topic) ? reasons.PayloadTooLarge : undefined
}

const refusedSize = (apnsId: string, reason: Reason, bytes: number, bytesMax: number): PushRejected =>
  refusedLocally(
    apnsId,
    reason,
    bytes === 0 ? 'the payload is empty' : `the payload has ${bytes} bytes, ${bytesMax} are allowed`,
  )

/** The text as the engine takes it, one character for each byte of UTF-8; undefined if no header can hold it. */
const headerBytes = (text: string): string | undefined => {
  // RFC 9113 §8.2.1: a field value neither starts nor ends with a space.
  if (text.startsWith(' ') || text.endsWith(' ')) return undefined
  let isAscii = true
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) return undefined
    if (code > 0x7f) isAscii = false
  }
  return isAscii ? text : Buffer.from(text).toString('latin1')
}

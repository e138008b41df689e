import { bundleIdOf, isBundleId, type PushType, topicFor } from '@carillon/wire'
import { ArgumentError } from './errors.ts'
import type { Notification } from './push.ts'

/** The key under which `xcrun simctl push` finds the app that a file is for. */
const targetKey = 'Simulator Target Bundle'

/** What a Simulator `.apns` file holds. */
export interface SimulatorFile {
  /** Undefined where the file leaves it to the command line. */
  readonly bundleId: string | undefined
  /** With topic and push type, as far as the file tells them. */
  readonly notification: Notification & { readonly payload: object }
}

/**
 * The text of a `.apns` file, to drag onto a Simulator or to give to `xcrun simctl push`: the payload in JSON with the
 * target bundle in it. `bundleId` where it does not follow from the topic.
 */
export const encodeSimulatorFile = (notification: Notification, bundleId?: string): string => {
  const { payload, topic, pushType } = notification
  const target = bundleId ?? (topic === undefined ? undefined : bundleIdOf(topic, pushType))
  const content = typeof payload === 'object' && !(payload instanceof Uint8Array) ? payload : parse(payload)
  const file = target === undefined ? content : { [targetKey]: target, ...content }
  return `${JSON.stringify(file, null, 2)}\n`
}

/** Reads such a file. Throws ArgumentError for a text that is no JSON object, or names no bundle id as its target. */
export const decodeSimulatorFile = (text: string | Uint8Array): SimulatorFile => {
  const { [targetKey]: target, ...payload } = parse(text) as Record<string, unknown>
  if (target !== undefined && (typeof target !== 'string' || !isBundleId(target))) {
    throw new ArgumentError('file', `${JSON.stringify(targetKey)} is no bundle id`)
  }
  const pushType = pushTypeOf(payload)
  const priority = pushType === 'background' || pushType === 'widgets' ? 5 : 10
  const topic = target === undefined ? {} : { topic: topicFor(target, pushType) }
  return { bundleId: target, notification: { ...topic, pushType, priority, payload } }
}

const parse = (text: string | Uint8Array): object => {
  let value: unknown
  try {
    value = JSON.parse(typeof text === 'string' ? text : Buffer.from(text).toString())
  } catch (cause) {
    throw new ArgumentError('file', 'not JSON', cause)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new ArgumentError('file', 'not a JSON object')
}

/** The push type that a payload was probably written for. A file does not say it. */
const pushTypeOf = (payload: Readonly<Record<string, unknown>>): PushType => {
  if (typeof payload.mdm === 'string') return 'mdm'
  const aps = (payload.aps ?? {}) as Readonly<Record<string, unknown>>
  if (aps.event !== undefined) return 'liveactivity'
  if (aps['content-changed'] !== undefined) return 'widgets'
  const isVisible = aps.alert !== undefined || aps.badge !== undefined || aps.sound !== undefined
  return aps['content-available'] === 1 && !isVisible ? 'background' : 'alert'
}

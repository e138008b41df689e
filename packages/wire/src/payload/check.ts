import { type PushType, pushTypes } from '../gateway/push-types.ts'
import { broadcastPayloadBytesMax, payloadDepthMax } from '../limits.ts'
import { utf8Length } from '../values/utf8.ts'
import { checkAps } from './check-aps.ts'
import { checkPushTypeRules } from './check-push-type.ts'
import type { Payload } from './payload.ts'
import { describe, type PayloadProblem } from './problem.ts'
import { scanPayload } from './scan.ts'
import { payloadFault } from './scan-text.ts'

/** How the payload travels, where that changes what is allowed. */
export interface CheckPayloadOptions {
  /** True for a broadcast to a channel: 5120 bytes, and an activity cannot be started. */
  readonly broadcast?: boolean
}

/**
 * Explains what is wrong with a payload; an empty list when nothing is. Takes the body as bytes or text, or the
 * value before it becomes JSON. Never throws. For developers, consoles and tests: the gateway itself uses
 * {@link scanPayload} and leaves the meaning to the device. Apple: "Generating a remote notification".
 */
export function checkPayload(
  payload: Uint8Array | string | Payload | object,
  pushType: PushType,
  options: CheckPayloadOptions = {},
): PayloadProblem[] {
  const problems: PayloadProblem[] = []
  const read = readPayload(payload, problems)
  if (read === undefined) return problems
  const bytesMax = options.broadcast === true ? broadcastPayloadBytesMax : pushTypes[pushType].payloadBytesMax
  if (read.bytes > bytesMax) {
    problems.push({
      path: '',
      severity: 'error',
      message: `The payload has ${read.bytes} bytes; ${options.broadcast === true ? 'a broadcast' : pushType} takes at most ${bytesMax}.`,
      fix: 'Shorten it, or send an id and let the app fetch the rest.',
    })
  }
  const root = read.value
  checkRoot(root, pushType, problems)
  const aps = root.aps
  if (aps === undefined) return problems
  if (typeof aps !== 'object' || aps === null || Array.isArray(aps)) {
    problems.push({
      path: 'aps',
      severity: 'error',
      message: `aps is ${describe(aps)}; it must be an object.`,
      fix: 'Write "aps": { … }.',
    })
    return problems
  }
  const keys = aps as Readonly<Record<string, unknown>>
  checkAps(keys, pushType, problems)
  checkPushTypeRules(keys, pushType, options.broadcast === true, problems)
  return problems
}

interface ReadPayload {
  readonly value: Readonly<Record<string, unknown>>
  readonly bytes: number
}

function readPayload(
  payload: Uint8Array | string | object,
  problems: PayloadProblem[],
): ReadPayload | undefined {
  if (payload instanceof Uint8Array) return readBytes(payload, problems)
  if (typeof payload === 'string') return readBytes(new TextEncoder().encode(payload), problems)
  let text: string | undefined
  try {
    text = JSON.stringify(payload)
  } catch (error) {
    problems.push({
      path: '',
      severity: 'error',
      message: `The payload cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`,
      fix: 'Use objects, arrays, strings, numbers, booleans and null only.',
    })
    return undefined
  }
  // Checked as the device will read it: without undefined values, dates as text, and so on.
  const value: unknown = text === undefined ? undefined : JSON.parse(text)
  if (isObject(value)) return { value, bytes: utf8Length(text!) }
  problems.push(notObject(value))
  return undefined
}

function readBytes(bytes: Uint8Array, problems: PayloadProblem[]): ReadPayload | undefined {
  const fault = scanPayload(bytes)
  if (fault >= 0) return { value: JSON.parse(new TextDecoder().decode(bytes)), bytes: bytes.length }
  problems.push(faultProblem(fault, bytes))
  return undefined
}

function faultProblem(fault: number, bytes: Uint8Array): PayloadProblem {
  const problem = { path: '', severity: 'error' } as const
  if (fault === payloadFault.empty) {
    return {
      ...problem,
      message: 'The payload is empty.',
      fix: 'Send a JSON object such as {"aps":{"alert":"Hello"}}.',
    }
  }
  if (fault === payloadFault.notUtf8) {
    return { ...problem, message: 'The payload is not valid UTF-8.', fix: 'Encode the JSON text as UTF-8.' }
  }
  if (fault === payloadFault.tooDeep) {
    const message = `The payload nests more than ${payloadDepthMax} objects and arrays inside each other.`
    return { ...problem, message, fix: 'Flatten it.' }
  }
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  if (text.startsWith('\ufeff')) {
    return { ...problem, message: 'The payload starts with a byte order mark.', fix: 'Write it without one.' }
  }
  let detail = ''
  try {
    const value: unknown = JSON.parse(text)
    return notObject(value)
  } catch (error) {
    // The engine's own sentence names the character and the position, which helps people most.
    detail = error instanceof Error ? error.message : String(error)
  }
  return {
    ...problem,
    message: `The payload is not JSON: ${detail}`,
    fix: 'Correct the JSON text at that place.',
  }
}

function notObject(value: unknown): PayloadProblem {
  const message = `The payload is ${describe(value)}; it must be a JSON object.`
  return { path: '', severity: 'error', message, fix: 'Put it into an object: {"aps":{…}}.' }
}

/** Keys of `aps` that are easily written beside it instead of into it. */
const apsOnly = ['alert', 'badge', 'sound', 'content-available', 'mutable-content', 'interruption-level']

function checkRoot(
  root: Readonly<Record<string, unknown>>,
  pushType: PushType,
  problems: PayloadProblem[],
): void {
  if (pushType === 'mdm') {
    if (typeof root.mdm !== 'string' || root.mdm === '') {
      const message = 'An mdm payload needs the PushMagic text of the device under mdm.'
      problems.push({ path: 'mdm', severity: 'error', message, fix: 'Send {"mdm":"<PushMagic>"}.' })
    }
    return
  }
  if (root.aps === undefined) {
    const message = 'There is no aps object, so the system has nothing to show or to do.'
    const severity =
      pushType === 'alert' || pushType === 'background' || pushType === 'liveactivity' ? 'error' : 'warning'
    problems.push({ path: 'aps', severity, message, fix: 'Put what the system shall do into "aps": { … }.' })
  }
  for (const key of apsOnly) {
    if (root[key] === undefined) continue
    const message = `${key} stands beside aps, where the system takes it for data of the app.`
    problems.push({ path: key, severity: 'warning', message, fix: `Move it into aps: aps.${key}.` })
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

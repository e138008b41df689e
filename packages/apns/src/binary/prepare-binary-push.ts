import {
  type BinaryStatusName,
  binaryPayloadBytesMaxVoip,
  binaryStatuses,
  decodeDeviceToken,
  storedSecondsMax,
} from '@carillon/wire'
import { ArgumentError, kindOf } from '../errors.ts'
import { jsonText } from '../payload-text.ts'
import { expirationSecondsOf } from '../unix-seconds.ts'
import type { BinaryPush, BinaryPushRejected } from './binary-push.ts'

/** What of a push is written, or the rejection that it would get: one bad notification costs a connection. */
export type PreparedBinaryPush = {
  readonly token: Uint8Array
  readonly payload: Uint8Array
  readonly expiration: number | undefined
  readonly priority: number | undefined
}

/** @throws ArgumentError for values of the wrong type, and what the command cannot carry */
export function prepareBinaryPush(
  push: BinaryPush,
  command: 0 | 1 | 2,
  nowMs: number,
): PreparedBinaryPush | BinaryPushRejected {
  if (typeof push !== 'object' || push === null) {
    throw new ArgumentError('push', `give { deviceToken, payload }, not ${kindOf(push)}`)
  }
  const { deviceToken, priority } = push
  if (typeof deviceToken !== 'string') {
    throw new ArgumentError('deviceToken', `give the token as a hex string, not ${kindOf(deviceToken)}`)
  }
  if (priority !== undefined && command !== 2) {
    throw new ArgumentError('priority', `command ${command} cannot carry it: use command 2`)
  }
  if (push.expiration !== undefined && command === 0) {
    throw new ArgumentError('expiration', 'command 0 cannot carry it: use command 1 or 2')
  }
  const expiration = command === 0 ? undefined : secondsOf(push.expiration, nowMs)
  const payload = bytesOf(push.payload)
  const token = decodeDeviceToken(deviceToken)
  if (token === undefined) return refused('invalidTokenSize', 'deviceToken is not hex of 1 to 100 bytes')
  if (payload.length === 0) return refused('missingPayload', 'payload is empty')
  if (payload.length > binaryPayloadBytesMaxVoip) {
    return refused('invalidPayloadSize', `payload has ${payload.length} bytes`)
  }
  if (priority !== undefined && priority !== 10 && priority !== 5) {
    return refused('processingError', 'priority is neither 10 nor 5')
  }
  return { token, payload, expiration, priority }
}

function refused(reason: BinaryStatusName, hint: string): BinaryPushRejected {
  return { ok: false, outcome: 'rejected', status: binaryStatuses[reason].code, reason, hint }
}

function secondsOf(expiration: number | Date | undefined, nowMs: number): number {
  if (expiration === undefined) return Math.floor(nowMs / 1000) + storedSecondsMax
  const seconds = expirationSecondsOf(expiration)
  if (seconds !== undefined) return seconds
  throw new ArgumentError('expiration', 'give whole seconds since 1970, or a Date')
}

function bytesOf(payload: BinaryPush['payload']): Uint8Array {
  if (typeof payload === 'string') return Buffer.from(payload)
  return payload instanceof Uint8Array ? payload : Buffer.from(jsonText(payload))
}

import type { MessageFromDevice } from '@carillon/wire'
import { limits } from '../limits.ts'

/** Why a connection is closed by us. */
export type CloseReason =
  | 'malformed'
  | 'too many bytes before connect'
  | 'no connect in time'
  | 'rejected'
  | 'certificate revoked'
  | 'silent'
  | 'replaced'
  | 'store failed'
  | 'registry failed'
  | 'too many token requests'
  | 'too many requests'
  | 'does not read'
  | 'shutdown'

/** The watch that a session keeps on its peer: bytes and time before the device is known, silence after. */
export class SessionWatch {
  readonly #openedAtMs: number
  #heardAtMs: number
  #bytesBefore = 0
  #silentMs = limits.silentMsMax
  #isKnown = false
  #minuteSinceMs = 0
  /** Since then. */
  #requests = 0

  constructor(nowMs: number) {
    this.#openedAtMs = nowMs
    this.#heardAtMs = nowMs
  }

  /** Something arrived. @returns why to close, if so */
  heard(bytes: number, nowMs: number): CloseReason | undefined {
    this.#heardAtMs = nowMs
    if (this.#isKnown) return undefined
    this.#bytesBefore += bytes
    return this.#bytesBefore > limits.preAuthBytesMax ? 'too many bytes before connect' : undefined
  }

  /** The device has proven who it is. */
  known(): void {
    this.#isKnown = true
  }

  /** A message of a known device. @returns why to close, if so */
  said(type: MessageFromDevice['type'], nowMs: number): CloseReason | undefined {
    // One for each notification; what is not waited for costs nothing.
    if (type === 'ack' || type === 'transportAck' || type === 'tracingAck') return undefined
    if (Math.abs(nowMs - this.#minuteSinceMs) >= 60_000) {
      this.#minuteSinceMs = nowMs
      this.#requests = 0
    }
    return ++this.#requests > limits.requestsPerMinuteMax ? 'too many requests' : undefined
  }

  /** The device has named the minutes after which it will be heard again. */
  interval(minutes: number): void {
    // Half as long again for a late radio; Apple's daemon closes itself 35 s after its interval.
    const silentMs = minutes * 90_000
    this.#silentMs = Math.min(limits.silentMsMax, Math.max(limits.silentMsMin, silentMs))
  }

  /** @returns why to close, if so */
  tick(nowMs: number): CloseReason | undefined {
    if (!this.#isKnown) {
      return nowMs - this.#openedAtMs > limits.preAuthMsMax ? 'no connect in time' : undefined
    }
    return nowMs - this.#heardAtMs > this.#silentMs ? 'silent' : undefined
  }
}

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
  | 'does not acknowledge'
  | 'registry failed'
  | 'too many token requests'
  | 'too many requests'
  | 'does not read'
  | 'drained'
  | 'shutdown'

/** The watch that a session keeps on its peer: bytes and time before the device is known, silence after. */
export class SessionWatch {
  readonly #openedAtMs: number
  #heardAtMs: number
  #bytesBefore = 0
  #silentMs = limits.silentMsMax
  #isKnown = false
  /** Whether the device answers when the courier asks for a keep-alive. */
  #answers = false
  /** When it was asked; 0 since it was heard. */
  #askedAtMs = 0
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
    this.#askedAtMs = 0
    if (this.#isKnown) return undefined
    this.#bytesBefore += bytes
    return this.#bytesBefore > limits.preAuthBytesMax ? 'too many bytes before connect' : undefined
  }

  /** The device has proven who it is. @param answers whether it knows `keepAliveRequest` */
  known(answers: boolean): void {
    this.#isKnown = true
    this.#answers = answers
  }

  /** The device is one that has its keep-alives timed by the courier. */
  answersRequests(): void {
    this.#answers = true
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

  /** @returns why to close, `ask` to send a `keepAliveRequest`, or in how many milliseconds to look again */
  tick(nowMs: number): CloseReason | 'ask' | number {
    if (!this.#isKnown) {
      const leftMs = this.#openedAtMs + limits.preAuthMsMax - nowMs
      return leftMs < 0 ? 'no connect in time' : leftMs + 1
    }
    const leftMs = this.#heardAtMs + this.#silentMs - nowMs
    if (leftMs >= 0) return leftMs + 1
    if (!this.#answers) return 'silent'
    if (this.#askedAtMs === 0) {
      this.#askedAtMs = nowMs
      return 'ask'
    }
    const answerMs = this.#askedAtMs + limits.keepAliveAnswerMsMax - nowMs
    return answerMs < 0 ? 'silent' : answerMs + 1
  }
}

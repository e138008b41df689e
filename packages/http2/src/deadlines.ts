import { ConnectionError, ErrorCode } from './errors.ts'
import type { Limits } from './limits.ts'
import type { Pings } from './pings.ts'
import type { SentSettings } from './sent-settings.ts'

/** What the deadlines of a connection depend on at a tick. */
export interface DeadlineFacts {
  readonly peerSettingsSeen: boolean
  readonly sentSettings: SentSettings
  /** A frame or header block has begun and is not whole. */
  readonly unfinished: boolean
  /** Frames received so far. */
  readonly frames: number
  readonly pings: Pings
  readonly openStreams: number
}

const timeout = (code: ErrorCode, message: string): ConnectionError =>
  new ConnectionError(code, message, 'timeout')

/** The times of one connection, in milliseconds of the caller's clock, and what they must not exceed. */
export class Deadlines {
  lastFrameAt = -1
  readonly #limits: Limits
  #startedAt = -1
  /** -1 where it was said before the beginning. */
  #goingSince: number | undefined
  #unfinishedSince = -1
  #framesSeen = -1
  #stalledSince = -1
  #progress = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** The first call that tells the time is the beginning. */
  start(now: number): void {
    if (this.#startedAt >= 0) return
    this.#startedAt = now
    this.lastFrameAt = now
  }

  /** From now on open streams have only so long to finish. */
  going(now: number): void {
    this.#goingSince ??= now
  }

  /** Throws a ConnectionError of kind `timeout` for what took too long. */
  check(now: number, facts: DeadlineFacts): void {
    const limits = this.#limits
    if (!facts.peerSettingsSeen && now - this.#startedAt > limits.prefaceMsMax) {
      throw timeout(ErrorCode.PROTOCOL_ERROR, 'no preface and SETTINGS in time')
    }
    if (this.#isOver(now, facts.sentSettings.waitingSince, limits.settingsAckMsMax)) {
      throw timeout(ErrorCode.SETTINGS_TIMEOUT, 'our SETTINGS were not acknowledged in time')
    }
    this.#checkUnfinished(now, facts)
    if (this.#isOver(now, facts.pings.waitingSince, limits.pingAckMsMax)) {
      throw timeout(ErrorCode.NO_ERROR, 'a PING was not answered in time')
    }
    if (facts.openStreams === 0 && now - this.lastFrameAt > limits.idleMsMax) {
      throw timeout(ErrorCode.NO_ERROR, 'idle')
    }
    if (this.#isOver(now, this.#goingSince, limits.drainMsMax)) {
      throw timeout(ErrorCode.NO_ERROR, 'open streams did not finish in time')
    }
  }

  /** How long output that waits has made no progress: undefined where none waits or some moved. */
  stalledMs(now: number, waits: boolean, progress: number): number | undefined {
    if (!waits) {
      this.#stalledSince = -1
      return undefined
    }
    if (this.#stalledSince >= 0 && progress === this.#progress) return now - this.#stalledSince
    this.#stalledSince = now
    this.#progress = progress
    return undefined
  }

  /** What was done before the first time was told counts from there. */
  #isOver(now: number, since: number | undefined, most: number): boolean {
    return since !== undefined && now - Math.max(since, this.#startedAt) > most
  }

  #checkUnfinished(now: number, facts: DeadlineFacts): void {
    if (!facts.unfinished || facts.frames !== this.#framesSeen) {
      this.#unfinishedSince = now
      this.#framesSeen = facts.frames
    } else if (now - this.#unfinishedSince > this.#limits.unfinishedFrameMsMax) {
      throw timeout(ErrorCode.ENHANCE_YOUR_CALM, 'a frame or header block was not finished in time')
    }
  }
}

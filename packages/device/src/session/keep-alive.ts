import type { MessageOf } from '@carillon/wire'
import { limits } from '../limits.ts'

/**
 * When to make sure that the courier is still there. By itself the device asks after a silence. Where the courier
 * names an interval, the device asks for a reply after that time: then the courier's clock does the waiting, and a reply
 * that does not come means that the connection is dead.
 */
export class KeepAlive {
  /** The interval that the courier named, if it did. */
  #seconds: number | undefined
  #heardMs: number
  /** When the question was sent that is not answered yet. */
  #askedMs: number | undefined
  #lastAskedMs = 0

  constructor(nowMs: number) {
    this.#heardMs = nowMs
  }

  heard(nowMs: number): void {
    this.#heardMs = nowMs
    this.#askedMs = undefined
  }

  /** @param seconds as the courier says it; undefined where it does not */
  connected(seconds: number | undefined, nowMs: number): void {
    this.heard(nowMs)
    this.#seconds = seconds === undefined || seconds === 0 ? undefined : seconds
  }

  /**
   * A reply has come.
   *
   * @returns whether it was the delayed one, so that the next question is due
   */
  replied(nowMs: number): boolean {
    if (this.#seconds === undefined) return false
    const isDelayed = nowMs - this.#lastAskedMs >= this.#seconds * 500
    // A courier that names an interval and does not wait for it: asked after silences, like any other.
    if (!isDelayed) this.#seconds = undefined
    return isDelayed
  }

  /**
   * The question, as it is sent now.
   *
   * @param isAwaited whether a missing answer means that the courier is gone; a foreign one may leave some unanswered
   */
  ask(nowMs: number, isAwaited: boolean): MessageOf<'keepAlive'> {
    if (isAwaited) this.#askedMs = nowMs
    this.#lastAskedMs = nowMs
    const seconds = this.#seconds
    if (seconds === undefined)
      return { type: 'keepAlive', intervalMinutes: Math.ceil(limits.keepAliveMs / 60_000) }
    return { type: 'keepAlive', intervalMinutes: Math.ceil(seconds / 60), replyAfter: seconds }
  }

  /** A clock that was set back must not put the dead-lines off. */
  tick(nowMs: number): 'ask' | 'dead' | undefined {
    this.#heardMs = Math.min(this.#heardMs, nowMs)
    if (this.#askedMs !== undefined) {
      this.#askedMs = Math.min(this.#askedMs, nowMs)
      return nowMs - this.#askedMs > limits.keepAliveReplyMsMax ? 'dead' : undefined
    }
    const silentMs = nowMs - this.#heardMs
    if (this.#seconds === undefined) return silentMs > limits.keepAliveMs ? 'ask' : undefined
    return silentMs > this.#seconds * 1000 + limits.keepAliveLateMsMax ? 'dead' : undefined
  }
}

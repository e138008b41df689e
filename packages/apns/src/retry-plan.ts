import type { PushType, Reason } from '@carillon/wire'
import type { Limits } from './limits.ts'
import type { PendingPush } from './pending-push.ts'
import { randomFraction } from './random-fraction.ts'
import type { ResolvedRetry, RetryClass } from './retry-options.ts'

/** The class in which a rejection is retried; undefined where somebody has to mend something first. */
export const retryClassOf = (reason: Reason): RetryClass | undefined => {
  switch (reason.retry) {
    case 'withDelay':
      return 'throttled'
    case 'backoff':
      return 'server'
    case 'newConnection':
    case 'renewToken':
      return 'transport'
    case 'never':
    case 'afterFix':
      return undefined
  }
}

/** Decides whether and when a push that failed is sent again by itself. */
export class RetryPlan {
  readonly #retry: ResolvedRetry
  readonly #limits: Limits
  readonly #random: (bytes: number) => Uint8Array

  constructor(retry: ResolvedRetry, limits: Limits, random: (bytes: number) => Uint8Array) {
    this.#retry = retry
    this.#limits = limits
    this.#random = random
  }

  /**
   * Milliseconds until the next attempt; -1 where there is none: switched off, tried often enough, or it would come
   * after the push's own expiration or after `queuedMsMax`. A push of expiration 0 is for now or never.
   *
   * @param saidMs what the service said by retry-after
   * @param now steady time, as `queuedAt`
   * @param wall the time of day, as the expiration
   */
  delayMs(
    push: PendingPush,
    kind: RetryClass,
    saidMs: number | undefined,
    now: number,
    wall: number,
  ): number {
    if (
      !this.#retry.isOn[kind] ||
      push.answeredAttempts >= this.#limits.attemptsMax ||
      push.expiration === '0'
    )
      return -1
    const { leastMs, firstMs, mostMs } = this.#retry.paces[kind]
    // The exponent is bounded so that the doubling stays a number.
    const span = Math.min(mostMs, firstMs * 2 ** Math.min(push.answeredAttempts - 1, 30))
    // After the time that the service said all would come back at once; a part of a second spreads them.
    const jitter = Math.floor(
      randomFraction(this.#random) * (saidMs === undefined ? span : Math.min(span, 1000)),
    )
    const delay = (saidMs ?? leastMs) + jitter
    if (now + delay - push.queuedAt >= this.#limits.queuedMsMax) return -1
    return push.expiration !== '' && wall + delay >= Number(push.expiration) * 1000 ? -1 : delay
  }

  /** What to tell a caller who retries himself. */
  adviceMs(kind: RetryClass, saidMs: number | undefined): number {
    const { leastMs, firstMs } = this.#retry.paces[kind]
    return saidMs ?? (leastMs > 0 ? leastMs : firstMs)
  }

  /** Whether a push whose answer was lost may go out once more. */
  resendsAmbiguous(push: PendingPush): boolean {
    const byType = this.#retry.ambiguous[push.pushType as PushType] ?? 'report'
    const policy = push.whenAmbiguous === '' ? byType : push.whenAmbiguous
    return policy === 'resend' || (policy === 'resendIfCollapsed' && push.collapseId !== '')
  }
}

import { reasonOf } from '@carillon/wire'
import type { SendResult } from '../sender.ts'

/** What did not succeed. */
export type Rejection = Extract<SendResult, { ok: false }>

/** Waits `leastMs`, and beyond it a random time up to `firstMs`, doubled with each attempt up to `mostMs`. */
interface Pace {
  readonly leastMs: number
  readonly firstMs: number
  readonly mostMs: number
}

const minuteMs = 60_000

const paces = {
  /** No answer: the network or the service is away. */
  transport: { leastMs: 0, firstMs: 500, mostMs: 5 * minuteMs },
  newConnection: { leastMs: 0, firstMs: 200, mostMs: minuteMs },
  renewToken: { leastMs: 0, firstMs: 1000, mostMs: minuteMs },
  withDelay: { leastMs: 1000, firstMs: 10_000, mostMs: 15 * minuteMs },
  backoff: { leastMs: 0, firstMs: 1000, mostMs: 15 * minuteMs },
  // Apple: "Handling notification responses from APNs": after a 5xx wait 15 minutes, then longer.
  appleBackoff: { leastMs: 15 * minuteMs, firstMs: 15 * minuteMs, mostMs: 60 * minuteMs },
} as const satisfies Record<string, Pace>

/**
 * How long to wait after a retryable rejection, with full jitter, so that what failed together does not come
 * back together.
 *
 * @param attempts how many were made, at least 1
 * @param fraction random, from 0 up to 1
 * @param isApple Apple asks for long pauses after errors of its service; our own is back when its disk is
 */
export function retryDelayMs(
  rejection: Rejection,
  attempts: number,
  fraction: number,
  isApple: boolean,
): number {
  const { leastMs, firstMs, mostMs } = paceOf(rejection, isApple)
  // The exponent is bounded so that the doubling stays a number.
  const span = Math.min(mostMs, firstMs * 2 ** Math.min(attempts - 1, 30))
  return leastMs + Math.floor(span * fraction)
}

function paceOf(rejection: Rejection, isApple: boolean): Pace {
  if (rejection.status === 0) return paces.transport
  switch (reasonOf(rejection.reason, rejection.status).retry) {
    case 'newConnection':
      return paces.newConnection
    case 'renewToken':
      return paces.renewToken
    case 'backoff':
      return isApple ? paces.appleBackoff : paces.backoff
    case 'withDelay':
    case 'never':
    case 'afterFix':
      // The last two are not retryable by the table; where the client says otherwise, carefully.
      return paces.withDelay
  }
}

/** A fraction from 0 up to 1 of four random bytes. */
export function randomFraction(random: (bytes: number) => Uint8Array): number {
  const bytes = random(4)
  return (((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0) / 2 ** 32
}

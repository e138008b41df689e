import { limits } from './limits.ts'

/**
 * A clock for dead-lines: it never goes back, and what passes between two looks counts for `steadyStepMsMax` at most.
 * So neither a clock that was set nor a process that stood still takes a device's time away, or gives it more.
 *
 * @param now milliseconds since the epoch; looked at once a second or more
 * @returns milliseconds, near those of `now` as long as nobody sets it
 */
export function steadyClock(now: () => number): () => number {
  let lookedAtMs = now()
  let steadyMs = lookedAtMs
  return () => {
    const nowMs = now()
    steadyMs += Math.min(Math.max(0, nowMs - lookedAtMs), limits.steadyStepMsMax)
    lookedAtMs = nowMs
    return steadyMs
  }
}

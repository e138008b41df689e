import { limits } from '../../limits.ts'
import type { Drain, SessionHost } from '../session-host.ts'
import type { CourierConnection } from './connection.ts'
import type { DeviceListener } from './listener.ts'

export interface DrainOptions {
  /** `host` or `host:port` of the courier to go to; absent: back here, later. */
  readonly to?: string
  /** The devices are sent away over so many milliseconds, so that they do not arrive together. */
  readonly withinMs: number
}

/** How often a part of them goes. */
const stepMs = 100

/**
 * Sends all devices away, and those that come meanwhile; with another courier to go to, from then on. Resolves when
 * the last one has been told.
 */
export function drainListeners(
  listeners: readonly DeviceListener[],
  sessions: SessionHost,
  { to, withinMs }: DrainOptions,
): Promise<void> {
  const retryMsMax = Math.min(withinMs, limits.retrySpreadMsMax)
  const mine: Drain = { retryMsMax, ...(to === undefined ? {} : { to }) }
  sessions.drain = mine
  const waiting: CourierConnection[] = []
  for (const { connections } of listeners) connections.each((one) => void waiting.push(one))
  const perStep = Math.max(1, Math.ceil((waiting.length * stepMs) / Math.max(stepMs, withinMs)))
  return new Promise((resolve) => {
    const step = () => {
      for (const connection of waiting.splice(0, perStep)) connection.session.leave('drained')
      if (waiting.length > 0) return sessions.later(step, stepMs)
      // Whoever was told to come back here is welcome again, unless the courier drains anew or stops meanwhile.
      if (to === undefined && sessions.drain === mine) sessions.drain = undefined
      resolve()
    }
    step()
  })
}

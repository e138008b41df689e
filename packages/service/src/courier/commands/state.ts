import { courierActivity, courierActivityIntervalForever, type MessageOf } from '@carillon/wire'
import type { CourierSession } from '../session.ts'

/**
 * The device says whether it is active, and for how long, and ours how its battery and screen are. Nothing waits
 * for it: many clients never send one, so a device that has not is taken as active.
 */
export function noteState(session: CourierSession, message: MessageOf<'state'>, steadyMs: number): void {
  const { state, interval } = message
  if (state === courierActivity.active) {
    session.activeUntil(endOf(interval ?? courierActivityIntervalForever, steadyMs), steadyMs)
  } else if (state === courierActivity.inactive) session.activeUntil(steadyMs, steadyMs)
  session.host.hooks.power?.reported(session, message, session.host.now())
}

/** A new interval for the activity that the device has announced. */
export function noteActiveInterval(
  session: CourierSession,
  message: MessageOf<'activeInterval'>,
  steadyMs: number,
): void {
  const { interval } = message
  if (interval === undefined || !session.isActive(steadyMs)) return
  session.activeUntil(endOf(interval, steadyMs), steadyMs)
}

/** Unverified against Apple: the unit is seconds; all known clients send "for ever". */
function endOf(interval: number, steadyMs: number): number {
  return interval >= courierActivityIntervalForever ? Number.POSITIVE_INFINITY : steadyMs + interval * 1000
}

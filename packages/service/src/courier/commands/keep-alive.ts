import type { MessageOf } from '@carillon/wire'
import { limits } from '../../limits.ts'
import type { CourierSession } from '../session.ts'

/**
 * Answered at once, or where the device asks for a delayed reply with a receipt now and the reply later: then the
 * courier's clock keeps the connection alive, and the device sleeps until its reply comes.
 */
export function answerKeepAlive(
  session: CourierSession,
  message: MessageOf<'keepAlive'>,
  steadyMs: number,
): void {
  const { counters } = session.host
  counters.keepAlives++
  if (message.intervalMinutes !== undefined) session.watch.interval(message.intervalMinutes)
  if (message.replyAfter === undefined) return session.say({ type: 'keepAliveReply' })
  counters.keepAlivesDelayed++
  // Unverified against Apple: the unit is seconds.
  const delayMs = Math.min(message.replyAfter * 1000, limits.keepAliveDelayMsMax)
  session.watch.answersRequests()
  session.say({ type: 'keepAliveReceipt' })
  session.replyLater(steadyMs + delayMs, steadyMs)
}

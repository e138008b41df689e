import type { Trace } from '../trace/trace.ts'
import type { TopicWish } from './device-link.ts'
import type { Outgoing } from './outgoing.ts'

/** Tells what becomes of a notification that a session leaves without an acknowledgement. */
export function tellLeft({ message, isOnce, removed }: Outgoing, trace: Trace, nowMs: number): void {
  if (isOnce) trace.discarded(message, 'expired', false, nowMs)
  else if (removed === undefined) trace.stored(message, 'offline', nowMs)
  else if (removed === 'expired') trace.expired(message, nowMs)
  else trace.replaced(message, removed, nowMs)
}

/** Tells what becomes of a notification that waited behind others and is not sent after all. */
export function tellNotSent(
  { message, isOnce }: Outgoing,
  wish: TopicWish,
  trace: Trace,
  nowMs: number,
): void {
  if (wish === 'drop') trace.discarded(message, 'disabled', false, nowMs)
  else if (isOnce) trace.discarded(message, 'expired', false, nowMs)
  else if (message.expiration * 1000 <= nowMs) trace.expired(message, nowMs)
  else trace.stored(message, 'paused', nowMs)
}

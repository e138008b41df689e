import type { Stage } from './stages.ts'
import type { TraceEvent } from './trace-event.ts'

/** What became of one notification to one token so far. */
type TraceState =
  | Exclude<Stage, 'acknowledged' | 'lost' | 'tokenInactive'>
  | 'delivered'
  /** Its device would not take it. */
  | 'refused'

/** What all events of one notification have in common. */
type Shared = 'uniqueId' | 'token' | 'channel' | 'app' | 'topic' | 'pushType' | 'priority'

/** All that is known of one notification to one token, or of one broadcast to one channel. */
export interface NotificationTrace extends Pick<TraceEvent, Shared> {
  readonly apnsId: string
  readonly state: TraceState
  /** Oldest first. */
  readonly events: readonly TraceEvent[]
}

/** Sorts events into notifications, those that came first first: an apns-id may be used for several tokens. */
export function notificationTraces(oldestFirst: readonly TraceEvent[]): NotificationTrace[] {
  const groups = new Map<string, TraceEvent[]>()
  for (const event of oldestFirst) {
    if (event.apnsId === undefined) continue
    const name = `${event.apnsId} ${event.token ?? event.channel}`
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [event])
    else group.push(event)
  }
  return Array.from(groups.values(), traceOf)
}

function traceOf(events: TraceEvent[]): NotificationTrace {
  const { apnsId, token, channel, app, topic } = events[0]!
  // Reports of devices do not repeat them, and after a time the first events are gone.
  const uniqueId = events.find((event) => event.uniqueId !== undefined)?.uniqueId
  const pushType = events.find((event) => event.pushType !== undefined)?.pushType
  const priority = events.find((event) => event.priority !== undefined)?.priority
  return {
    apnsId: apnsId!,
    ...(uniqueId === undefined ? {} : { uniqueId }),
    ...(token === undefined ? {} : { token }),
    ...(channel === undefined ? {} : { channel }),
    ...(app === undefined ? {} : { app }),
    ...(topic === undefined ? {} : { topic }),
    ...(pushType === undefined ? {} : { pushType }),
    ...(priority === undefined ? {} : { priority }),
    state: stateOf(events),
    events,
  }
}

/** An opened notification stays opened, whatever is told late. */
const lasting: readonly TraceState[] = ['opened', 'shown']

function stateOf(events: readonly TraceEvent[]): TraceState {
  const [first, ...others] = events
  // A broadcast that nobody listened to is where it was before.
  const telling = [first!, ...others.filter(({ devices }) => devices !== 0)]
  const states = telling.map(({ stage, status }) =>
    stage === 'acknowledged' ? (status === 0 ? 'delivered' : 'refused') : (stage as TraceState),
  )
  return lasting.find((state) => states.includes(state)) ?? states.at(-1)!
}

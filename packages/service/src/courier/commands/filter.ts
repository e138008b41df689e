import { courierExtensions, type MessageOf } from '@carillon/wire'
import { limits } from '../../limits.ts'
import type { CourierSession } from '../session.ts'
import { SessionFilter } from '../session-filter.ts'

/** The device names its topics: a filter replaces the whole set before it. */
export function changeFilter(session: CourierSession, message: MessageOf<'filter'>): void {
  const { registry, hooks } = session.host
  session.filter = SessionFilter.from(message, (hash) => registry.topicOf(hash))
  if (session.confirmsFilters) {
    const { version } = message
    // The duty that comes with the capability: the device waits for this.
    session.say({
      type: 'filterReply',
      token: session.baseToken,
      ...(version === undefined ? {} : { version }),
      status: 0,
    })
  }
  takeHandled(session, message)
  session.inbox?.topicsChanged()
  hooks.channels?.topicsChanged(session, session.host.now())
}

/** What the device has from an earlier connection, whose acknowledgements may have been lost with it. */
function takeHandled(session: CourierSession, { handled }: MessageOf<'filter'>): void {
  if (handled === undefined || (session.extensions & courierExtensions.resume) === 0) return
  const ids = handled.filter((id) => id.length === 16).slice(-limits.handledNamedMax)
  session.host.counters.resumed += ids.length
  if (ids.length > 0) session.inbox?.handled(ids)
}

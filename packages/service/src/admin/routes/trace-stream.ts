import { createRoute, z } from '@hono/zod-openapi'
import { limits } from '../../limits.ts'
import { JournalFollower } from '../../trace/drivers/journal-follower.ts'
import type { TraceReading } from '../../trace/drivers/open-trace.ts'
import type { AdminRoutes } from '../api.ts'
import { eventStream } from '../drivers/event-stream.ts'
import type { OpenStreams } from '../open-streams.ts'
import { problems } from '../problems.ts'
import { cursorField, positionOf } from './query-fields.ts'
import { filterFields, queryOf, tracedBy } from './trace-routes.ts'

/** Answers of routes that stream. */
export const streamContent = { 'text/event-stream': { schema: z.string() } } as const

/** What a client of EventSource sends when it comes again. */
export const streamHeaders = z.object({ 'last-event-id': cursorField.optional() })

const streamRoute = createRoute({
  method: 'get',
  path: '/v1/traces/stream',
  summary: 'What happens to notifications, as it happens',
  description:
    'Server-Sent Events named by their stage, each with its cursor as id. `gap`: something before it is missing, because it is not kept any more or because the reader was too slow.',
  request: {
    query: z.strictObject({
      ...filterFields,
      after: cursorField.optional().openapi({ description: 'Begin behind this; now where absent' }),
    }),
    headers: streamHeaders,
  },
  responses: {
    200: { description: 'Events until either end closes', content: streamContent },
    ...problems(400, 401, 409, 503),
  },
})

/** `GET /v1/traces/stream` */
export function traceStream(journal: TraceReading | undefined, streams: OpenStreams): AdminRoutes {
  return (api) => {
    api.openapi(streamRoute, async (context) => {
      const { after, ...filter } = context.req.valid('query')
      const traced = tracedBy(journal)
      const cursor = context.req.valid('header')['last-event-id'] ?? after
      return eventStream(context, {
        journal: traced,
        streams,
        query: queryOf(filter),
        after: positionOf(cursor) ?? (await JournalFollower.end(traced.files)),
        behindBytesMax: limits.traceBehindBytesMax,
        told: (event) => ({ event: event.stage, data: event }),
      })
    })
  }
}

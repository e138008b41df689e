import { createRoute, z } from '@hono/zod-openapi'
import {
  type Receipt,
  type ReceiptType,
  receiptOf,
  receiptStages,
  receiptTypes,
} from '../../receipts/receipt.ts'
import { JournalFollower } from '../../trace/drivers/journal-follower.ts'
import type { TraceReading } from '../../trace/drivers/open-trace.ts'
import type { TraceQuery } from '../../trace/trace-query.ts'
import type { AdminRoutes } from '../api.ts'
import { eventStream } from '../drivers/event-stream.ts'
import type { OpenStreams } from '../open-streams.ts'
import { json, problems } from '../problems.ts'
import { cursorField, limitField, positionOf } from './query-fields.ts'
import { tracedBy } from './trace-routes.ts'
import { streamContent, streamHeaders } from './trace-stream.ts'

const receiptSchema = z
  .object({
    cursor: z.string(),
    at: z.string(),
    type: z.enum(receiptTypes),
    apnsId: z.string().optional(),
    token: z.string().optional(),
    app: z.string().optional(),
    topic: z.string().optional(),
    by: z.string().optional().openapi({ description: '`replaced`: the apns-id of the newer one' }),
    why: z.string().optional().openapi({ description: '`discarded`: the cause' }),
  })
  .openapi('Receipt')

const filterFields = {
  app: z.string().min(1).max(255).optional().openapi({ description: 'Only of this bundle id' }),
  type: z
    .union([z.enum(receiptTypes), z.array(z.enum(receiptTypes))], {
      error: `must be one or more of ${receiptTypes.join(', ')}`,
    })
    .optional()
    .openapi({ description: 'Only of these types; may be repeated' }),
  after: cursorField
    .optional()
    .openapi({ description: 'Only what is behind this; all that is kept where absent' }),
}

const pageRoute = createRoute({
  method: 'get',
  path: '/v1/receipts',
  summary: 'What became of accepted notifications, oldest first, each at least once',
  request: { query: z.strictObject({ ...filterFields, limit: limitField(1000, 100) }) },
  responses: {
    200: {
      description:
        'Receipts; ask again with `after` set to `cursor`. `gap`: some that came before these are missing',
      content: json(
        z
          .object({
            receipts: z.array(receiptSchema),
            cursor: z.string(),
            gap: z.boolean(),
            more: z.boolean().openapi({ description: 'There are more at this moment' }),
          })
          .openapi('Receipts'),
      ),
    },
    ...problems(400, 401, 409),
  },
})

const streamRoute = createRoute({
  method: 'get',
  path: '/v1/receipts/stream',
  summary: 'The same as it happens, as Server-Sent Events',
  request: { query: z.strictObject(filterFields), headers: streamHeaders },
  responses: {
    200: { description: 'Events named by their type, and `gap`', content: streamContent },
    ...problems(400, 401, 409, 503),
  },
})

/** `GET /v1/receipts`, `GET /v1/receipts/stream` */
export function receiptRoutes(journal: TraceReading | undefined, streams: OpenStreams): AdminRoutes {
  return (api) => {
    api.openapi(pageRoute, async (context) => {
      const { limit, after, ...filter } = context.req.valid('query')
      const { files } = tracedBy(journal)
      await files.flush()
      const page = await new JournalFollower(files, queryOf(filter), positionOf(after)).next(limit)
      const receipts: Receipt[] = []
      let { gap } = page
      for (const event of page.events) {
        if (event.stage === 'lost') gap = true
        const receipt = receiptOf(event)
        if (receipt !== undefined) receipts.push(receipt)
      }
      return context.json({ receipts, cursor: page.cursor, gap, more: !page.isAtEnd }, 200)
    })
    api.openapi(streamRoute, (context) => {
      const { after, ...filter } = context.req.valid('query')
      return eventStream(context, {
        journal: tracedBy(journal),
        streams,
        query: queryOf(filter),
        after: positionOf(context.req.valid('header')['last-event-id'] ?? after),
        told: (event) => {
          if (event.stage === 'lost') return { event: 'gap', data: {} }
          const receipt = receiptOf(event)
          return receipt && { event: receipt.type, data: receipt }
        },
      })
    })
  }
}

function queryOf(filter: {
  readonly app?: string | undefined
  readonly type?: ReceiptType | ReceiptType[] | undefined
}): TraceQuery {
  const { app, type = [...receiptTypes] } = filter
  return { app, stages: receiptStages([type].flat()) }
}

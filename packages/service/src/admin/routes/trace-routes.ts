import { createRoute, z } from '@hono/zod-openapi'
import { SearchesBusyError } from '../../trace/drivers/journal-reader.ts'
import type { TraceReading } from '../../trace/drivers/open-trace.ts'
import { type NotificationTrace, notificationTraces } from '../../trace/notification-traces.ts'
import { type Stage, stageNumbers, stages } from '../../trace/stages.ts'
import { encodePosition } from '../../trace/trace-position.ts'
import type { TraceQuery } from '../../trace/trace-query.ts'
import { AdminError } from '../admin-error.ts'
import type { AdminRoutes } from '../api.ts'
import { json, problems } from '../problems.ts'
import {
  channelBytesOf,
  channelField,
  checkTimes,
  cursorField,
  idBytesOf,
  limitField,
  msOf,
  notFound,
  positionOf,
  timeField,
  tokenBytesOf,
  tokenField,
  uuidField,
} from './query-fields.ts'

const eventSchema = z
  .object({
    cursor: z.string(),
    at: z.string(),
    stage: z.enum(stages),
    apnsId: z.string().optional().openapi({ description: 'Of a broadcast: its request id' }),
    uniqueId: z.string().optional().openapi({ description: '`received` in the sandbox' }),
    by: z.string().optional().openapi({ description: '`replaced`: the apns-id of the newer one' }),
    token: z.string().optional(),
    channel: z.string().optional().openapi({ description: 'Of a broadcast' }),
    app: z.string().optional(),
    topic: z.string().optional(),
    pushType: z.string().optional(),
    priority: z.int().optional(),
    device: z.int().optional(),
    devices: z.int().optional().openapi({
      description: '`sent` of a broadcast: how many connected devices it was handed to',
    }),
    why: z.string().optional().openapi({ description: '`stored`, `discarded` and `lost`: the cause' }),
    status: z.int().optional().openapi({ description: '`acknowledged`: 0 taken, 2 no app takes this token' }),
    reason: z.string().optional().openapi({ description: "`rejected`: Apple's reason" }),
    fromStorage: z.boolean().optional(),
    records: z.int().optional().openapi({ description: '`lost`: how many' }),
  })
  .openapi('TraceEvent')

const traceSchema = z
  .object({
    apnsId: z.string(),
    uniqueId: z.string().optional(),
    token: z.string().optional(),
    channel: z
      .string()
      .optional()
      .openapi({ description: 'Of a broadcast, told of all its devices together' }),
    app: z.string().optional(),
    topic: z.string().optional(),
    pushType: z.string().optional(),
    priority: z.int().optional(),
    state: z.string().openapi({ description: 'What became of it so far' }),
    events: z.array(eventSchema),
  })
  .openapi('NotificationTrace')

/** What events may be chosen by, here and in the live stream. */
export const filterFields = {
  apnsId: uuidField.optional(),
  uniqueId: uuidField.optional().openapi({ description: 'Only the event that tells it: `received`' }),
  token: tokenField.optional(),
  channel: channelField.optional().openapi({ description: 'Broadcasts to this channel' }),
  topic: z.string().min(1).max(255).optional(),
  app: z.string().min(1).max(255).optional(),
  stage: z.enum(stages).optional().openapi({ description: 'Only events of this kind' }),
}

const searchRoute = createRoute({
  method: 'get',
  path: '/v1/traces',
  summary: 'What happened to notifications, newest first',
  request: {
    query: z.strictObject({
      ...filterFields,
      from: timeField.optional(),
      to: timeField.optional(),
      limit: limitField(1000, 100),
      cursor: cursorField.optional().openapi({ description: '`nextCursor` of the page before' }),
    }),
  },
  responses: {
    200: {
      description: 'Events',
      content: json(z.object({ events: z.array(eventSchema), nextCursor: z.string().optional() })),
    },
    ...problems(400, 401, 409, 503),
  },
})

const traceRoute = createRoute({
  method: 'get',
  path: '/v1/traces/{id}',
  summary:
    'The way of one notification, by its apns-id or its unique id, or of a broadcast by its request id',
  request: { params: z.object({ id: uuidField }) },
  responses: {
    200: {
      description: 'One trace for each token, or channel, that the id was used for',
      content: json(z.object({ traces: z.array(traceSchema) })),
    },
    ...problems(400, 401, 404, 409, 503),
  },
})

const tokenRoute = createRoute({
  method: 'get',
  path: '/v1/tokens/{token}/traces',
  summary: 'The notifications to a device token, the last one first',
  request: { params: z.object({ token: tokenField }) },
  responses: {
    200: {
      description: 'Those whose events are among the last 1000 of the token',
      content: json(z.object({ traces: z.array(traceSchema) })),
    },
    ...problems(400, 401, 409, 503),
  },
})

/** Events of one notification, or of one token, that are told at most. */
const eventsPerTraceMax = 1000

/** `GET /v1/traces`, `GET /v1/traces/{id}`, `GET /v1/tokens/{token}/traces` */
export function traceRoutes(journal: TraceReading | undefined): AdminRoutes {
  return (api) => {
    api.openapi(searchRoute, async (context) => {
      const { from, to, limit, cursor, ...filter } = context.req.valid('query')
      const query = { ...queryOf(filter), fromMs: msOf(from), toMs: msOf(to) }
      checkTimes(query.fromMs, query.toMs)
      const page = await search(journal, query, limit, cursor)
      const { events, next } = page
      return context.json(
        { events: [...events], ...(next === undefined ? {} : { nextCursor: encodePosition(next) }) },
        200,
      )
    })
    api.openapi(traceRoute, async (context) => {
      const { id } = context.req.valid('param')
      const byApnsId = await search(journal, { apnsId: idBytesOf(id) }, eventsPerTraceMax)
      const events = byApnsId.events.length > 0 ? byApnsId.events : await eventsOfUniqueId(journal, id)
      const traces = notificationTraces([...events].reverse())
      if (traces.length === 0) throw notFound(`Nothing is known of ${id}, or not any more.`)
      return context.json({ traces: traces.map(inFull) }, 200)
    })
    api.openapi(tokenRoute, async (context) => {
      const { token } = context.req.valid('param')
      const { events } = await search(journal, { token: tokenBytesOf(token) }, eventsPerTraceMax)
      const traces = notificationTraces([...events].reverse())
      return context.json({ traces: traces.reverse().map(inFull) }, 200)
    })
  }
}

/** A trace as the answer's schema has it. */
function inFull(trace: NotificationTrace) {
  return { ...trace, events: [...trace.events] }
}

/** The query behind the parameters. */
export function queryOf(filter: {
  readonly apnsId?: string | undefined
  readonly uniqueId?: string | undefined
  readonly token?: string | undefined
  readonly channel?: string | undefined
  readonly topic?: string | undefined
  readonly app?: string | undefined
  readonly stage?: Stage | undefined
}): TraceQuery {
  const { apnsId, uniqueId, token, channel, topic, app, stage } = filter
  // A unique id stands only beside the event that tells it: of another stage there is none.
  const told = uniqueId === undefined ? stages : (['received'] as const)
  const wanted = told.filter((name) => stage === undefined || name === stage)
  return {
    apnsId: idBytesOf(apnsId),
    otherId: idBytesOf(uniqueId),
    token: tokenBytesOf(token),
    channelId: channelBytesOf(channel),
    topic,
    app,
    stages: wanted.length === stages.length ? undefined : new Set(wanted.map((name) => stageNumbers[name])),
  }
}

/** @throws AdminError where tracing is off */
export function tracedBy(journal: TraceReading | undefined): TraceReading {
  if (journal !== undefined) return journal
  throw new AdminError('CONFLICT', 'Notifications are not traced; set trace.enabled to true.')
}

async function eventsOfUniqueId(journal: TraceReading | undefined, id: string) {
  const received = await search(journal, queryOf({ uniqueId: id }), 1)
  const apnsId = received.events[0]?.apnsId
  if (apnsId === undefined) return []
  return (await search(journal, { apnsId: idBytesOf(apnsId) }, eventsPerTraceMax)).events
}

async function search(
  journal: TraceReading | undefined,
  query: TraceQuery,
  limit: number,
  cursor?: string | undefined,
) {
  try {
    return await tracedBy(journal).reader.newest(query, limit, positionOf(cursor))
  } catch (cause) {
    if (!(cause instanceof SearchesBusyError)) throw cause
    throw new AdminError('BUSY', 'Too many searches run at a time; try again in a second.', { cause })
  }
}

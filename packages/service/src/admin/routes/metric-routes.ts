import { createRoute, z } from '@hono/zod-openapi'
import type { Registry } from '@prometheus-io/client'
import { counters } from '../../metrics/counters.ts'
import { hourOf } from '../../metrics/metric-counts.ts'
import type { MetricStore } from '../../metrics/metric-store.ts'
import type { AdminRoutes } from '../api.ts'
import { json, problems } from '../problems.ts'
import { checkTimes, msOf, timeField } from './query-fields.ts'

const numbersSchema = z
  .object({
    ...(Object.fromEntries(
      counters.filter((name) => name !== 'rejected').map((name) => [name, z.int()]),
    ) as Record<Exclude<(typeof counters)[number], 'rejected'>, z.ZodInt>),
    rejected: z.record(z.string(), z.int()).openapi({ description: "By Apple's reason" }),
  })
  .openapi('MetricNumbers')

const metricsRoute = createRoute({
  method: 'get',
  path: '/v1/metrics',
  summary:
    'What happened to notifications in a time, as on the metrics page of the Push Notifications Console',
  request: {
    query: z.strictObject({
      from: timeField.optional().openapi({ description: '24 hours before `to` where absent' }),
      to: timeField.optional().openapi({ description: 'Now where absent' }),
      app: z.string().min(1).max(255).optional(),
      pushType: z.string().min(1).max(40).optional(),
      priority: z.enum(['10', '5', '1']).optional(),
    }),
  },
  responses: {
    200: {
      description: 'Whole hours that begin in this time, the present one up to now',
      content: json(
        z
          .object({
            from: z.string(),
            to: z.string(),
            total: numbersSchema,
            rows: z.array(
              z.object({
                app: z.string(),
                pushType: z.string(),
                priority: z.int(),
                numbers: numbersSchema,
              }),
            ),
            hours: z.array(z.object({ hour: z.string(), numbers: numbersSchema })),
          })
          .openapi('Metrics'),
      ),
    },
    ...problems(400, 401),
  },
})

const scrapeRoute = createRoute({
  method: 'get',
  path: '/metrics',
  summary: 'Notifications since the start and the health of the process, for Prometheus',
  responses: {
    200: {
      description: 'Text exposition format',
      content: { 'text/plain': { schema: z.string() } },
    },
    ...problems(401),
  },
})

const dayMs = 24 * 60 * 60 * 1000

/** `GET /v1/metrics`, and `GET /metrics` for Prometheus */
export function metricRoutes(metrics: MetricStore, registry: Registry, now: () => number): AdminRoutes {
  return (api) => {
    api.openapi(metricsRoute, async (context) => {
      const { from, to, app, pushType, priority } = context.req.valid('query')
      const toMs = msOf(to) ?? now() + 1
      checkTimes(msOf(from), toMs)
      const fromMs = hourOf(msOf(from) ?? toMs - dayMs)
      const { total, rows, hours } = await metrics.report({
        ...{ fromMs, toMs, app, pushType },
        priority: priority === undefined ? undefined : Number(priority),
      })
      return context.json(
        {
          from: new Date(fromMs).toISOString(),
          to: new Date(toMs).toISOString(),
          total,
          rows: [...rows],
          hours: hours.map(({ hourMs, numbers }) => ({ hour: new Date(hourMs).toISOString(), numbers })),
        },
        200,
      )
    })
    api.openapi(scrapeRoute, async (context) => {
      context.header('content-type', registry.contentType)
      return context.text(await registry.metrics())
    })
  }
}

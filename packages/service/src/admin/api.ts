import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { limits } from '../limits.ts'
import { AdminError } from './admin-error.ts'
import { answerProblem, invalidRequest, json, needsJson } from './problems.ts'
import { requireKey } from './require-key.ts'

/** Adds one group of routes to the admin API. Paths begin with `/v1/`, which is behind the key. */
export type AdminRoutes = (api: OpenAPIHono) => void

export interface AdminApiOptions {
  /** The bearer key of every request. */
  readonly key: string
  readonly routes: readonly AdminRoutes[]
  /** Told of errors that are nobody's request. */
  readonly onFailure: (error: unknown) => void
}

const healthRoute = createRoute({
  method: 'get',
  path: '/healthz',
  summary: 'Whether the push service runs',
  security: [],
  responses: { 200: { description: 'It does', content: json(z.object({ status: z.literal('ok') })) } },
})

/** The admin API of one environment. Errors are problem+json (RFC 9457) with a code and a sentence. */
export function createAdminApi({ key, routes, onFailure }: AdminApiOptions): OpenAPIHono {
  const api = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error)
    },
  })
  api.onError((error, context) => answerProblem(context, error, onFailure))
  api.notFound((context) => {
    const { method, path } = context.req
    const error = new AdminError('NOT_FOUND', `There is no ${method} ${path}; see /openapi.json.`)
    return answerProblem(context, error, onFailure)
  })
  api.openapi(healthRoute, (context) => context.json({ status: 'ok' } as const, 200))
  api.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Carillon push service, admin API', version: '1' },
    security: [{ adminKey: [] }],
  })
  api.openAPIRegistry.registerComponent('securitySchemes', 'adminKey', { type: 'http', scheme: 'bearer' })
  const withKey = requireKey(key)
  api.use('/v1/*', withKey)
  api.use('/metrics', withKey)
  api.use('/v1/*', bodyLimit({ maxSize: limits.adminBodyBytesMax, onError: refuseLargeBody }))
  api.use('/v1/*', requireBody)
  for (const add of routes) add(api)
  return api
}

/** The library takes a request without body and type for an empty object, which may mean "everything at its default". */
const requireBody: MiddlewareHandler = async ({ req }, next) => {
  const { method } = req
  if ((method === 'PUT' || method === 'POST') && req.header('content-type') === undefined)
    throw new AdminError('INVALID_REQUEST', needsJson, { status: 415 })
  await next()
}

function refuseLargeBody(): never {
  throw new AdminError('REQUEST_TOO_LARGE', `The body is longer than ${limits.adminBodyBytesMax} bytes.`)
}

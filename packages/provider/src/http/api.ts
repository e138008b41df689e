import { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { limits } from '../limits.ts'
import type { AcceptWorld } from '../outbox/accept-message.ts'
import { ProviderError } from '../provider-error.ts'
import type { ConnectRegistered } from '../sender.ts'
import { addAppRoutes } from './app-routes.ts'
import { addDeviceRoutes } from './device-routes.ts'
import { addMessageRoutes } from './message-routes.ts'
import { answerProblem, invalidRequest } from './problems.ts'
import { requireKey } from './require-key.ts'

/** What the API works with. */
export interface ApiWorld extends AcceptWorld {
  readonly connectSender: ConnectRegistered
  readonly apiKeys: readonly string[]
  /** Told of errors that are nobody's request. */
  readonly onFailure: (error: unknown) => void
}

/** The HTTP API of the provider. Errors are problem+json (RFC 9457) with a code, a sentence and Apple's reason. */
export function createApi(world: ApiWorld): OpenAPIHono {
  const api = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error)
    },
  })
  api.onError((error, context) => answerProblem(context, error, world.onFailure))
  api.notFound((context) => {
    const { method, path } = context.req
    const error = new ProviderError('NOT_FOUND', `There is no ${method} ${path}; see /openapi.json.`)
    return answerProblem(context, error, world.onFailure)
  })
  api.get('/healthz', (context) => context.json({ status: 'ok' }))
  api.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Carillon provider', version: '1' },
    security: [{ apiKey: [] }],
  })
  api.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', { type: 'http', scheme: 'bearer' })
  api.use('/v1/*', requireKey(world.apiKeys))
  api.use('/v1/*', bodyLimit({ maxSize: limits.requestBytesMax, onError: refuseLargeBody }))
  addAppRoutes(api, world)
  addDeviceRoutes(api, world)
  addMessageRoutes(api, world)
  return api
}

function refuseLargeBody(): never {
  throw new ProviderError(
    'REQUEST_TOO_LARGE',
    `The body is longer than ${limits.requestBytesMax} bytes; send fewer tokens at once.`,
  )
}

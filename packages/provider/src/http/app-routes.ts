import { bundleIdProblem, environments, isKeyId, isTeamId } from '@carillon/wire'
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { limits } from '../limits.ts'
import { ProviderError } from '../provider-error.ts'
import type { AppDescription, AppEnvironments } from '../registry/app-registry.ts'
import type { ApiWorld } from './api.ts'
import { json, problems } from './openapi.ts'
import { timeText } from './time-text.ts'

/** A bundle id, with the sentence of `bundleIdProblem` where it is none. */
export const bundleIdSchema = z
  .string()
  .superRefine((text, context) => {
    const problem = bundleIdProblem(text)
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  })
  .openapi({ example: 'com.example.app' })

const pemSchema = z.string().min(1).max(limits.pemLengthMax)
const credentialsSchema = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('token'),
      keyId: z.string().refine(isKeyId, 'must be the ten characters of the key id'),
      teamId: z.string().refine(isTeamId, 'must be the ten characters of the team id'),
      privateKeyPem: pemSchema,
    }),
    z.strictObject({ type: z.literal('certificate'), certPem: pemSchema, keyPem: pemSchema }),
  ])
  .openapi('Credentials')
const addressSchema = z
  .strictObject({
    host: z.string().min(1),
    port: z.int().min(1).max(65_535),
    ca: pemSchema.optional(),
    serverName: z.string().min(1).optional(),
  })
  .openapi('ServiceAddress')
const environmentSchema = z.strictObject({
  credentials: credentialsSchema,
  connect: z
    .union([z.literal('local'), addressSchema])
    .optional()
    .openapi({
      description: "Another push service than Apple's; `local`: the one that runs beside this provider",
    }),
})
const appSchema = z
  .strictObject({
    bundleId: bundleIdSchema,
    environments: z
      .strictObject({ sandbox: environmentSchema.optional(), production: environmentSchema.optional() })
      .refine((given) => given.sandbox ?? given.production, 'must name sandbox, production or both'),
  })
  .openapi('App')
const describedEnvironment = z.object({
  credentials: z.object({ type: z.string(), keyId: z.string().optional(), teamId: z.string().optional() }),
  connect: z.union([z.literal('local'), z.object({ host: z.string(), port: z.int() })]).optional(),
})
const describedApp = z
  .object({
    bundleId: z.string(),
    createdAt: z.string(),
    updatedAt: z.string(),
    environments: z.object({
      sandbox: describedEnvironment.optional(),
      production: describedEnvironment.optional(),
    }),
  })
  .openapi('AppDescription')

const saveRoute = createRoute({
  method: 'post',
  path: '/v1/apps',
  summary: 'Register an app, or replace its credentials',
  request: { body: { required: true, content: json(appSchema) } },
  responses: {
    200: { description: 'The app, without its keys', content: json(describedApp) },
    ...problems(400, 401),
  },
})
const getRoute = createRoute({
  method: 'get',
  path: '/v1/apps/{bundleId}',
  summary: 'What is known of an app',
  request: { params: z.object({ bundleId: z.string() }) },
  responses: {
    200: { description: 'The app, without its keys', content: json(describedApp) },
    ...problems(401, 404),
  },
})

/** `POST /v1/apps`, `GET /v1/apps/{bundleId}` */
export function addAppRoutes(api: OpenAPIHono, world: ApiWorld): void {
  api.openapi(saveRoute, async (context) => {
    const { bundleId, environments: given } = context.req.valid('json')
    await assertUsable(given, world)
    const app = await world.apps.save(bundleId, given, world.now())
    for (const environment of environments) {
      if (given[environment] !== undefined) world.dispatcher.replaceSender(bundleId, environment)
    }
    return context.json(describe(app), 200)
  })
  api.openapi(getRoute, async (context) => {
    return context.json(describe(await world.apps.get(context.req.valid('param').bundleId)), 200)
  })
}

/** A key or certificate that cannot be used is refused here, not at the first push. */
async function assertUsable(given: AppEnvironments, world: ApiWorld): Promise<void> {
  for (const environment of environments) {
    const options = given[environment]
    if (options === undefined) continue
    try {
      await world.connectSender({ environment, ...options }).close()
    } catch (cause) {
      if (cause instanceof ProviderError) throw cause
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new ProviderError(
        'INVALID_CREDENTIALS',
        `environments.${environment}: the credentials cannot be used (${reason}).`,
        { cause },
      )
    }
  }
}

function describe(app: AppDescription) {
  return { ...app, createdAt: timeText(app.createdAt), updatedAt: timeText(app.updatedAt) }
}

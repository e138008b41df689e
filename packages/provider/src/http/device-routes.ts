import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { limits } from '../limits.ts'
import { deviceTokenSchema, environmentSchema } from '../outbox/message-request.ts'
import { ProviderError } from '../provider-error.ts'
import type { Device } from '../registry/device-registry.ts'
import type { ApiWorld } from './api.ts'
import { bundleIdSchema } from './app-routes.ts'
import { json, problems } from './openapi.ts'
import { timeText } from './time-text.ts'

const attribute = z.string().min(1).max(limits.attributeLengthMax)
const registrationSchema = z
  .strictObject({
    bundleId: bundleIdSchema,
    environment: environmentSchema,
    user: attribute.optional(),
    locale: attribute.optional().openapi({ example: 'de-DE' }),
  })
  .openapi('Registration')
const deviceSchema = z
  .object({
    token: z.string(),
    bundleId: z.string(),
    environment: environmentSchema,
    user: z.string().optional(),
    locale: z.string().optional(),
    registeredAt: z.string(),
    lastRegisteredAt: z.string(),
    retiredAt: z.string().optional(),
    retiredReason: z.string().optional().openapi({ description: "Apple's reason" }),
  })
  .openapi('Device')
const params = z.object({ token: deviceTokenSchema })

const registerRoute = createRoute({
  method: 'put',
  path: '/v1/devices/{token}',
  summary: 'Register the device token of a client app; again after each start of the app',
  request: { params, body: { required: true, content: json(registrationSchema) } },
  responses: {
    200: { description: 'The registration', content: json(deviceSchema) },
    ...problems(400, 401, 404),
  },
})
const getRoute = createRoute({
  method: 'get',
  path: '/v1/devices/{token}',
  summary: 'What is known of a device token',
  request: { params },
  responses: {
    200: { description: 'The registration', content: json(deviceSchema) },
    ...problems(400, 401, 404),
  },
})

/** `PUT /v1/devices/{token}`, `GET /v1/devices/{token}` */
export function addDeviceRoutes(api: OpenAPIHono, world: ApiWorld): void {
  api.openapi(registerRoute, async (context) => {
    const { token } = context.req.valid('param')
    const registration = context.req.valid('json')
    await world.apps.assertReachable(registration.bundleId, registration.environment)
    return context.json(describe(await world.devices.register({ token, ...registration }, world.now())), 200)
  })
  api.openapi(getRoute, async (context) => {
    const { token } = context.req.valid('param')
    const device = await world.devices.get(token)
    if (device === undefined) {
      throw new ProviderError('DEVICE_UNKNOWN', `The device token ${token} was never registered here.`)
    }
    return context.json(describe(device), 200)
  })
}

function describe(device: Device) {
  const { retiredAt, ...rest } = device
  return {
    ...rest,
    registeredAt: timeText(device.registeredAt),
    lastRegisteredAt: timeText(device.lastRegisteredAt),
    ...(retiredAt === undefined ? {} : { retiredAt: timeText(retiredAt) }),
  }
}

import { createRoute, z } from '@hono/zod-openapi'
import type { AdminRoutes } from '../api.ts'
import type { DeviceReading, DeviceRow, TokenRow } from '../device-reading.ts'
import { json, problems } from '../problems.ts'
import { limitField, notFound, tokenBytesOf, tokenField } from './query-fields.ts'

/** What these routes read from. */
export interface DeviceSources {
  readonly reading: DeviceReading
  /** Whether the device of this row has a session. */
  isOnline(device: number): boolean
  readonly now: () => number
}

const deviceFields = {
  device: z.int().openapi({ description: 'Row number' }),
  deviceId: z.string(),
  enrolledAt: z.string(),
  online: z.boolean(),
}
const tokenSchema = z
  .object({
    token: z.string(),
    app: z.string(),
    topic: z.string(),
    device: z.int(),
    deviceId: z.string(),
    online: z.boolean().openapi({ description: 'Its device is connected' }),
    active: z.boolean(),
    inactiveSince: z.string().optional(),
    issuedAt: z.string(),
    stored: z.int().openapi({ description: 'Notifications of this app that wait for the device' }),
  })
  .openapi('DeviceToken')
const deviceSchema = z.object({ ...deviceFields, tokens: z.array(tokenSchema) }).openapi('DeviceWithTokens')

const listRoute = createRoute({
  method: 'get',
  path: '/v1/devices',
  summary: 'The devices that were ever connected, in the order of their first time',
  request: {
    query: z.strictObject({
      limit: limitField(1000, 100),
      after: z
        .string()
        .regex(/^\d{1,15}$/, 'must be the `device` of the last one before')
        .default('0'),
    }),
  },
  responses: {
    200: {
      description: 'Devices',
      content: json(z.object({ devices: z.array(z.object(deviceFields).openapi('Device')) })),
    },
    ...problems(400, 401),
  },
})
const deviceRoute = createRoute({
  method: 'get',
  path: '/v1/devices/{deviceId}',
  summary: 'A device with its tokens',
  request: { params: z.object({ deviceId: z.string().min(1).max(200) }) },
  responses: { 200: { description: 'The device', content: json(deviceSchema) }, ...problems(401, 404) },
})
const tokenRoute = createRoute({
  method: 'get',
  path: '/v1/tokens/{token}',
  summary: 'A device token: whose it is, whether it is active, what waits for it',
  request: { params: z.object({ token: tokenField }) },
  responses: { 200: { description: 'The token', content: json(tokenSchema) }, ...problems(400, 401, 404) },
})

/** The tokens of one device that are told at most. */
const tokensPerDeviceMax = 200

/** `GET /v1/devices`, `GET /v1/devices/{deviceId}`, `GET /v1/tokens/{token}` */
export function deviceRoutes({ reading, isOnline, now }: DeviceSources): AdminRoutes {
  const describeDevice = ({ enrolledAtMs, ...row }: DeviceRow) => ({
    ...row,
    enrolledAt: new Date(enrolledAtMs).toISOString(),
    online: isOnline(row.device),
  })
  const describeToken = ({ issuedAtMs, inactiveSinceMs, ...row }: TokenRow) => ({
    ...row,
    online: isOnline(row.device),
    active: inactiveSinceMs === 0,
    ...(inactiveSinceMs === 0 ? {} : { inactiveSince: new Date(inactiveSinceMs).toISOString() }),
    issuedAt: new Date(issuedAtMs).toISOString(),
  })
  return (api) => {
    api.openapi(listRoute, async (context) => {
      const { after, limit } = context.req.valid('query')
      const devices = await reading.devices(Number(after), limit)
      return context.json({ devices: devices.map(describeDevice) }, 200)
    })
    api.openapi(deviceRoute, async (context) => {
      const { deviceId } = context.req.valid('param')
      const device = await reading.device(deviceId)
      if (device === undefined) throw notFound(`No device ${deviceId} was ever connected here.`)
      const tokens = await reading.tokensOf(device.device, now(), tokensPerDeviceMax)
      return context.json({ ...describeDevice(device), tokens: tokens.map(describeToken) }, 200)
    })
    api.openapi(tokenRoute, async (context) => {
      const { token } = context.req.valid('param')
      const row = await reading.token(tokenBytesOf(token)!, now())
      if (row === undefined) throw notFound(`The token ${token} was never issued here.`)
      return context.json(describeToken(row), 200)
    })
  }
}

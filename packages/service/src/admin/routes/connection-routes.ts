import { createRoute, z } from '@hono/zod-openapi'
import type { DeviceConnection } from '../../courier/device-connection.ts'
import type { ProviderConnection } from '../../gateway/provider-connection.ts'
import type { AdminRoutes } from '../api.ts'
import { json, problems } from '../problems.ts'
import { limitField } from './query-fields.ts'

/** Where connections are listed. */
export interface ConnectionSources {
  readonly providerCount: () => number
  providers(): Iterable<ProviderConnection>
  readonly deviceCount: () => number
  devices(countMax: number): readonly DeviceConnection[]
}

const connectionsRoute = createRoute({
  method: 'get',
  path: '/v1/connections',
  summary: 'Who is connected: providers and devices',
  request: {
    query: z.strictObject({
      kind: z.enum(['provider', 'device']).optional().openapi({ description: 'List only these' }),
      limit: limitField(10_000, 100, 0).openapi({ description: 'Of each kind; 0 counts them only' }),
    }),
  },
  responses: {
    200: {
      description: 'Connections; `count` tells how many there are',
      content: json(
        z
          .object({
            providers: z.object({
              count: z.int(),
              connections: z.array(
                z.object({
                  since: z.string(),
                  address: z.string(),
                  teamId: z.string().optional(),
                  keyId: z.string().optional(),
                  certificateSerial: z.string().optional(),
                  bundleId: z.string().optional(),
                  accepted: z.int(),
                  rejected: z.int(),
                }),
              ),
            }),
            devices: z.object({
              count: z.int(),
              connections: z.array(
                z.object({
                  since: z.string(),
                  device: z.int(),
                  deviceId: z.string(),
                  certificateSerial: z.string(),
                  notifications: z.int(),
                  framing: z.enum(['tlv', 'packed']),
                }),
              ),
            }),
          })
          .openapi('Connections'),
      ),
    },
    ...problems(400, 401),
  },
})

/** `GET /v1/connections` */
export function connectionRoutes(sources: ConnectionSources): AdminRoutes {
  return (api) => {
    api.openapi(connectionsRoute, (context) => {
      const { kind, limit } = context.req.valid('query')
      // Describing a hundred thousand of them takes a while: no more are described than are asked for.
      const providers = firstOf(sources.providers(), kind === 'device' ? 0 : limit)
      const devices = sources.devices(kind === 'provider' ? 0 : limit)
      return context.json(
        {
          providers: {
            count: sources.providerCount(),
            connections: providers.map(({ openedAtMs, identity, ...rest }) => ({
              since: new Date(openedAtMs).toISOString(),
              ...identity,
              ...rest,
            })),
          },
          devices: {
            count: sources.deviceCount(),
            connections: devices.map(({ openedAtMs, isPacked, ...rest }) => ({
              since: new Date(openedAtMs).toISOString(),
              ...rest,
              framing: isPacked ? ('packed' as const) : ('tlv' as const),
            })),
          },
        },
        200,
      )
    })
  }
}

function firstOf<T>(all: Iterable<T>, countMax: number): T[] {
  const first: T[] = []
  for (const each of all) {
    if (first.length >= countMax) break
    first.push(each)
  }
  return first
}

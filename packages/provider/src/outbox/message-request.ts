import { environments, header, isApnsId, isDeviceToken, normalDeviceToken } from '@carillon/wire'
import { z } from '@hono/zod-openapi'
import { limits } from '../limits.ts'

/** A device token in hex, as the app got it. */
export const deviceTokenSchema = z
  .string()
  .refine(isDeviceToken, 'must be a device token: hex digits, two for each byte')
  .transform(normalDeviceToken)
  .openapi({ type: 'string', example: 'a1b2c3…', description: 'Device token in hex' })

export const environmentSchema = z.enum(environments).openapi('Environment')

const notificationSchema = z
  .strictObject({
    title: z.string().optional(),
    subtitle: z.string().optional(),
    body: z.string().optional(),
    badge: z.int().min(0).optional(),
    sound: z.string().optional(),
  })
  .openapi('Notification')

const headersSchema = z
  .strictObject({
    [header.apnsId]: z.string().refine(isApnsId, 'must be a UUID').optional(),
    [header.apnsPushType]: z.string().optional(),
    [header.apnsTopic]: z.string().optional(),
    [header.apnsPriority]: z.string().optional(),
    [header.apnsExpiration]: z.string().optional(),
    [header.apnsCollapseId]: z.string().optional(),
  })
  .openapi('ApnsHeaders')

/** What `POST /v1/messages` takes, inside `message`. Shaped like the message of FCM v1, with raw `apns`. */
export const messageSchema = z
  .strictObject({
    token: deviceTokenSchema.optional(),
    tokens: z.array(deviceTokenSchema).min(1).max(limits.tokensPerMessageMax).optional(),
    bundleId: z.string().optional().openapi({ description: 'Needed for tokens that are not registered' }),
    environment: environmentSchema
      .optional()
      .openapi({ description: 'Needed for tokens that are not registered' }),
    notification: notificationSchema.optional(),
    data: z
      .record(z.string(), z.string('must be a text: put other values into apns.payload'))
      .refine((data) => !('aps' in data), 'must not contain aps: write apns.payload.aps')
      .optional()
      .openapi({ description: 'Keys of the app beside aps' }),
    apns: z
      .strictObject({
        headers: headersSchema.optional(),
        payload: z
          .record(z.string(), z.unknown())
          .refine((payload) => isAtMostDeep(payload, limits.payloadDepthMax), 'is nested too deeply')
          .optional(),
      })
      .optional()
      .openapi({ description: 'Headers and payload of the push service, laid over the rest' }),
    pushType: z.string().optional(),
    priority: z.union([z.literal(10), z.literal(5), z.literal(1)]).optional(),
    collapseId: z.string().optional(),
    ttlSeconds: z
      .int()
      .min(0)
      .max(limits.expirationMsMax / 1000)
      .optional()
      .openapi({ description: '0: one attempt, nothing is stored. Default 28 days' }),
  })
  .refine((message) => (message.token === undefined) !== (message.tokens === undefined), {
    message: 'must have either token or tokens',
  })
  .refine((message) => message.tokens === undefined || message.apns?.headers?.[header.apnsId] === undefined, {
    message: `must not have apns.headers.${header.apnsId} with tokens: each recipient gets an id of its own`,
  })
  .openapi('Message')

export type MessageRequest = z.output<typeof messageSchema>

/** Writing JSON of any depth would exhaust the stack. */
function isAtMostDeep(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depthMax > 0 && Object.values(value).every((inner) => isAtMostDeep(inner, depthMax - 1))
}

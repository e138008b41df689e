import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { limits } from '../limits.ts'
import { acceptMessage } from '../outbox/accept-message.ts'
import type { Message, RecipientStatus } from '../outbox/message.ts'
import { environmentSchema, messageSchema } from '../outbox/message-request.ts'
import { ProviderError } from '../provider-error.ts'
import type { ApiWorld } from './api.ts'
import { json, problems } from './openapi.ts'
import { timeText } from './time-text.ts'

const recipientSchema = z
  .object({
    token: z.string(),
    environment: environmentSchema,
    apnsId: z.string(),
    state: z.enum(['waiting', 'sending', 'sent', 'failed', 'expired']),
    attempts: z.int(),
    status: z.int().optional().openapi({ description: 'Of the last answer; 0: none came' }),
    reason: z.string().optional().openapi({ description: "Apple's reason, or why no answer came" }),
    answeredAt: z.string().optional(),
    nextAttemptAt: z.string().optional(),
  })
  .openapi('Recipient')
const statusSchema = z
  .object({
    id: z.string(),
    bundleId: z.string(),
    pushType: z.string(),
    priority: z.int(),
    collapseId: z.string().optional(),
    createdAt: z.string(),
    expiresAt: z.string(),
    recipients: z.array(recipientSchema),
  })
  .openapi('MessageStatus')

const sendRoute = createRoute({
  method: 'post',
  path: '/v1/messages',
  summary: 'Send a message; the answer means that it is stored and will be sent',
  request: {
    headers: z.object({
      'idempotency-key': z
        .string()
        .min(1)
        .max(limits.idempotencyKeyLengthMax)
        .optional()
        .openapi({ description: 'The same key with the same body gives the same answer and sends once' }),
    }),
    body: { required: true, content: json(z.strictObject({ message: messageSchema })) },
  },
  responses: {
    202: { description: 'Stored', content: json(z.object({ id: z.string() }).openapi('Accepted')) },
    ...problems(400, 401, 404, 409, 410, 413, 503),
  },
})
const statusRoute = createRoute({
  method: 'get',
  path: '/v1/messages/{id}',
  summary: 'What became of a message, for each recipient',
  request: { params: z.object({ id: z.string() }) },
  responses: { 200: { description: 'The status', content: json(statusSchema) }, ...problems(401, 404) },
})

/** `POST /v1/messages`, `GET /v1/messages/{id}` */
export function addMessageRoutes(api: OpenAPIHono, world: ApiWorld): void {
  api.openapi(sendRoute, async (context) => {
    const { message } = context.req.valid('json')
    const key = context.req.valid('header')['idempotency-key']
    return context.json({ id: await acceptMessage(message, key, world) }, 202)
  })
  api.openapi(statusRoute, async (context) => {
    const id = context.req.valid('param').id.toLowerCase()
    const [message, recipients] = await Promise.all([world.outbox.message(id), world.outbox.recipients(id)])
    if (message === undefined) {
      throw new ProviderError('NOT_FOUND', `There is no message ${id}; messages are kept for 31 days.`)
    }
    return context.json(describe(message, recipients), 200)
  })
}

function describe(message: Message, recipients: readonly RecipientStatus[]) {
  const { id, bundleId, pushType, priority, collapseId, createdAt, expiresAt } = message
  return {
    id,
    bundleId,
    pushType,
    priority,
    ...(collapseId === undefined ? {} : { collapseId }),
    createdAt: timeText(createdAt),
    expiresAt: timeText(expiresAt),
    recipients: recipients.map(({ answeredAt, nextAttemptAt, ...rest }) => ({
      ...rest,
      ...(answeredAt === undefined ? {} : { answeredAt: timeText(answeredAt) }),
      ...(nextAttemptAt === undefined ? {} : { nextAttemptAt: timeText(nextAttemptAt) }),
    })),
  }
}

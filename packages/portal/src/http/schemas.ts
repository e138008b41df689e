import { z } from 'zod'
import { PortalError } from '../errors.ts'
import { keyEnvironments, profileKinds, pushCertificateKinds } from '../operations.ts'

/** What the HTTP API takes, one schema for each request body. Unknown fields are refused by name. */
export const schemas = {
  serverCertificate: z.strictObject({
    names: z.array(z.string()).exactOptional(),
    validityDays: z.number().exactOptional(),
  }),
  app: z.strictObject({
    bundleId: z.string(),
    name: z.string(),
    push: z.boolean().exactOptional(),
    inboxMax: z.number().exactOptional(),
    broadcast: z.boolean().exactOptional(),
  }),
  appChange: z.strictObject({
    name: z.string().exactOptional(),
    push: z.boolean().exactOptional(),
    inboxMax: z.number().exactOptional(),
    broadcast: z.boolean().exactOptional(),
  }),
  certificate: z.strictObject({
    bundleId: z.string(),
    kind: z.enum(pushCertificateKinds),
    csrPem: z.string().exactOptional(),
    keyType: z.enum(['rsa', 'p256']).exactOptional(),
    p12Password: z.string().exactOptional(),
  }),
  key: z.strictObject({
    name: z.string(),
    environment: z.enum(keyEnvironments).exactOptional(),
    topics: z.array(z.string()).exactOptional(),
    relatedKeyId: z.string().exactOptional(),
  }),
  device: z.strictObject({ name: z.string(), udid: z.string().exactOptional() }),
  deviceChange: z.strictObject({ status: z.literal('disabled') }),
  activation: z.strictObject({
    csrPem: z.string(),
    deviceId: z.string().exactOptional(),
    udid: z.string().exactOptional(),
    new: z.boolean().exactOptional(),
    name: z.string().exactOptional(),
  }),
  profile: z.strictObject({
    bundleId: z.string(),
    kind: z.enum(profileKinds),
    deviceIds: z.array(z.string()).exactOptional(),
    name: z.string().exactOptional(),
  }),
} as const

/** The body as its schema wants it, or `REQUEST_INVALID` with the first thing that is wrong. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    throw new PortalError('REQUEST_INVALID', 'The body is not JSON.', 'Send a JSON object.', cause)
  }
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const place = issue === undefined || issue.path.length === 0 ? 'The body' : `"${issue.path.join('.')}"`
  throw new PortalError(
    'REQUEST_INVALID',
    `${place} is wrong: ${issue?.message ?? 'not what is expected'}.`,
    'Send the fields that the portal API documents, and no others.',
  )
}

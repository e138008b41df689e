import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { ZodError } from 'zod'
import { AdminError } from './admin-error.ts'

/** An error answer. RFC 9457 */
const problemSchema = z
  .object({
    type: z.string().openapi({ example: 'urn:carillon:problem:INVALID_REQUEST' }),
    title: z.string(),
    status: z.int(),
    code: z.string().openapi({ description: 'For programs' }),
    detail: z.string().openapi({ description: 'One sentence that names the thing and the fix' }),
  })
  .openapi('Problem')

/** Said of a request whose body is missing or of another type. */
export const needsJson = 'Send the body with content-type application/json.'

/** Answers an error as application/problem+json; what is not meant for clients is told to `onFailure`. */
export function answerProblem(
  context: Context,
  error: unknown,
  onFailure: (error: unknown) => void,
): Response {
  const { code, status, message } = toAdminError(error, onFailure)
  const problem = {
    type: `urn:carillon:problem:${code}`,
    title: code.toLowerCase().replaceAll('_', ' '),
    status,
    code,
    detail: message,
  }
  context.header('content-type', 'application/problem+json')
  if (status === 503) context.header('retry-after', '1')
  if (status === 401) context.header('www-authenticate', 'Bearer')
  return context.body(JSON.stringify(problem), status as ContentfulStatusCode)
}

/** Turns the first thing that a schema found wrong into a sentence. */
export function invalidRequest(error: ZodError): AdminError {
  const [issue] = error.issues
  if (issue?.code === 'unrecognized_keys')
    return new AdminError('INVALID_REQUEST', `There is no "${issue.keys[0]}" here; see /openapi.json.`)
  const path = issue?.path.join('.') ?? ''
  const subject = path === '' ? 'The request' : path
  // A query parameter twice.
  const isRepeated = issue?.code === 'invalid_type' && issue.message.endsWith('received array')
  const complaint = isRepeated ? 'may be given once' : (issue?.message ?? 'is not valid')
  return new AdminError('INVALID_REQUEST', `${subject}: ${complaint}.`)
}

/** A JSON body of a schema, for route definitions. */
export function json<Schema extends z.ZodType>(schema: Schema) {
  return { 'application/json': { schema } } as const
}

/** The error answers of a route, for its documentation. */
export function problems(...statuses: readonly number[]) {
  const content = { 'application/problem+json': { schema: problemSchema } } as const
  return Object.fromEntries(statuses.map((status) => [status, { description: 'Problem', content }]))
}

function toAdminError(error: unknown, onFailure: (error: unknown) => void): AdminError {
  if (error instanceof AdminError) return error
  if (error instanceof HTTPException && error.status < 500) {
    const sentence = error.status === 415 ? needsJson : error.message
    return new AdminError('INVALID_REQUEST', sentence || 'The body is not JSON.', { status: error.status })
  }
  onFailure(error)
  return new AdminError('INTERNAL', 'The push service failed at this request; its log says why.')
}

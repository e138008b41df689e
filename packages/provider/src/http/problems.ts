import { DatabaseError } from '@carillon/database'
import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { ZodError } from 'zod'
import { ProviderError } from '../provider-error.ts'

/** An error answer. RFC 9457 */
export const problemSchema = z
  .object({
    type: z.string().openapi({ example: 'urn:carillon:problem:DEVICE_UNKNOWN' }),
    title: z.string(),
    status: z.int(),
    code: z.string().openapi({ description: 'For programs' }),
    detail: z.string().openapi({ description: 'One sentence that names the thing and the fix' }),
    reason: z
      .string()
      .optional()
      .openapi({ description: "Apple's reason, where the push service would give one" }),
  })
  .openapi('Problem')

/** Answers an error as application/problem+json; what is not meant for clients is told to `onFailure`. */
export function answerProblem(
  context: Context,
  error: unknown,
  onFailure: (error: unknown) => void,
): Response {
  const { code, status, message, reason } = toProviderError(error, onFailure)
  const problem = {
    type: `urn:carillon:problem:${code}`,
    title: code.toLowerCase().replaceAll('_', ' '),
    status,
    code,
    detail: message,
    ...(reason === undefined ? {} : { reason }),
  }
  context.header('content-type', 'application/problem+json')
  if (status === 503) context.header('retry-after', '1')
  if (status === 401) context.header('www-authenticate', 'Bearer')
  return context.body(JSON.stringify(problem), status as ContentfulStatusCode)
}

/** Turns the first thing that a schema found wrong into a sentence. */
export function invalidRequest(error: ZodError): ProviderError {
  const [issue] = error.issues
  const path = issue?.path.join('.') ?? ''
  const subject = path === '' ? 'The request' : path
  return new ProviderError('INVALID_REQUEST', `${subject}: ${issue?.message ?? 'is not valid'}.`)
}

function toProviderError(error: unknown, onFailure: (error: unknown) => void): ProviderError {
  if (error instanceof ProviderError) return error
  if (error instanceof DatabaseError && error.code === 'DATABASE_BUSY') {
    return new ProviderError(
      'BUSY',
      'The outbox has more to write than it takes at once; try again in a second.',
    )
  }
  if (error instanceof HTTPException && error.status < 500) {
    const sentence =
      error.status === 415 ? 'Send the body with content-type application/json.' : error.message
    return new ProviderError('INVALID_REQUEST', sentence || 'The body is not JSON.', { status: error.status })
  }
  onFailure(error)
  return new ProviderError('INTERNAL', 'The provider failed at this request; its log says why.')
}

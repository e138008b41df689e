import type { z } from '@hono/zod-openapi'
import { problemSchema } from './problems.ts'

/** A JSON body of a schema, for route definitions. */
export function json<Schema extends z.ZodType>(schema: Schema) {
  return { 'application/json': { schema } } as const
}

/** The error answers of a route, for its documentation. */
export function problems(...statuses: readonly number[]) {
  const content = { 'application/problem+json': { schema: problemSchema } } as const
  return Object.fromEntries(statuses.map((status) => [status, { description: 'Problem', content }]))
}

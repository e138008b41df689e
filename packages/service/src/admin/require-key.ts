import { createHash, timingSafeEqual } from 'node:crypto'
import { bearerTokenOf, header } from '@carillon/wire'
import type { MiddlewareHandler } from 'hono'
import { AdminError } from './admin-error.ts'

/** Lets a request pass that carries the key, compared in constant time. */
export function requireKey(key: string): MiddlewareHandler {
  const known = digest(key)
  return async (context, next) => {
    const given = digest(bearerTokenOf(context.req.header(header.authorization) ?? ''))
    if (!timingSafeEqual(known, given)) {
      throw new AdminError('UNAUTHORIZED', 'Send the admin key: "authorization: Bearer <key>".')
    }
    await next()
  }
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

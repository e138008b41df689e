import { createHash, timingSafeEqual } from 'node:crypto'
import { bearerTokenOf, header } from '@carillon/wire'
import type { MiddlewareHandler } from 'hono'
import { ProviderError } from '../provider-error.ts'

/** Lets a request pass that carries one of the keys. All are compared, in constant time. */
export function requireKey(apiKeys: readonly string[]): MiddlewareHandler {
  const digests = apiKeys.map(digest)
  return async (context, next) => {
    const given = digest(bearerTokenOf(context.req.header(header.authorization) ?? ''))
    let matches = 0
    for (const known of digests) matches += timingSafeEqual(known, given) ? 1 : 0
    if (matches === 0) {
      throw new ProviderError('UNAUTHORIZED', 'Send a valid API key: "authorization: Bearer <key>".')
    }
    await next()
  }
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

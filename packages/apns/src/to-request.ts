import { header } from '@carillon/wire'
import { ArgumentError } from './errors.ts'
import { PendingPush } from './pending-push.ts'
import { requestHeaders } from './request-headers.ts'
import type { PushRejected } from './result.ts'

/** A request as it would be sent, for `fetch`, curl, or a look at it. */
export interface PushRequest {
  readonly method: 'POST'
  readonly url: string
  /** Without `authorization`, unless it was asked for: whoever has it can send as you for an hour. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Throws ArgumentError for a push that would not be sent. */
export const requestOf = (
  pending: PendingPush | PushRejected,
  authority: string,
  authorization: string | undefined,
): PushRequest => {
  if (!(pending instanceof PendingPush)) throw new ArgumentError('push', pending.hint)
  const list = requestHeaders(pending, authority, authorization)
  const headers: Record<string, string> = {}
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i]!
    if (!name.startsWith(':')) headers[name] = list[i + 1]!
  }
  const path = list[list.indexOf(header.path) + 1]!
  return {
    method: 'POST',
    url: `https://${authority}${path}`,
    headers,
    body: typeof pending.body === 'string' ? Buffer.from(pending.body) : pending.body,
  }
}

import type { HeaderList } from '@carillon/http2'
import { contentTypeJson, errorBody, header, isApnsId, knownReasonOf } from '@carillon/wire'
import type { Fault } from './fault-rule.ts'

/** The answer that a rule gives in place of the service's own. */
export function answerOf(
  fault: Extract<Fault, { kind: 'answer' }>,
  request: HeaderList,
  newApnsId: () => string,
): { headers: HeaderList; body: Uint8Array | undefined } {
  const known = fault.reason === undefined ? undefined : knownReasonOf(fault.reason)
  const status = fault.status ?? known?.status ?? 500
  const headers = [header.status, String(status), header.apnsId, idOf(request) ?? newApnsId()]
  if (fault.retryAfter !== undefined) headers.push(header.retryAfter, String(fault.retryAfter))
  if (fault.body !== undefined) return { headers, body: Buffer.from(fault.body) }
  if (fault.reason === undefined) return { headers, body: undefined }
  headers.push(header.contentType, contentTypeJson)
  // The spelling is the rule's own.
  const body =
    known?.text === fault.reason
      ? errorBody(known, fault.timestamp)
      : Buffer.from(JSON.stringify({ reason: fault.reason, timestamp: fault.timestamp }))
  return { headers, body }
}

function idOf(request: HeaderList): string | undefined {
  for (let index = 0; index < request.length; index += 2) {
    if (request[index] === header.apnsId && isApnsId(request[index + 1]!)) return request[index + 1]
  }
  return undefined
}

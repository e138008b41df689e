import type { HeaderList } from '@carillon/http2'
import { contentTypeJson, header, type Reason } from '@carillon/wire'

/** The headers of a success without a body: they end the stream. */
export function doneHeaders(status: '200' | '204', requestId: string): HeaderList {
  return [header.status, status, header.apnsRequestId, requestId]
}

/** The headers of a 201: the new channel's id is in them. */
export function createdHeaders(requestId: string, channelId: string): HeaderList {
  return [header.status, '201', header.apnsRequestId, requestId, header.apnsChannelId, channelId]
}

/** The headers of a 200 with a JSON body. */
export function bodyHeaders(requestId: string): HeaderList {
  return [header.status, '200', header.apnsRequestId, requestId, header.contentType, contentTypeJson]
}

/**
 * The headers of every other answer; the body follows.
 * @param retryAfterSeconds for the answers 429 and 503; 0: without the header
 */
export function channelRejectionHeaders(
  reason: Reason,
  requestId: string,
  retryAfterSeconds: number,
): HeaderList {
  const headers = [
    header.status,
    String(reason.status),
    header.apnsRequestId,
    requestId,
    header.contentType,
    contentTypeJson,
  ]
  if (retryAfterSeconds > 0 && (reason.status === 429 || reason.status === 503)) {
    headers.push(header.retryAfter, String(retryAfterSeconds))
  }
  return headers
}

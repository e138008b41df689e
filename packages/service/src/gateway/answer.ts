import type { HeaderList, IndexingPolicies } from '@carillon/http2'
import { contentTypeJson, header, type Reason } from '@carillon/wire'

/** Both ids are new in each answer: as entries of the HPACK table they would only push out what repeats. */
export const answerIndexing: IndexingPolicies = {
  [header.apnsId]: 'literal',
  [header.apnsUniqueId]: 'literal',
}

/** The headers of a 200. It has no body, so they end the stream: some clients cannot take an empty DATA frame. */
export function acceptedHeaders(apnsId: string, apnsUniqueId: string): HeaderList {
  // Apple: "Handling notification responses": apns-unique-id comes from the development environment only.
  return apnsUniqueId === ''
    ? [header.status, '200', header.apnsId, apnsId]
    : [header.status, '200', header.apnsId, apnsId, header.apnsUniqueId, apnsUniqueId]
}

/** The headers of every other answer; the body follows in one DATA frame. */
export function rejectedHeaders(reason: Reason, apnsId: string, retryAfterSeconds: number): HeaderList {
  const { status } = reason
  const list = [header.status, statusText(status), header.apnsId, apnsId, header.contentType, contentTypeJson]
  // Apple documents no such header; some clients read it.
  if (retryAfterSeconds > 0 && (status === 429 || status === 503)) {
    list.push(header.retryAfter, String(retryAfterSeconds))
  }
  return list
}

const statusTexts = new Map<number, string>()

function statusText(status: number): string {
  let text = statusTexts.get(status)
  if (text === undefined) {
    text = String(status)
    statusTexts.set(status, text)
  }
  return text
}

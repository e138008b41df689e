import type { HeaderList } from '@carillon/http2'
import type { PushAccepted, PushRejected, PushResult, PushUnanswered } from './result.ts'

/** What became of a request for channels or of a broadcast: `T` beside the request id, or why it failed. */
export type ChannelResult<T extends object> = ChannelSuccess<T> | ChannelFailure

export type ChannelSuccess<T extends object> = T & {
  readonly ok: true
  readonly outcome: 'accepted'
  /** The id under which the service knows the request. */
  readonly requestId: string
}

/** The same as of a push, with the id of the request. */
export type ChannelFailure =
  | (Omit<PushRejected, 'apnsId' | 'tokenIsDead' | 'timestamp'> & { readonly requestId: string })
  | (Omit<PushUnanswered, 'apnsId' | 'tokenIsDead'> & { readonly requestId: string })

/** Headers and body of a success. */
export interface CallOutcome {
  headers: HeaderList
  body: Uint8Array
}

export function channelResult(result: PushAccepted): ChannelSuccess<object>
export function channelResult(result: PushRejected | PushUnanswered): ChannelFailure
export function channelResult(result: PushResult): ChannelSuccess<object> | ChannelFailure
export function channelResult(result: PushResult): ChannelSuccess<object> | ChannelFailure {
  if (result.ok) return { ok: true, outcome: 'accepted', requestId: result.apnsId }
  const { apnsId, tokenIsDead: _, ...rest } = result
  return { ...rest, requestId: apnsId }
}

/** A success that does not hold what it should: an intermediary, or a service of another kind. */
export const unreadable = (requestId: string): ChannelFailure => ({
  ok: false,
  outcome: 'rejected',
  status: 502,
  reason: 'UnreadableAnswer',
  retryable: false,
  sent: true,
  attempts: 1,
  ambiguous: false,
  hint: 'The service answered with success and without the data that belongs to it. Is it a push service?',
  requestId,
})

import {
  type Environment,
  header,
  isRetryable,
  type Reason,
  readErrorBody,
  reasonOf,
  reasonOfStatus,
  reasons,
  tokenIsDead,
} from '@carillon/wire'
import type { PendingPush } from './pending-push.ts'
import type { PushAccepted, PushRejected, PushUnanswered, TransportReason } from './result.ts'

/** The result of a 200. The service's spelling of the id wins: it is the one in its logs. */
export const acceptedBy = (push: PendingPush, headers: readonly string[]): PushAccepted => {
  let apnsId = push.apnsId
  let uniqueId: string | undefined
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]
    if (name === header.apnsId || name === header.apnsRequestId) apnsId = headers[i + 1]!
    else if (name === header.apnsUniqueId) uniqueId = headers[i + 1]!
  }
  return uniqueId === undefined
    ? { ok: true, outcome: 'accepted', apnsId }
    : { ok: true, outcome: 'accepted', apnsId, apnsUniqueId: uniqueId }
}

/** What an answer other than a success says. */
export interface Answer {
  readonly reason: Reason
  readonly status: number
  /** With 410: since when the token is inactive. */
  readonly timestampMs?: number | undefined
  /** What the service said by retry-after. */
  readonly retryAfterMs?: number | undefined
}

/** Reads an answer. A body that is no reason (a proxy's page) is named by its status. */
export const answerOf = (
  status: number,
  body: Uint8Array,
): { reason: Reason; timestampMs: number | undefined } => {
  const said = readErrorBody(body)
  const reason = said === undefined ? reasonOfStatus(status) : reasonOf(said.reason, status)
  return { reason, timestampMs: said?.timestampMs }
}

/** The result of a reason that the service gave. `adviceMs`: what to wait where it is retried later. */
export const rejectedBy = (
  push: PendingPush,
  { reason, status, timestampMs }: Answer,
  adviceMs: number | undefined,
  environment: Environment,
): PushRejected => {
  // Apple: "Handling notification responses from APNs": stop, unless the app hands over the same token again later.
  const isSuperseded = tokenIsDead(reason) && timestampMs !== undefined && push.registeredAt > timestampMs
  return {
    ok: false,
    outcome: 'rejected',
    status,
    reason: reason.text,
    apnsId: push.apnsId,
    ...(timestampMs === undefined ? {} : { timestamp: timestampMs }),
    retryable: isRetryable(reason) || isSuperseded,
    ...(adviceMs === undefined ? {} : { retryAfter: adviceMs }),
    tokenIsDead: tokenIsDead(reason) && !isSuperseded,
    // A farewell of the service is the answer to those that wait, too.
    sent: push.requests > 0,
    attempts: push.requests,
    ambiguous: push.isAmbiguous,
    hint: isSuperseded
      ? 'The token was inactive once, but the app registered it again since: keep it.'
      : `${reason.meaning} ${fixOf(reason, environment)}`,
  }
}

const fixOf = (reason: Reason, environment: Environment): string => {
  if (reason !== reasons.BadDeviceToken) return reason.fix
  const other = environment === 'sandbox' ? 'production' : 'sandbox'
  return `Is it a token of the other environment? This client sends to ${environment}: try ${other}. ${reason.fix}`
}

/** The result of a push that the service is known to refuse, and that is therefore not sent. */
export const refusedLocally = (apnsId: string, reason: Reason, found: string): PushRejected => ({
  ok: false,
  outcome: 'rejected',
  status: reason.status,
  reason: reason.text,
  apnsId,
  retryable: false,
  // A token that is no token at all is not one that died.
  tokenIsDead: false,
  sent: false,
  attempts: 0,
  ambiguous: false,
  hint: `Not sent: ${found}. ${reason.fix}`,
})

const retryableUnanswered: Readonly<Record<TransportReason, boolean>> = {
  ConnectionLost: true,
  StreamReset: true,
  DeadlineExceeded: true,
  ConnectFailed: true,
  Refused: true,
  QueueFull: true,
  ClientClosed: true,
  Aborted: false,
}

const ambiguousFix =
  'It may have arrived: send it again, with the same apnsId, only where twice does no harm.'

/** The result of a push without an answer. */
export const unansweredBy = (
  push: PendingPush,
  reason: TransportReason,
  hint: string,
  adviceMs: number,
): PushUnanswered => ({
  ok: false,
  outcome: push.isAmbiguous ? 'ambiguous' : 'unsent',
  status: 0,
  reason,
  apnsId: push.apnsId,
  retryable: retryableUnanswered[reason],
  ...(retryableUnanswered[reason] ? { retryAfter: adviceMs } : {}),
  tokenIsDead: false,
  sent: push.requests > 0,
  attempts: push.requests,
  ambiguous: push.isAmbiguous,
  hint: push.isAmbiguous ? `${hint.replace(/\.?$/, '.')} ${ambiguousFix}` : hint,
})

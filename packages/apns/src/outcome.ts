import { header, isRetryable, type Reason, readErrorBody, reasonOf, tokenIsDead } from '@carillon/wire'
import type { PendingPush } from './pending-push.ts'
import type { PushAccepted, PushRejected, PushUnanswered, TransportReason } from './push.ts'

/** The result of a 200. The service's spelling of the id wins: it is the one in its logs. */
export const acceptedBy = (push: PendingPush, headers: readonly string[]): PushAccepted => {
  let apnsId = push.apnsId
  let uniqueId: string | undefined
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]
    if (name === header.apnsId) apnsId = headers[i + 1]!
    else if (name === header.apnsUniqueId) uniqueId = headers[i + 1]!
  }
  return uniqueId === undefined ? { ok: true, apnsId } : { ok: true, apnsId, apnsUniqueId: uniqueId }
}

/** What an answer other than 200 says. A body that is no reason (a proxy's page) is named by its status. */
export const reasonOfAnswer = (
  status: number,
  body: Uint8Array,
): { reason: Reason; timestampMs: number | undefined } => {
  const said = readErrorBody(body)
  return { reason: reasonOf(said?.reason ?? `HttpStatus${status}`, status), timestampMs: said?.timestampMs }
}

/** The result of a reason that the service gave. */
export const rejectedBy = (
  push: PendingPush,
  reason: Reason,
  status: number,
  timestampMs?: number,
): PushRejected => ({
  ok: false,
  status,
  reason: reason.text,
  apnsId: push.apnsId,
  ...(timestampMs === undefined ? {} : { timestamp: timestampMs }),
  retryable: isRetryable(reason),
  tokenIsDead: tokenIsDead(reason),
  // A farewell of the service is the answer to those that wait, too.
  sent: push.openedAt !== 0,
  ambiguous: false,
  hint: `${reason.meaning} ${reason.fix}`,
})

/** The result of a push that the service is known to refuse, and that is therefore not sent. */
export const refusedLocally = (apnsId: string, reason: Reason, found: string): PushRejected => ({
  ok: false,
  status: reason.status,
  reason: reason.text,
  apnsId,
  retryable: false,
  // A token that is no token at all is not one that died.
  tokenIsDead: false,
  sent: false,
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

/** The result of a push without an answer. `ambiguous`: it was sent and nobody knows what became of it. */
export const unansweredBy = (
  apnsId: string,
  reason: TransportReason,
  ambiguous: boolean,
  hint: string,
): PushUnanswered => ({
  ok: false,
  status: 0,
  reason,
  apnsId,
  retryable: retryableUnanswered[reason],
  tokenIsDead: false,
  sent: ambiguous || reason === 'Refused',
  ambiguous,
  hint,
})

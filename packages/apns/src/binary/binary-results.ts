import type { BinaryStatusName } from '@carillon/wire'
import type { TransportReason } from '../result.ts'
import type { BinaryPushRejected, BinaryPushUnanswered } from './binary-push.ts'

export function rejectedBy(status: number, name: BinaryStatusName | undefined): BinaryPushRejected {
  const hint = (name === undefined ? undefined : hints[name]) ?? 'Apple documents no more about it.'
  return { ok: false, outcome: 'rejected', status, reason: name ?? 'unknown', hint }
}

export function unanswered(
  reason: TransportReason,
  mayBeAccepted: boolean,
  hint: string = unansweredHints[reason] ?? '',
): BinaryPushUnanswered {
  return { ok: false, outcome: mayBeAccepted ? 'ambiguous' : 'unsent', status: 0, reason, hint }
}

const hints: Readonly<Partial<Record<BinaryStatusName, string>>> = {
  processingError: 'The service could not take it; send it again later.',
  missingPayload: 'Give a payload that is a JSON object.',
  invalidTokenSize: 'No token has this length.',
  invalidPayloadSize: 'Shorten the payload, or send an id and let the app fetch the rest.',
  invalidToken:
    'The token is of another app or environment than the certificate; feedback tells of removed apps.',
  protocolError: 'The service could not read it.',
}

const unansweredHints: Readonly<Partial<Record<TransportReason, string>>> = {
  ConnectionLost:
    'The connection broke without an answer. If it always does, the service refuses the certificate: it is expired, revoked, or of another environment.',
  DeadlineExceeded: 'It could not be sent within queuedMsMax. Send more slowly, or raise it.',
  QueueFull: 'Wait for results before sending more.',
  ClientClosed: 'The client was closed. Flush before that, or raise closeMsMax.',
}

import { type Reason, type ReasonRow, reasonFromRow } from './reason.ts'
import { reasonRows } from './reason-rows.ts'

/** The default wire text of every reason in the table. */
export type ReasonText = keyof typeof reasonRows

/** The rows by their text: `reasons.BadDeviceToken`. */
export const reasons = Object.fromEntries(
  Object.entries<ReasonRow>(reasonRows).map(([text, row]) => [text, reasonFromRow(text, row)]),
) as Readonly<Record<ReasonText, Reason>>

/** All rows, by status and then by name. Documentation, tests and the console are derived from it. */
export const reasonTable: readonly Reason[] = Object.values(reasons)

const byText = new Map<string, Reason>()
for (const reason of reasonTable) {
  for (const text of [reason.text, reason.documentedText, ...reason.alternatives]) byText.set(text, reason)
}

/** The row of a text in any of its spellings, or undefined. */
export function knownReasonOf(text: string): Reason | undefined {
  return byText.get(text)
}

/**
 * The row of a text, for clients: a text that is not in the table becomes a row of its own whose class follows
 * from the status, so that a new reason of the service never breaks a client.
 */
export function reasonOf(text: string, status: number): Reason {
  return byText.get(text) ?? reasonFromRow(text, unknownRow(text, status), false)
}

/** The row of an answer without a reason, for clients; its text names the status. */
export function reasonOfStatus(status: number): Reason {
  const text = `HttpStatus${status}`
  const row: ReasonRow = {
    ...unknownRow(text, status),
    meaning: `The answer has the status ${status} and no reason; the service itself always gives one.`,
    fix: 'Look at what is between: a proxy or a load balancer may have answered in its place.',
  }
  return reasonFromRow(text, row, false)
}

/** True when the token will never work again and should be dropped (unless the app hands it over anew). */
export function tokenIsDead(reason: Reason): boolean {
  return reason.token === 'dead'
}

/** True when the same push may be tried again without anybody changing it. */
export function isRetryable(reason: Reason): boolean {
  return reason.retry !== 'never' && reason.retry !== 'afterFix'
}

function unknownRow(text: string, status: number): ReasonRow {
  const row: ReasonRow = {
    status,
    meaning: `The service answered ${status} with the reason ${JSON.stringify(text)}, which is not a known one.`,
    fix: 'Look it up in the documentation of the service.',
    api: 'both',
  }
  if (status >= 500) return { ...row, retry: 'backoff', fixer: 'service' }
  if (status === 429) return { ...row, retry: 'withDelay', fixer: 'pace' }
  if (status === 410) return { ...row, retry: 'never', fixer: 'tokenList', token: 'dead' }
  return row
}

/** Which part of the provider API gives a reason: device pushes, channels (management and broadcasts), or both. */
export type ReasonApi = 'device' | 'channels' | 'both'

/**
 * What a client may do with a rejected push.
 * - `never`: this push can never succeed, drop it.
 * - `afterFix`: the same request fails again until somebody changes it or the account.
 * - `withDelay`: later, at a slower pace.
 * - `backoff`: the service is at fault; later, with growing delays (Apple: start at 15 minutes).
 * - `newConnection`: at once, on another connection.
 * - `renewToken`: with a fresh provider token, on another connection.
 */
export type ReasonRetry = 'never' | 'afterFix' | 'withDelay' | 'backoff' | 'newConnection' | 'renewToken'

/** Who can remove the cause: the sender's code, its account and keys, its token list, its pace, or the service. */
export type ReasonFixer = 'request' | 'account' | 'tokenList' | 'pace' | 'service'

/**
 * What a reason says about the device token: `dead` for good (drop it unless the app hands it over again),
 * `misplaced` (it belongs to another environment or app, or is no token), or nothing.
 */
export type ReasonToken = 'dead' | 'misplaced' | 'fine'

/** One row of the reason table: everything that a party needs to know about one rejection. */
export interface Reason {
  /** The text on the wire that our service sends by default. */
  readonly text: string
  /** The HTTP status that goes with it. */
  readonly status: number
  /** What happened, in one sentence. */
  readonly meaning: string
  /** What to do about it, in one sentence. */
  readonly fix: string
  readonly api: ReasonApi
  readonly retry: ReasonRetry
  readonly fixer: ReasonFixer
  /**
   * Whether it counts towards the errors after which a connection is slowed down or closed. Apple: "Handling
   * notification responses from APNs": 4XX answers count, 410 does not.
   */
  readonly countsAsError: boolean
  readonly token: ReasonToken
  /** The spelling in Apple's documents where it differs from the one seen on the wire, else the same as `text`. */
  readonly documentedText: string
  /** Every other spelling that a client must take for this reason. */
  readonly alternatives: readonly string[]
  /** Other statuses with which the reason was documented or seen. */
  readonly alternativeStatuses: readonly number[]
  /** False for a reason that is not in the table: made for clients from an unknown text and the status. */
  readonly known: boolean
}

/** What a row has to say; the rest follows from the status. */
export interface ReasonRow {
  readonly status: number
  readonly meaning: string
  readonly fix: string
  readonly api?: ReasonApi
  readonly retry?: ReasonRetry
  readonly fixer?: ReasonFixer
  readonly token?: ReasonToken
  readonly documentedText?: string
  readonly alternatives?: readonly string[]
  readonly alternativeStatuses?: readonly number[]
}

/** Completes a row. Device pushes, a fix in the request and no retry before it are what most rows mean. */
export function reasonFromRow(text: string, row: ReasonRow, known = true): Reason {
  return Object.freeze({
    text,
    status: row.status,
    meaning: row.meaning,
    fix: row.fix,
    api: row.api ?? 'device',
    retry: row.retry ?? 'afterFix',
    fixer: row.fixer ?? 'request',
    countsAsError: row.status >= 400 && row.status < 500 && row.status !== 410,
    token: row.token ?? 'fine',
    documentedText: row.documentedText ?? text,
    alternatives: row.alternatives ?? [],
    alternativeStatuses: row.alternativeStatuses ?? [],
    known,
  })
}

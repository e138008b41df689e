import type { Environment, Priority, PushType } from '@carillon/wire'

/** A message as it is stored: what is the same for all its recipients. Times are milliseconds since 1970. */
export interface Message {
  readonly id: string
  readonly bundleId: string
  readonly topic: string
  readonly pushType: PushType
  readonly priority: Priority
  /** `apns-expiration`: UNIX seconds; 0: one attempt of the service, not stored there. */
  readonly expiration: number
  readonly collapseId: string | undefined
  readonly payload: string
  readonly createdAt: number
  /** From then on no attempt is made. */
  readonly expiresAt: number
}

/** Whom a message is for. The same apns-id goes with every attempt, so that two arrivals are recognisable as one. */
export interface NewRecipient {
  readonly token: string
  readonly environment: Environment
  readonly apnsId: string
  /** Set when it is known already that it cannot be sent. */
  readonly failed?: { readonly status: number; readonly reason: string }
}

/**
 * `waiting` for its next attempt, being sent (`sending`), taken over by the push service (`sent`), refused for
 * good (`failed`), or out of time (`expired`).
 */
export type RecipientState = 'waiting' | 'sending' | 'sent' | 'failed' | 'expired'

/** A recipient that a dispatcher holds by lease. */
export interface ClaimedRecipient {
  readonly id: number
  readonly messageId: string
  readonly token: string
  readonly apnsId: string
  /** Counts the attempts, this one included; with the owner it fences off a dispatcher whose lease has ended. */
  readonly attempts: number
}

/** What is told of a recipient. */
export interface RecipientStatus {
  readonly token: string
  readonly environment: Environment
  readonly apnsId: string
  readonly state: RecipientState
  readonly attempts: number
  /** The last answer of the service; status 0: none came. */
  readonly status: number | undefined
  readonly reason: string | undefined
  readonly answeredAt: number | undefined
  /** When it is tried again, while it waits. */
  readonly nextAttemptAt: number | undefined
}

import type { TokenRecord } from '../registry/registry.ts'

/** One accepted notification on its way to a device. */
export interface Notification {
  /** As the provider wrote it (case kept), or made by the gateway. */
  readonly apnsId: string
  /** UUID in `apns-unique-id` of the sandbox's answer, '' in production. */
  readonly uniqueId: string
  readonly token: TokenRecord
  /** May be a view of what a socket brought, good until `accept` returns: who keeps the payload copies it. */
  readonly payload: Uint8Array
  /** 10, 5 or 1. */
  readonly priority: number
  /** UNIX seconds; 0: one attempt, never stored. Absent headers arrive here as the 30-day ceiling. */
  readonly expiration: number
  /** '' where there is none. */
  readonly collapseId: string
  /** The push type's value in the wire table, '' where the header was absent. */
  readonly pushType: string
  readonly receivedAtMs: number
}

/**
 * `accepted`: on disk, or acknowledged by its device, or needs neither (expiration 0, already expired).
 * `busy`: a queue is at its limit, nothing was kept; the provider is told to come again. `failed`: the store broke.
 */
export type AcceptOutcome = 'accepted' | 'busy' | 'failed'

/** Where gateway and courier meet. */
export interface Delivery {
  /**
   * Decides by device state, expiry and the app's inbox rule: deliver now, store, or discard. `done` is called
   * exactly once, synchronously or later, and takes the same `context` along so that callers need no closure.
   */
  accept<C>(notification: Notification, context: C, done: (context: C, outcome: AcceptOutcome) => void): void
}

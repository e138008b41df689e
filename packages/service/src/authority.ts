import type { KeyObject } from 'node:crypto'
import type { Environment } from '@carillon/wire'

/** What a team has set for one App ID, as far as the push service needs it. */
export interface AppSettings {
  readonly bundleId: string
  readonly teamId: string
  readonly pushEnabled: boolean
  /** How many notifications wait per device while it is away. 1 is Apple's rule; more makes it a queue. */
  readonly inboxMax: number
  /** The broadcast capability; switching it off deletes all channels of the app. Means nothing without push. */
  readonly broadcastEnabled: boolean
}

/** The public half of a `.p8` auth key. */
export interface AuthKey {
  readonly keyId: string
  readonly teamId: string
  readonly publicKey: KeyObject
  /** Older keys serve both environments: `all`. */
  readonly environment: 'all' | Environment
  /** Bundle ids that the key may push to; `all` for a team-scoped key. */
  readonly topics: 'all' | readonly string[]
  readonly revoked: boolean
  /** Another topic-specific key of the same team and environment that may be used on one connection with this one. */
  readonly relatedKeyId?: string
}

export type AuthorityChange =
  | { readonly kind: 'app'; readonly bundleId: string }
  | { readonly kind: 'authKey'; readonly keyId: string }
  | { readonly kind: 'certificate'; readonly serial: string }

/**
 * The push service's whole knowledge of the portal. Declared here, so that the service never imports the
 * portal; the system adapts one to the other. Answers are synchronous: whoever implements it keeps them at
 * hand and tells of changes through `onChange`.
 */
export interface Authority {
  app(bundleId: string): AppSettings | undefined
  /** Every App ID with push, for the table from topic hash to topic. */
  apps(): readonly AppSettings[]
  authKey(keyId: string): AuthKey | undefined
  /** @param serial lower-case hex, without leading zeros beyond whole bytes */
  certificateStatus(serial: string): 'good' | 'revoked' | 'unknown'
  /** PEM of the CA that signs push certificates, and of its root: trust anchors of the provider-facing ports. */
  readonly pushCaPem: readonly string[]
  /** PEM of the device CA and of its root: who may connect to the courier. */
  readonly deviceCaPem: readonly string[]
  /** Calls the listener after each change; returns how to stop. */
  onChange(listener: (change: AuthorityChange) => void): () => void
}

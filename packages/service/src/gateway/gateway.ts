import type { Authority } from '../authority.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Registry } from '../registry/registry.ts'
import type { ApnsIds } from './apns-ids.ts'
import type { ProviderTokens } from './provider-tokens.ts'

/** What all connections of one environment's gateway share. */
export interface Gateway {
  readonly environment: 'sandbox' | 'production'
  readonly authority: Authority
  readonly registry: Pick<Registry, 'cachedToken' | 'findToken'>
  readonly delivery: Delivery
  readonly providerTokens: ProviderTokens
  readonly apnsIds: ApnsIds
  readonly now: () => number
  /** Told of what should not happen, in one sentence. */
  readonly onTrouble: (sentence: string, cause: unknown) => void
  /** Streams at a time on a connection without certificate that has not shown a valid token yet. */
  readonly streamsBeforeToken: number
  /** Counts the changes that the authority told of: what was concluded before is to be concluded again. */
  changes: number
  /** True from the moment that the listener stops: what still comes is answered Shutdown. */
  isClosing: boolean
}

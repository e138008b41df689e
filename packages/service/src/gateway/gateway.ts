import type { ByteBudget } from '@carillon/http2'
import type { Environment } from '@carillon/wire'
import type { Authority } from '../authority.ts'
import type { ChannelRequests } from '../channels/channel-requests.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Faults } from '../faults/faults.ts'
import type { Fidelity } from '../fidelity.ts'
import type { Registry } from '../registry/registry.ts'
import type { Trace } from '../trace/trace.ts'
import type { ApnsIds } from './apns-ids.ts'
import type { ConnectionTable } from './connection-table.ts'
import type { ProviderTokens } from './provider-tokens.ts'
import type { RequestRates } from './request-rates.ts'
import type { TokenUpdates } from './token-updates.ts'

/** What all connections of one environment's gateway share. */
export interface Gateway {
  readonly environment: Environment
  readonly authority: Authority
  readonly registry: Pick<Registry, 'cachedToken' | 'findToken'>
  readonly delivery: Delivery
  readonly trace: Trace
  readonly fidelity: Fidelity
  /** Trouble on purpose. */
  readonly faults?: Faults | undefined
  /** Channel management and broadcasts; where absent their paths are BadPath. */
  readonly channels: ChannelRequests | undefined
  readonly providerTokens: ProviderTokens
  /** Renewals of provider tokens by key; undefined where they count for each connection, or not at all. */
  readonly tokenUpdates: TokenUpdates | undefined
  /** Undefined where a device token may be sent to at any rate. */
  readonly requestRates: RequestRates | undefined
  readonly connections: ConnectionTable
  /** What connections that have not shown who they are may hold together. */
  readonly unprovenBudget: ByteBudget
  readonly apnsIds: ApnsIds
  readonly now: () => number
  /** Told of what should not happen, in one sentence. */
  readonly onTrouble: (sentence: string, cause: unknown) => void
  /** Counts the changes that the authority told of: what was concluded before is to be concluded again. */
  changes: number
  /** True from the moment that the listener stops: what still comes is answered Shutdown. */
  isClosing: boolean
}

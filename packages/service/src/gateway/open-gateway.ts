import type { Environment } from '@carillon/wire'
import type { Authority } from '../authority.ts'
import type { ChannelRequests } from '../channels/channel-requests.ts'
import type { Delivery } from '../delivery/delivery.ts'
import type { Faults } from '../faults/faults.ts'
import type { Fidelity } from '../fidelity.ts'
import { limits } from '../limits.ts'
import type { Registry } from '../registry/registry.ts'
import { type Trace, untraced } from '../trace/trace.ts'
import { ApnsIds } from './apns-ids.ts'
import { ConnectionTable } from './connection-table.ts'
import type { Gateway } from './gateway.ts'
import { ProviderTokens } from './provider-tokens.ts'
import { RequestRates } from './request-rates.ts'
import { TokenUpdates } from './token-updates.ts'

/** What a gateway works with, apart from where it listens. */
export interface GatewayParts {
  readonly environment: Environment
  readonly authority: Authority
  readonly registry: Pick<Registry, 'cachedToken' | 'findToken'>
  readonly delivery: Delivery
  /** Told of each rejected push; nobody where absent. */
  readonly trace?: Trace
  readonly fidelity: Fidelity
  /** Trouble on purpose; none where absent. */
  readonly faults?: Faults
  /** Channel management and broadcasts. */
  readonly channels?: ChannelRequests
  /** Told of faults of the gateway itself, each of which ends one connection; nobody where absent. */
  readonly onTrouble?: (sentence: string, cause: unknown) => void
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}

/** What the connections of one gateway share, and how to stop following the authority. */
export function openGateway(parts: GatewayParts): {
  readonly gateway: Gateway
  readonly release: () => void
} {
  const { authority, environment, fidelity, now } = parts
  const { tokenUpdateMinutesMin, tokenUpdateScope, requestsPerTokenPerMinuteMax } = fidelity
  const countsByKey = tokenUpdateScope === 'key' && tokenUpdateMinutesMin > 0
  const gateway: Gateway = {
    environment,
    authority,
    registry: parts.registry,
    delivery: parts.delivery,
    trace: parts.trace ?? untraced,
    fidelity,
    faults: parts.faults,
    channels: parts.channels,
    providerTokens: new ProviderTokens(authority, environment),
    tokenUpdates: countsByKey ? new TokenUpdates(tokenUpdateMinutesMin * 60_000) : undefined,
    requestRates:
      requestsPerTokenPerMinuteMax > 0 ? new RequestRates(requestsPerTokenPerMinuteMax) : undefined,
    connections: new ConnectionTable(),
    unprovenBudget: { bytes: 0, bytesMax: limits.unprovenProvidersBytesMax },
    apnsIds: new ApnsIds(parts.random),
    now,
    onTrouble: parts.onTrouble ?? (() => {}),
    changes: 0,
    isClosing: false,
  }
  // After the provider tokens, which forget what the change makes void.
  const unsubscribe = authority.onChange((change) => {
    gateway.changes += 1
    gateway.connections.onAuthorityChange(change)
  })
  const release = (): void => {
    unsubscribe()
    gateway.providerTokens.close()
  }
  return { gateway, release }
}

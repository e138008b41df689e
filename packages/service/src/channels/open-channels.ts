import type { Authority } from '../authority.ts'
import type { Fidelity } from '../fidelity.ts'
import { ApnsIds } from '../gateway/apns-ids.ts'
import type { Trace } from '../trace/trace.ts'
import { ChannelRequests } from './channel-requests.ts'
import { Channels, type ChannelsOptions } from './channels.ts'
import { Subscribers } from './subscribers.ts'

export interface OpenChannelsOptions extends ChannelsOptions {
  readonly authority: Authority
  readonly fidelity: Fidelity
  readonly trace?: Pick<Trace, 'rejected' | 'broadcast'>
}

/** Broadcast channels as the service wires them: what providers ask, and what devices listen to. */
export interface OpenChannels {
  readonly channels: Channels
  /** For the gateway. */
  readonly requests: ChannelRequests
  /** For the courier. */
  readonly subscribers: Subscribers
}

/** Reads the channels of an environment. Rejects where the database cannot be read. */
export async function openChannels(options: OpenChannelsOptions): Promise<OpenChannels> {
  const { authority, fidelity, random, trace, onTrouble } = options
  const channels = await Channels.open(options)
  const requestIds = new ApnsIds(random)
  const shared = { channels, authority, fidelity, requestIds, onTrouble }
  return {
    channels,
    requests: new ChannelRequests(trace === undefined ? shared : { ...shared, trace }),
    subscribers: new Subscribers(channels, onTrouble),
  }
}

import type { Broadcast } from '../broadcast.ts'
import { type ApsKeys, type BuilderOptions, payloadOf, refuseBadPayload } from './build.ts'
import { type ActivityEndOptions, type ActivityUpdateOptions, endOf, updateOf } from './live-activity.ts'

type Addressed<T> = Omit<T, 'collapseId'> & { readonly channelId: string }

/** For `broadcastActivity.update`. */
export type BroadcastUpdateOptions = Addressed<ActivityUpdateOptions>
/** For `broadcastActivity.end`. */
export type BroadcastEndOptions = Addressed<ActivityEndOptions>

/** Broadcasts for `client.broadcast`: Live Activities that listen to a channel. Up to 5120 bytes. */
export const broadcastActivity = {
  update: (options: BroadcastUpdateOptions): Broadcast => broadcastOf(options, updateOf(options)),
  end: (options: BroadcastEndOptions): Broadcast => broadcastOf(options, endOf(options)),
}

const broadcastOf = (options: Addressed<BuilderOptions>, aps: ApsKeys): Broadcast => {
  const { bundleId, channelId, priority, expiration, whenAmbiguous } = options
  const payload = payloadOf(aps, options)
  refuseBadPayload(payload, 'liveactivity', true)
  return { bundleId, channelId, priority, expiration, whenAmbiguous, payload }
}

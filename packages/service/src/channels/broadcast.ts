import {
  courierPushTypes,
  courierStorageFlags,
  encodeChannelMark,
  type Priority,
  SharedMessage,
  topicHash,
} from '@carillon/wire'

/** A message that was published to a channel. */
export interface Broadcast {
  /** Bundle id of the app. */
  readonly app: string
  /** Bytes of the channel's id. */
  readonly channelId: Uint8Array
  /**
   * Microseconds since 1970, higher than those of every message of the channel before it: its place in the
   * channel, and what devices resume from.
   */
  readonly publishedUs: number
  /** UNIX seconds; 0 on channels that store nothing. */
  readonly expiration: number
  readonly priority: Priority
  /** 16 bytes: the request id under which it was published. */
  readonly requestId: Uint8Array
  readonly payload: Uint8Array
}

/**
 * Nobody is addressed: what a notification has of its device (its token, its id on the connection) is zero, so
 * that one frame does for all. Devices know a broadcast by its channel field and do not acknowledge it.
 */
const nobody = new Uint8Array(32)

/**
 * The one message for all devices.
 * Unverified against Apple: that broadcasts travel as notifications with a channel is inferred from client code.
 */
export function sharedBroadcast(broadcast: Broadcast, origin: 'live' | 'storage'): SharedMessage {
  const sentAtNs = BigInt(broadcast.publishedUs) * 1000n
  return new SharedMessage({
    type: 'notification',
    token: nobody,
    topicHash: topicHash(broadcast.app),
    payload: broadcast.payload,
    id: 0,
    expirySeconds: broadcast.expiration,
    sentAtNs,
    legacyFlags: 0,
    storageFlags:
      origin === 'live' ? 0 : courierStorageFlags.fromStorage | courierStorageFlags.lastFromStorage,
    priority: broadcast.priority,
    tracingId: broadcast.requestId,
    pushType: courierPushTypes.liveactivity,
    channel: encodeChannelMark({ channelId: broadcast.channelId, lastMessageNs: sentAtNs }),
  })
}

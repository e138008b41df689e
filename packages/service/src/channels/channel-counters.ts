/**
 * What happened to the channels of one app since the start. Apple: "Setting up broadcast push notifications"
 * names published, delivered and subscriptions as its metrics.
 */
export interface ChannelCounters {
  /** Broadcasts that were accepted. */
  published: number
  /** Broadcasts handed to the connections of devices: one published to 1000 subscribers counts 1000. */
  delivered: number
  /** Of those, messages that had been stored for a device that came later. */
  deliveredFromStorage: number
  created: number
  deleted: number
  /** Devices that listen now, once for each channel that they listen to. */
  subscriptions: number
  /** The most there were at a time. */
  subscriptionsPeak: number
}

export function newChannelCounters(): ChannelCounters {
  return {
    published: 0,
    delivered: 0,
    deliveredFromStorage: 0,
    created: 0,
    deleted: 0,
    subscriptions: 0,
    subscriptionsPeak: 0,
  }
}

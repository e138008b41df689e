import {
  bundleIdOf,
  type ChannelMark,
  type ChannelSubscription,
  courierAckStatus,
  decodeChannelSubscription,
  encodeChannelId,
  type MessageOf,
  WireError,
} from '@carillon/wire'
import { limits } from '../limits.ts'
import type { Channel } from './channel.ts'
import type { Channels } from './channels.ts'
import { type ChannelDevice, Subscription } from './subscription.ts'

/**
 * Which connected device listens to which channels. Nothing of it is on disk: a device says it anew on each
 * connection, with the time of the last message that it has of each channel.
 */
export class Subscribers {
  readonly #channels: Channels
  readonly #onTrouble: (sentence: string, cause: unknown) => void
  readonly #byDevice = new Map<ChannelDevice, Map<Channel, Subscription>>()

  constructor(channels: Channels, onTrouble: (sentence: string, cause: unknown) => void) {
    this.#channels = channels
    this.#onTrouble = onTrouble
  }

  /** Devices that listen to any channel. */
  get devices(): number {
    return this.#byDevice.size
  }

  /** A device says what it listens to: answers, and sends what is stored that the device does not have. */
  subscribed(device: ChannelDevice, message: MessageOf<'channels'>, nowMs: number): void {
    const wanted = readSubscription(message.subscription)
    // Unverified against Apple: the status of a refusal, and that the channels which exist are taken all the same.
    const isAllTaken = wanted !== undefined && this.#change(device, wanted, nowMs)
    const status = isAllTaken ? courierAckStatus.ok : courierAckStatus.noRecipient
    device.say({ type: 'channelsReply', id: message.id, baseToken: device.baseToken, status })
    for (const subscription of this.#byDevice.get(device)?.values() ?? [])
      this.#sendStored(subscription, nowMs)
  }

  /** Channels are named on their own: a filter changes nothing. */
  topicsChanged(): void {}

  /** The device is gone. */
  ended(device: ChannelDevice): void {
    const own = this.#byDevice.get(device)
    if (own === undefined) return
    this.#byDevice.delete(device)
    for (const subscription of own.values()) this.#leave(subscription)
  }

  #change(device: ChannelDevice, wanted: ChannelSubscription, nowMs: number): boolean {
    const before = this.#byDevice.get(device) ?? new Map<Channel, Subscription>()
    const own = wanted.replace ? new Map<Channel, Subscription>() : before
    let isAllTaken = true
    for (const { topic, subscribe, unsubscribe } of wanted.topics) {
      const app = bundleIdOf(topic) ?? topic
      for (const mark of subscribe) {
        const channel = this.#channels.find(app, encodeChannelId(mark.channelId))
        if (channel === undefined || !hasRoom(own, channel)) {
          isAllTaken = false
          continue
        }
        own.set(channel, this.#subscription(before.get(channel), device, channel, seenUsOf(mark, nowMs)))
      }
      for (const mark of unsubscribe) {
        const channel = this.#channels.find(app, encodeChannelId(mark.channelId))
        const subscription = channel && own.get(channel)
        if (subscription === undefined) continue
        own.delete(channel!)
        this.#leave(subscription)
      }
    }
    if (own !== before) {
      for (const [channel, subscription] of before) if (!own.has(channel)) this.#leave(subscription)
    }
    if (own.size > 0) this.#byDevice.set(device, own)
    else this.#byDevice.delete(device)
    return isAllTaken
  }

  #subscription(
    known: Subscription | undefined,
    device: ChannelDevice,
    channel: Channel,
    seenUs: number,
  ): Subscription {
    if (known !== undefined) {
      known.seenUs = Math.max(known.seenUs, seenUs)
      if (channel.subscribers.has(known)) return known
    }
    const subscription = known ?? new Subscription(device, channel, seenUs)
    channel.subscribers.add(subscription)
    this.#channels.countSubscription(channel, 1)
    return subscription
  }

  #leave(subscription: Subscription): void {
    const { channel } = subscription
    if (channel.subscribers.delete(subscription)) this.#channels.countSubscription(channel, -1)
  }

  #sendStored(subscription: Subscription, nowMs: number): void {
    const { channel, seenUs } = subscription
    if (!channel.hasStoredAfter(seenUs, nowMs)) return
    this.#channels.stored
      .get(channel, (message, publishedUs) => {
        // The device may have left the channel meanwhile, or the channel its app.
        if (message === undefined || !channel.subscribers.has(subscription)) return
        if (subscription.send(message, publishedUs)) this.#channels.countFromStorage(channel)
      })
      .catch((cause: unknown) => {
        this.#onTrouble('A stored broadcast could not be read; the device gets the next one.', cause)
      })
  }
}

/** A channel that was deleted keeps no other one out. */
function hasRoom(own: Map<Channel, Subscription>, wanted: Channel): boolean {
  if (own.has(wanted) || own.size < limits.channelsPerDeviceMax) return true
  for (const channel of own.keys()) if (!channel.isRegistered) own.delete(channel)
  return own.size < limits.channelsPerDeviceMax
}

/** A time that has not come yet says nothing: the clock was set back, or the device invented it. */
function seenUsOf(mark: ChannelMark, nowMs: number): number {
  const us = Number(mark.lastMessageNs / 1000n)
  return us > (nowMs + limits.cursorAheadMsMax) * 1000 ? 0 : us
}

function readSubscription(record: Uint8Array): ChannelSubscription | undefined {
  try {
    return decodeChannelSubscription(record)
  } catch (error) {
    // Answered like a channel that does not exist: the device has asked for something nobody can give.
    if (error instanceof WireError) return undefined
    throw error
  }
}

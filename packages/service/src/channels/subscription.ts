import type { MessageOf, SharedMessage } from '@carillon/wire'
import type { Channel } from './channel.ts'

/** A connected device, as channels see it. The courier's sessions have this form. */
export interface ChannelDevice {
  readonly isConnected: boolean
  readonly baseToken: Uint8Array
  /** Sends a message; nothing happens where the session has ended. */
  say(message: MessageOf<'channelsReply'>): void
  /** The same for a message that goes to many devices and is encoded once. */
  sayShared(message: SharedMessage): void
}

/** One device that listens to one channel. */
export class Subscription {
  readonly device: ChannelDevice
  readonly channel: Channel
  /** Place of the newest message that the device has or was sent: nothing up to here is sent to it. */
  seenUs: number

  constructor(device: ChannelDevice, channel: Channel, seenUs: number) {
    this.device = device
    this.channel = channel
    this.seenUs = seenUs
  }

  /** Sends a message unless the device has it, or a newer one. @returns whether it was sent */
  send(message: SharedMessage, publishedUs: number): boolean {
    if (publishedUs <= this.seenUs || !this.device.isConnected) return false
    this.seenUs = publishedUs
    this.device.sayShared(message)
    return true
  }
}

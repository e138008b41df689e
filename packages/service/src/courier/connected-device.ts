import type { CourierMessage, MessageOf, SharedMessage } from '@carillon/wire'
import type { TopicWish } from '../delivery/device-link.ts'

/** A device whose session is up, as the parts see it that serve it beside notifications. */
export interface ConnectedDevice {
  /** The device's row in the registry. */
  readonly deviceRow: number
  readonly baseToken: Uint8Array
  /** Bits of `courierExtensions` that both ends agreed on; messages and fields of ours only where their bit is set. */
  readonly extensions: number
  readonly isConnected: boolean
  /** Sends a message; nothing happens where the session has ended. */
  say(message: CourierMessage): void
  /** The same for a message that goes to many devices and is encoded once. */
  sayShared(message: SharedMessage): void
  /** What the device wants done with a topic, by its last filter. */
  wishFor(topic: string): TopicWish
}

/** Takes subscriptions of broadcast channels and sends what is broadcast. */
interface ChannelHook {
  subscribed(device: ConnectedDevice, message: MessageOf<'channels'>, nowMs: number): void
  /** The device has named its topics anew. */
  topicsChanged(device: ConnectedDevice, nowMs: number): void
  /** The session is over, or the device has withdrawn; it may be told of what never subscribed. */
  ended(device: ConnectedDevice): void
}

/** Takes what devices say of their power and screen. */
interface PowerHook {
  reported(device: ConnectedDevice, message: MessageOf<'state'>, nowMs: number): void
  ended(device: ConnectedDevice): void
}

/** Takes what devices say became of a notification. */
interface ReportHook {
  reported(device: ConnectedDevice, message: MessageOf<'tracingAck'>, nowMs: number): void
}

/** The parts that serve devices beside notifications; what is absent is not served. */
export interface DeviceHooks {
  readonly channels?: ChannelHook
  readonly power?: PowerHook
  readonly reports?: ReportHook
}

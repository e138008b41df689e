import type { Environment, Payload, Presentation } from '@carillon/wire'

/** What happens on a device, in the words of `carillon device run --json`. */
export type DeviceEvent =
  | { readonly event: 'connected'; readonly environment: Environment }
  | {
      readonly event: 'disconnected'
      readonly environment: Environment
      readonly reason: string
      /** When it dials again; absent when it was told to stay away. */
      readonly retryMs?: number
    }
  | {
      readonly event: 'registered'
      readonly bundleId: string
      /** Where it is not the bundle id itself: that and the suffix of a push type. */
      readonly topic?: string
      readonly deviceToken: string
      readonly environment: Environment
    }
  | {
      readonly event: 'notification'
      readonly bundleId: string
      readonly apnsId: string
      readonly payload: Payload
      readonly shown: Presentation
    }
  /** The courier has taken an app's subscription of a broadcast channel; told once for each start of the device. */
  | { readonly event: 'subscribed'; readonly bundleId: string; readonly channelId: string }
  /** A channel that an app listened to does not exist any more; the device has unsubscribed. */
  | { readonly event: 'channelGone'; readonly bundleId: string; readonly channelId: string }
  | {
      readonly event: 'broadcast'
      readonly bundleId: string
      readonly channelId: string
      readonly payload: Payload
      readonly shown: Presentation
    }
  /** The courier has nothing more in storage for this device. */
  | { readonly event: 'storageEmpty'; readonly environment: Environment }
  /** Something went wrong that nobody waits for; the device goes on. */
  | { readonly event: 'failed'; readonly code: string; readonly message: string }

export type Tell = (event: DeviceEvent) => void

import type { Payload, Presentation } from '@carillon/wire'

/** A broadcast as the app gets it. */
export interface ChannelUpdate {
  readonly bundleId: string
  /** Standard base64. */
  readonly channelId: string
  /** The JSON object that the provider broadcast. */
  readonly payload: Payload
  /** What the device shows of it. */
  readonly shown: Presentation
}

type Listener = (update: ChannelUpdate) => void

/** What the device does for the channels of an app. */
export interface ChannelHost {
  subscribe(bundleId: string, channelId: string): Promise<void>
  unsubscribe(bundleId: string, channelId: string): Promise<void>
  channelsOf(bundleId: string): readonly string[]
  /** A listener of the app threw. */
  failed(error: unknown): void
}

/**
 * The broadcast channels of a client app, as its programmer sees them:
 *
 *     await app.channels.subscribe(channelId)
 *     app.channels.onUpdate((update) => …)
 */
export class AppChannels {
  readonly #bundleId: string
  readonly #host: ChannelHost
  readonly #listeners = new Set<Listener>()

  constructor(bundleId: string, host: ChannelHost) {
    this.#bundleId = bundleId
    this.#host = host
  }

  /** Ids of the channels that the app listens to. */
  get subscribed(): readonly string[] {
    return this.#host.channelsOf(this.#bundleId)
  }

  /**
   * Listens to a channel from now on, also after the device was started anew. A channel that stores its last message
   * hands it over at once. Resolves when the push service has confirmed the subscription. A Live Activity that is
   * started with `aps.input-push-channel` subscribes by itself.
   *
   * @throws DeviceError `CHANNEL_UNKNOWN`, `CHANNEL_INVALID`, `CHANNEL_UNANSWERED` where the push service does not
   *   answer in 30 s (the device goes on trying), `CHANNEL_LIMIT`, `CHANNEL_APP_MISSING`, `DEVICE_CLOSED`
   */
  subscribe(channelId: string): Promise<void> {
    return this.#host.subscribe(this.#bundleId, channelId)
  }

  /** Listens no more. A channel that the app does not listen to is no error. */
  unsubscribe(channelId: string): Promise<void> {
    return this.#host.unsubscribe(this.#bundleId, channelId)
  }

  /**
   * Calls the listener for every broadcast of the app's channels, once, but for those that are older by their
   * `aps.timestamp` than what the channel has shown. Returns how to stop.
   */
  onUpdate(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** For the device: it has a broadcast for this app. */
  deliver(update: ChannelUpdate): void {
    for (const listener of this.#listeners) {
      try {
        listener(update)
      } catch (error) {
        // One listener's error must not keep the update from the others.
        this.#host.failed(error)
      }
    }
  }
}

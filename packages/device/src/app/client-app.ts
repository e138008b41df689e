import {
  type ForegroundChoice,
  type Payload,
  type Presentation,
  type PushType,
  pushTypes,
  type AppState as RunState,
} from '@carillon/wire'
import { AppChannels, type ChannelHost } from '../channels/app-channels.ts'

/** A notification as the app gets it. */
export interface AppNotification {
  readonly apnsId: string
  readonly bundleId: string
  /** The JSON object that the provider sent. */
  readonly payload: Payload
  /** What the device shows of it. */
  readonly shown: Presentation
}

type Listener = (notification: AppNotification) => void

/** What the device does for an app; the app's only way to it. */
export interface AppHost extends Omit<ChannelHost, 'failed'> {
  /** @param suffix of the push type, '' for the bundle id alone */
  register(bundleId: string, suffix: string): Promise<string>
  /** The user has opened the app by a notification. */
  opened(notification: AppNotification): void
  /** A listener of the app threw. */
  failed(error: unknown): void
}

/**
 * A client app on the device, as its programmer sees it:
 *
 *     const app = await device.install({ bundleId, profile })
 *     const deviceToken = await app.register()      // give it to your provider
 *     app.onNotification((notification) => …)
 */
export class ClientApp {
  readonly bundleId: string
  /** The broadcast channels that it listens to. */
  readonly channels: AppChannels
  /** Decides what a notification shows: in the foreground the app is handed it and shows what it likes. */
  state: RunState = 'background'
  /** What the app in the foreground asks the device to show; nothing unless it says so, as on iOS. */
  foreground: ForegroundChoice = {}
  /** False when the user switched this app's notifications off. */
  allowsAlerts = true
  readonly #host: AppHost
  readonly #received = new Set<Listener>()
  readonly #opened = new Set<Listener>()

  constructor(bundleId: string, host: AppHost) {
    this.bundleId = bundleId
    this.channels = new AppChannels(bundleId, host)
    this.#host = host
  }

  /**
   * The device token in lower-case hex: what the app hands to its provider. Ask at every launch, since it can
   * change. Apple: "Registering your app with APNs". Waits for a connection where there is none.
   *
   * @throws DeviceError `REGISTRATION_REFUSED` where the push service has no such app, `REGISTRATION_UNANSWERED`
   *   where it does not answer in 30 s (ask again), `DEVICE_CLOSED`
   * @param options.pushType for pushes of a type whose topic has a suffix, such as `voip`: they have a token of their
   *   own, and come only after this
   */
  register(options: { readonly pushType?: PushType } = {}): Promise<string> {
    return this.#host.register(this.bundleId, pushTypes[options.pushType ?? 'alert'].suffix)
  }

  /**
   * Calls the listener for every notification, once; returns how to stop. Whether a phone would have woken the app
   * for it says `shown.wakesApp`.
   */
  onNotification(listener: Listener): () => void {
    this.#received.add(listener)
    return () => this.#received.delete(listener)
  }

  /** Calls the listener when the user opens the app by a notification; returns how to stop. */
  onOpened(listener: Listener): () => void {
    this.#opened.add(listener)
    return () => this.#opened.delete(listener)
  }

  /** For the device: it has a notification for this app. */
  deliver(notification: AppNotification): void {
    this.#call(this.#received, notification)
  }

  /** The user taps a notification: the app comes to the foreground, and the push service is told. */
  open(notification: AppNotification): void {
    this.state = 'foreground'
    this.#host.opened(notification)
    this.#call(this.#opened, notification)
  }

  /** One listener's error must not keep the notification from the others, nor from being acknowledged. */
  #call(listeners: ReadonlySet<Listener>, notification: AppNotification): void {
    for (const listener of listeners) {
      try {
        listener(notification)
      } catch (error) {
        this.#host.failed(error)
      }
    }
  }
}

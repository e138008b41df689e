import {
  apnsIdText,
  bytesEqual,
  type Environment,
  hexText,
  type MessageOf,
  type Payload,
  presentationOf,
} from '@carillon/wire'
import type { AppNotification, ClientApp } from '../app/client-app.ts'
import type { Tell } from '../events.ts'
import type { CourierSession } from '../session/courier-session.ts'
import { topicHashesOf } from '../state/app-topics.ts'
import type { AppState, DeviceState } from '../state/device-state.ts'
import type { KeptNotification, NotificationJournal } from '../state/notification-journal.ts'
import { readPayload } from './read-payload.ts'
import { UnderWay } from './under-way.ts'

/** What arrivals need of their device. */
export interface ArrivalHost {
  readonly state: DeviceState
  readonly journal: NotificationJournal
  readonly random: (bytes: number) => Uint8Array
  /** The running app, or one that is not running: the device shows its notifications all the same. */
  appOf(bundleId: string): ClientApp
  readonly tell: Tell
  /** Shows a broadcast that was kept; false for what is none. */
  showKeptBroadcast(kept: KeptNotification): boolean
  /** A Live Activity was started that listens to a channel. */
  activityStarted(bundleId: string, channelId: string, timestamp: number): void
  failed(error: unknown): void
  /** The notification was shown, and acknowledged where it came from a courier just now. */
  presented(notification: AppNotification, token: Uint8Array | undefined): void
}

/** The way of a notification on the device: on disk, shown, handed to the app, acknowledged. */
export class Arrivals {
  readonly #host: ArrivalHost
  readonly #underWay = new UnderWay()

  constructor(host: ArrivalHost) {
    this.#host = host
  }

  /**
   * Resolves when the notification is dealt with.
   *
   * @param session the one that brought it: message ids, and so acknowledgements, mean nothing on another
   */
  arrived(
    environment: Environment,
    message: MessageOf<'notification'>,
    session: CourierSession,
  ): Promise<void> {
    return this.#underWay.add(this.#arrive(environment, message, session))
  }

  /** Told after everything that came out of storage was shown. */
  storageEmpty(environment: Environment): void {
    const shown = Promise.all(this.#underWay.all)
    this.#underWay.add(shown.then(() => this.#host.tell({ event: 'storageEmpty', environment })))
  }

  /** Shows what a crash kept from being shown; drops what was for apps that were removed since. */
  showLeftOver(): void {
    for (const kept of this.#host.journal.takeLeftOver()) {
      if (this.#host.showKeptBroadcast(kept)) continue
      if (this.#host.state.app(kept.bundleId)) this.#host.presented(this.#show(kept), undefined)
      else this.#host.journal.markShown(kept.apnsId)
    }
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<void> {
    return this.#underWay.settled()
  }

  async #arrive(
    environment: Environment,
    message: MessageOf<'notification'>,
    session: CourierSession,
  ): Promise<void> {
    const { journal, state } = this.#host
    // A copy: it is used after the chunk that it is a view of.
    const token = Uint8Array.from(message.token)
    const tracingId = message.tracingId && Uint8Array.from(message.tracingId)
    const app = installedFor(message.topicHash, state.apps(environment))
    if (!app) return session.acknowledge(message.id, token, 'gone')
    const kept: KeptNotification = {
      apnsId: this.#idOf(message),
      bundleId: app.bundleId,
      payload: readPayload(message.payload),
    }
    try {
      const isNew = (await journal.keep(kept)) === 'new'
      // Removed while the disk was busy, and perhaps installed anew: nobody is here for it any more.
      const isHere = state.app(app.bundleId)?.installation === app.installation
      const shown = isNew && isHere ? this.#show(kept) : undefined
      if (isNew && !isHere) journal.markShown(kept.apnsId)
      session.acknowledge(message.id, token, isHere ? 'ok' : 'gone', tracingId)
      if (shown !== undefined) this.#host.presented(shown, token)
    } catch (error) {
      this.#host.failed(error)
      // Not acknowledged: the courier sends it again, on the next connection.
      session.transportLost('a notification could not be kept')
    }
  }

  #show(kept: KeptNotification): AppNotification {
    const { apnsId, bundleId } = kept
    const payload = kept.payload as AppNotification['payload']
    const app = this.#host.appOf(bundleId)
    const { state: appState, foreground, allowsAlerts } = app
    const shown = presentationOf(payload, { appState, foreground, allowsAlerts })
    this.#host.tell({ event: 'notification', bundleId, apnsId, payload, shown })
    this.#host.journal.markShown(apnsId)
    const { badge } = shown
    if (badge !== undefined && badge !== this.#host.state.app(bundleId)?.badge)
      this.#host.state.changeApp(bundleId, { badge }).catch((error) => this.#host.failed(error))
    const started = startedChannelOf(payload)
    if (started) this.#host.activityStarted(bundleId, started.channelId, started.timestamp)
    const notification = { apnsId, bundleId, payload, shown }
    app.deliver(notification)
    return notification
  }

  /** By what a notification is known again when it comes twice. */
  #idOf({ tracingId, token, sentAtNs }: MessageOf<'notification'>): string {
    if (tracingId?.length === 16) return apnsIdText(tracingId)
    // A foreign courier may leave it out. Its message ids begin anew with each connection and tell nothing.
    if (sentAtNs !== undefined) return `${hexText(token)}-${sentAtNs}`
    return hexText(this.#host.random(16))
  }
}

function installedFor(hash: Uint8Array, apps: readonly AppState[]): AppState | undefined {
  return apps.find((app) => topicHashesOf(app).some((one) => bytesEqual(one, hash)))
}

/** Apple: "Starting and updating Live Activities": an activity that is started with a channel listens to it. */
function startedChannelOf(payload: Payload): { channelId: string; timestamp: number } | undefined {
  const aps = (payload.aps ?? {}) as { readonly [key: string]: unknown }
  const { event, timestamp, 'input-push-channel': channelId } = aps
  if (event !== 'start' || typeof channelId !== 'string') return undefined
  return { channelId, timestamp: typeof timestamp === 'number' ? timestamp : 0 }
}

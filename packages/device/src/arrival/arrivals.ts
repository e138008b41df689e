import {
  apnsIdText,
  bytesEqual,
  type Environment,
  hexText,
  type MessageOf,
  type Payload,
  presentationOf,
  topicHash,
} from '@carillon/wire'
import type { AppNotification, ClientApp } from '../app/client-app.ts'
import type { Tell } from '../events.ts'
import type { CourierSession } from '../session/courier-session.ts'
import type { AppState, DeviceState } from '../state/device-state.ts'
import type { KeptNotification, NotificationJournal } from '../state/notification-journal.ts'

/** What arrivals need of their device. */
export interface ArrivalHost {
  readonly state: DeviceState
  readonly journal: NotificationJournal
  readonly random: (bytes: number) => Uint8Array
  /** The running app, or one that is not running: the device shows its notifications all the same. */
  appOf(bundleId: string): ClientApp
  readonly tell: Tell
  failed(error: unknown): void
}

/** The way of a notification on the device: on disk, shown, handed to the app, acknowledged. */
export class Arrivals {
  readonly #host: ArrivalHost
  readonly #underWay = new Set<Promise<void>>()

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
    const work = this.#arrive(environment, message, session)
    this.#track(work)
    return work
  }

  /** Told after everything that came out of storage was shown. */
  storageEmpty(environment: Environment): void {
    const before = [...this.#underWay]
    this.#track(Promise.all(before).then(() => this.#host.tell({ event: 'storageEmpty', environment })))
  }

  /** Shows what a crash kept from being shown; drops what was for apps that were removed since. */
  showLeftOver(): void {
    for (const kept of this.#host.journal.takeLeftOver()) {
      if (this.#host.state.app(kept.bundleId)) this.#show(kept)
      else this.#host.journal.markShown(kept.apnsId)
    }
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  async #arrive(
    environment: Environment,
    message: MessageOf<'notification'>,
    session: CourierSession,
  ): Promise<void> {
    const { journal, state } = this.#host
    // A copy: it is used after the chunk that it is a view of.
    const token = Uint8Array.from(message.token)
    const app = installedFor(message.topicHash, state.apps(environment))
    if (!app) return session.acknowledge(message.id, token, 'gone')
    const kept: KeptNotification = {
      apnsId: this.#idOf(message),
      bundleId: app.bundleId,
      payload: payloadOf(message.payload),
    }
    try {
      const isNew = (await journal.keep(kept)) === 'new'
      // Removed while the disk was busy, and perhaps installed anew: nobody is here for it any more.
      const isHere = state.app(app.bundleId)?.installation === app.installation
      if (isNew && isHere) this.#show(kept)
      else if (isNew) journal.markShown(kept.apnsId)
      session.acknowledge(message.id, token, isHere ? 'ok' : 'gone')
    } catch (error) {
      // Not acknowledged: the courier sends it again.
      this.#host.failed(error)
    }
  }

  #show(kept: KeptNotification): void {
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
    app.deliver({ apnsId, bundleId, payload, shown })
  }

  /** By what a notification is known again when it comes twice. */
  #idOf({ tracingId, token, sentAtNs }: MessageOf<'notification'>): string {
    if (tracingId?.length === 16) return apnsIdText(tracingId)
    // A foreign courier may leave it out. Its message ids begin anew with each connection and tell nothing.
    if (sentAtNs !== undefined) return `${hexText(token)}-${sentAtNs}`
    return hexText(this.#host.random(16))
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work)
    const done = () => this.#underWay.delete(work)
    work.then(done, (error) => {
      done()
      throw error // thrown by whoever listens to the device: it is theirs to see
    })
  }
}

function installedFor(hash: Uint8Array, apps: readonly AppState[]): AppState | undefined {
  return apps.find(({ bundleId }) => bytesEqual(topicHash(bundleId), hash))
}

function payloadOf(bytes: Uint8Array): Payload {
  try {
    const payload: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return payload as Payload
  } catch {
    // The gateway lets no such payload in; a foreign courier's is shown as nothing.
  }
  return {}
}

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
import { type Activate, activated } from './activation.ts'
import { type AppNotification, ClientApp } from './app/client-app.ts'
import { DeviceError } from './device-error.ts'
import { type CourierAddress, CourierLink } from './drivers/courier-link.ts'
import type { DeviceEvent } from './events.ts'
import { limits } from './limits.ts'
import { checkProfile, deviceNamedBy } from './profile/check-profile.ts'
import { readProfile } from './profile/read-profile.ts'
import type { DeviceIdentity } from './session/courier-session.ts'
import { type DeviceFiles, prepareStateDir } from './state/device-files.ts'
import { DeviceState } from './state/device-state.ts'
import { type KeptNotification, NotificationJournal } from './state/notification-journal.ts'
import { takeStateLock } from './state/state-lock.ts'

export interface DeviceOptions {
  /** The device's own directory: key, certificate, tokens, shown notifications. Made on first use. */
  readonly stateDir: string
  /** The root certificate of the portal, PEM: what profiles and couriers are checked against. */
  readonly caPem: string
  /** Where each environment's courier listens. */
  readonly couriers: { readonly [E in Environment]?: CourierAddress }
  readonly activate: Activate
  /** The registered device that this is, when the profile alone does not say. */
  readonly udid?: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  readonly onEvent: (event: DeviceEvent) => void
}

interface Waiting {
  readonly resolve: (deviceToken: string) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** Opens the device in its state directory; it connects once it has an app. */
export async function startDevice(options: DeviceOptions): Promise<Device> {
  const files = await prepareStateDir(options.stateDir)
  const unlock = await takeStateLock(files)
  try {
    const [state, journal] = await Promise.all([DeviceState.open(files), NotificationJournal.open(files)])
    return new Device(options, files, state, journal, unlock)
  } catch (error) {
    await unlock()
    throw error
  }
}

/** A device: its apps, one connection for each environment that they need, and what it shows. */
export class Device {
  readonly #options: DeviceOptions
  readonly #files: DeviceFiles
  readonly #state: DeviceState
  readonly #journal: NotificationJournal
  readonly #unlock: () => Promise<void>
  readonly #apps = new Map<string, ClientApp>()
  readonly #links = new Map<Environment, CourierLink>()
  readonly #waiting = new Map<string, Waiting[]>()
  /** Notifications on their way through the journal. */
  readonly #underWay = new Set<Promise<void>>()
  #identity: DeviceIdentity | undefined
  #online = true
  #closed = false

  /** Use `startDevice`. */
  constructor(
    options: DeviceOptions,
    files: DeviceFiles,
    state: DeviceState,
    journal: NotificationJournal,
    unlock: () => Promise<void>,
  ) {
    this.#options = options
    this.#files = files
    this.#state = state
    this.#journal = journal
    this.#unlock = unlock
  }

  /** Known once the device was activated. */
  get udid(): string | undefined {
    return this.#identity?.udid
  }

  /**
   * Installs or launches an app by its provisioning profile: signature, expiry, App ID and device are checked,
   * and `aps-environment` decides where it registers.
   *
   * @throws DeviceError with the first reason why the app may not run here
   */
  async install(app: { readonly bundleId: string; readonly profile: Uint8Array }): Promise<ClientApp> {
    const nowMs = this.#options.now()
    const profile = await readProfile(app.profile, this.#options.caPem, nowMs)
    // Before the first activation the profile says which registered device this is.
    const udid = this.#options.udid ?? (this.#state.udid || deviceNamedBy(profile))
    checkProfile(profile, { bundleId: app.bundleId, udid: udid ?? '', nowMs })
    this.#identity ??= await activated(this.#files, this.#options.activate, udid)
    if (this.#state.udid !== this.#identity.udid) await this.#state.setUdid(this.#identity.udid)
    const environment = checkProfile(profile, { bundleId: app.bundleId, udid: this.#identity.udid, nowMs })
    await this.#remember(app.bundleId, environment)
    return this.#launch(app.bundleId, environment)
  }

  /** Removes an app: the next notification for it teaches the push service that its token is dead. */
  async uninstall(bundleId: string): Promise<void> {
    const environment = this.#state.app(bundleId)?.environment
    this.#apps.delete(bundleId)
    await this.#state.removeApp(bundleId)
    if (environment) this.#announceApps(environment)
  }

  app(bundleId: string): ClientApp | undefined {
    return this.#apps.get(bundleId)
  }

  /** The number on an app's icon. */
  badge(bundleId: string): number {
    return this.#state.app(bundleId)?.badge ?? 0
  }

  /** Leaves all couriers and stays away, as in flight mode. Resolves when the connections are closed. */
  async goOffline(): Promise<void> {
    this.#online = false
    await Promise.all([...this.#links.values()].map((link) => link.close('the device went offline')))
  }

  goOnline(): void {
    this.#online = true
    for (const link of this.#links.values()) link.open()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.goOffline()
    for (const bundleId of this.#waiting.keys()) this.#refuse(bundleId, closedError())
    await Promise.all(this.#underWay)
    await this.#journal.close()
    await this.#unlock()
  }

  async #remember(bundleId: string, environment: Environment): Promise<void> {
    const known = this.#state.app(bundleId)
    if (known?.environment === environment) return
    const installation = hexText(this.#options.random(8))
    await this.#state.putApp({ bundleId, environment, installation, badge: 0 })
  }

  #launch(bundleId: string, environment: Environment): ClientApp {
    const app = this.#appOf(bundleId)
    app.state = 'background'
    const link = this.#linkTo(environment)
    if (link.session) this.#announceApps(environment)
    else if (this.#online) link.open()
    for (const kept of this.#journal.unshown()) if (kept.bundleId === bundleId) this.#show(app, kept)
    return app
  }

  #linkTo(environment: Environment): CourierLink {
    const existing = this.#links.get(environment)
    if (existing) return existing
    const address = this.#options.couriers[environment]
    if (!address || !this.#identity)
      throw new DeviceError(
        'ENVIRONMENT_UNKNOWN',
        `This device knows no ${environment} courier.`,
        'Give its address, or use a profile of the other environment.',
      )
    const { caPem, now, random } = this.#options
    const baseToken = () => this.#state.baseToken(environment)
    const link = new CourierLink(
      { address, caPem, identity: this.#identity, now, random, baseToken },
      {
        connected: (token) => this.#connected(environment, token),
        token: (hash, token) => this.#tokenArrived(environment, hash, token),
        notification: (message) => this.#track(this.#arrived(environment, message)),
        storageEmpty: () => this.#track(this.#storageEmpty(environment)),
        disconnected: (reason, retryMs) =>
          this.#tell({
            event: 'disconnected',
            environment,
            reason,
            ...(retryMs === undefined ? {} : { retryMs }),
          }),
      },
    )
    this.#links.set(environment, link)
    return link
  }

  #connected(environment: Environment, baseToken: Uint8Array | undefined): void {
    if (baseToken) this.#guard(this.#state.setBaseToken(environment, baseToken))
    this.#tell({ event: 'connected', environment })
    // After the session's own first messages, which are sent once this returns.
    queueMicrotask(() => this.#announceApps(environment))
  }

  /** Tells the courier which apps are here: first their tokens, then the filter, after which it delivers. */
  #announceApps(environment: Environment): void {
    const session = this.#links.get(environment)?.session
    if (!session) return
    const apps = this.#state.apps(environment)
    for (const app of apps) {
      const wanted = app.deviceToken === undefined || this.#waiting.has(app.bundleId)
      if (wanted) session.requestToken(topicHash(app.bundleId), Buffer.from(app.installation, 'hex'))
    }
    // The topic of a removed app stays wanted until a notification for it was answered: with "no recipient".
    session.setTopics([...apps, ...this.#state.gone(environment)].map((app) => topicHash(app.bundleId)))
  }

  #register(bundleId: string): Promise<string> {
    if (this.#closed) return Promise.reject(closedError())
    const app = this.#state.app(bundleId)
    if (!app) return Promise.reject(refusedError(bundleId, 'it is not installed'))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#refuse(bundleId, refusedError(bundleId, 'the push service did not answer')),
        limits.registerMsMax,
      )
      const waiting = this.#waiting.get(bundleId) ?? []
      waiting.push({ resolve, reject, timer })
      this.#waiting.set(bundleId, waiting)
      if (waiting.length > 1) return
      const session = this.#links.get(app.environment)?.session
      session?.requestToken(topicHash(bundleId), Buffer.from(app.installation, 'hex'))
    })
  }

  #tokenArrived(environment: Environment, hash: Uint8Array, token: Uint8Array | undefined): void {
    const app = this.#state.apps(environment).find(({ bundleId }) => bytesEqual(topicHash(bundleId), hash))
    if (!app) return
    if (!token)
      return this.#refuse(app.bundleId, refusedError(app.bundleId, 'the push service knows no such app'))
    const deviceToken = hexText(token)
    const saved =
      app.deviceToken === deviceToken ? Promise.resolve() : this.#state.putApp({ ...app, deviceToken })
    // The app hears of its token when the device cannot forget it any more.
    const told = saved.then(() => {
      this.#tell({ event: 'registered', bundleId: app.bundleId, deviceToken, environment })
      for (const waiting of this.#takeWaiting(app.bundleId)) waiting.resolve(deviceToken)
    })
    this.#guard(told)
  }

  async #arrived(environment: Environment, message: MessageOf<'notification'>): Promise<void> {
    const token = message.token.slice()
    const acknowledge = (outcome: 'ok' | 'gone') =>
      this.#links.get(environment)?.session?.acknowledge(message.id, token, outcome)
    const known = this.#state
      .apps(environment)
      .find(({ bundleId }) => bytesEqual(topicHash(bundleId), message.topicHash))
    if (!known) {
      acknowledge('gone')
      const gone = this.#state
        .gone(environment)
        .find(({ bundleId }) => bytesEqual(topicHash(bundleId), message.topicHash))
      if (gone) this.#guard(this.#state.forgetGone(gone.bundleId))
      return
    }
    // A foreign courier may leave the id out: then the frame's own is all there is.
    const apnsId =
      message.tracingId?.length === 16 ? apnsIdText(message.tracingId) : `${hexText(token)}-${message.id}`
    const kept = { apnsId, bundleId: known.bundleId, payload: payloadOf(message.payload) }
    try {
      if ((await this.#journal.keep(kept)) === 'new') this.#show(this.#appOf(known.bundleId), kept)
    } catch (error) {
      // Not acknowledged: the courier sends it again.
      return this.#failed(error as Error)
    }
    acknowledge('ok')
  }

  /** Told after everything that came out of storage was shown. */
  async #storageEmpty(environment: Environment): Promise<void> {
    await Promise.all(this.#underWay)
    this.#tell({ event: 'storageEmpty', environment })
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
  }

  /** The running app, or one that is not running: the device shows its notifications all the same. */
  #appOf(bundleId: string): ClientApp {
    const running = this.#apps.get(bundleId)
    if (running) return running
    const app = new ClientApp(bundleId, { register: (id) => this.#register(id) })
    app.state = 'terminated'
    this.#apps.set(bundleId, app)
    return app
  }

  #show(app: ClientApp, kept: KeptNotification): void {
    const payload = kept.payload as AppNotification['payload']
    const { state: appState, foreground, allowsAlerts } = app
    const shown = presentationOf(payload, { appState, foreground, allowsAlerts })
    const { apnsId, bundleId } = kept
    this.#tell({ event: 'notification', bundleId, apnsId, payload, shown })
    this.#journal.markShown(apnsId)
    const known = this.#state.app(bundleId)
    if (shown.badge !== undefined && known && known.badge !== shown.badge)
      this.#guard(this.#state.putApp({ ...known, badge: shown.badge }))
    app.deliver({ apnsId, bundleId, payload, shown })
  }

  #takeWaiting(bundleId: string): Waiting[] {
    const waiting = this.#waiting.get(bundleId) ?? []
    this.#waiting.delete(bundleId)
    for (const { timer } of waiting) clearTimeout(timer)
    return waiting
  }

  #refuse(bundleId: string, error: DeviceError): void {
    for (const waiting of this.#takeWaiting(bundleId)) waiting.reject(error)
  }

  #guard(work: Promise<unknown>): void {
    work.catch((error: Error) => this.#failed(error))
  }

  #failed(error: Error): void {
    this.#tell({
      event: 'failed',
      code: (error as { code?: string }).code ?? 'INTERNAL',
      message: error.message,
    })
  }

  #tell(event: DeviceEvent): void {
    this.#options.onEvent(event)
  }
}

function payloadOf(bytes: Uint8Array): Payload {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return {} // the gateway lets no such payload in; a foreign courier's is shown as nothing
  }
}

function refusedError(bundleId: string, why: string): DeviceError {
  return new DeviceError(
    'REGISTRATION_REFUSED',
    `The app ${bundleId} got no device token: ${why}.`,
    'Check that its App ID exists in the portal with push on, and that the push service runs.',
  )
}

function closedError(): DeviceError {
  return new DeviceError('DEVICE_CLOSED', 'This device is closed.', 'Start it again.')
}

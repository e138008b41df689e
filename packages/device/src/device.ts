import { type Environment, hexText } from '@carillon/wire'
import { type Activate, DeviceActivation } from './activation.ts'
import { ClientApp } from './app/client-app.ts'
import { Arrivals } from './arrival/arrivals.ts'
import { Broadcasts } from './channels/broadcasts.ts'
import { ChannelList } from './channels/channel-list.ts'
import { ChannelSubscriptions } from './channels/subscriptions.ts'
import { closedError } from './device-error.ts'
import type { CourierAddress } from './drivers/courier-address.ts'
import type { LinkHandler } from './drivers/courier-link.ts'
import type { DeviceEvent } from './events.ts'
import { CourierLinks } from './links.ts'
import type { DevicePower } from './power/device-power.ts'
import { checkProfile, deviceNamedBy } from './profile/check-profile.ts'
import { readProfile } from './profile/read-profile.ts'
import { Registrations } from './registration/registrations.ts'
import { Reports } from './reports/reports.ts'
import { installationBytes } from './session/courier-session.ts'
import { prepareStateDir } from './state/device-files.ts'
import { DeviceState } from './state/device-state.ts'
import { NotificationJournal } from './state/notification-journal.ts'
import { takeStateLock } from './state/state-lock.ts'

export interface DeviceOptions {
  /** The device's own directory: key, certificate, tokens, shown notifications. Made on first use. */
  readonly stateDir: string
  /** The root certificate of the portal, PEM: what profiles and couriers are checked against. */
  readonly caPem: string
  /** Where each environment's courier listens; read at every dial, so it may be an object with getters. */
  readonly couriers: { readonly [E in Environment]?: CourierAddress }
  readonly activate: Activate
  /** The registered device that this is, when the profile alone does not say. */
  readonly udid?: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** Called for all that happens, in order. What it throws is not caught. */
  readonly onEvent: (event: DeviceEvent) => void
}

/** What a device has open in its state directory. */
interface DeviceParts {
  readonly state: DeviceState
  readonly journal: NotificationJournal
  readonly channels: ChannelList
  readonly activation: DeviceActivation
  readonly unlock: () => Promise<void>
}

/**
 * Opens the device in its state directory; it connects once an app was installed or launched on it.
 *
 * @throws DeviceError `STATE_IN_USE`, `STATE_UNREADABLE`
 */
export async function startDevice(options: DeviceOptions): Promise<Device> {
  const files = await prepareStateDir(options.stateDir)
  const unlock = await takeStateLock(files)
  try {
    const activation = new DeviceActivation(files, options.activate, options.now)
    await activation.load()
    const state = await DeviceState.open(files)
    const channels = await ChannelList.open(files)
    const journal = await NotificationJournal.open(files)
    return new Device(options, { state, journal, channels, activation, unlock })
  } catch (error) {
    await unlock()
    throw error
  }
}

/** A device: its apps, one connection for each environment that they need, and what it shows. */
export class Device {
  readonly #options: DeviceOptions
  readonly #parts: DeviceParts
  readonly #apps = new Map<string, ClientApp>()
  readonly #links: CourierLinks
  readonly #registrations: Registrations
  readonly #arrivals: Arrivals
  readonly #reports: Reports
  readonly #subscriptions: ChannelSubscriptions
  readonly #broadcasts: Broadcasts
  #power: DevicePower | undefined
  #closing: Promise<void> | undefined

  /** Use `startDevice`. */
  constructor(options: DeviceOptions, parts: DeviceParts) {
    const { caPem, couriers, now, random, onEvent } = options
    const { state, journal, channels: list } = parts
    const tell = (event: DeviceEvent) => onEvent(event)
    const failed = (error: unknown) => this.#failed(error)
    this.#options = options
    this.#parts = parts
    this.#links = new CourierLinks({
      ...{ caPem, couriers, now, random },
      baseToken: (environment) => state.baseToken(environment),
      handlerOf: (environment) => this.#linkHandler(environment),
    })
    const session = (environment: Environment) => this.#links.session(environment)
    const after = (ms: number, callback: () => void) => {
      const timer = setTimeout(callback, ms)
      return () => clearTimeout(timer)
    }
    const appOf = (bundleId: string) => this.#appOf(bundleId)
    this.#registrations = new Registrations({ state, tell, failed, session, after })
    this.#subscriptions = new ChannelSubscriptions({ state, list, tell, failed, session, after })
    this.#broadcasts = new Broadcasts({
      ...{ state, journal, list, tell, failed, appOf },
      leave: ({ bundleId, channelId }) => void this.#unsubscribe(bundleId, channelId),
    })
    this.#reports = new Reports({ state, session })
    this.#arrivals = new Arrivals({
      ...{ state, journal, random, tell, failed, appOf },
      presented: (notification, token) => this.#reports.presented(notification, notification.shown, token),
      showKeptBroadcast: (kept) => this.#broadcasts.showKept(kept),
      activityStarted: (bundleId, channelId, timestamp) => void this.#join(bundleId, channelId, timestamp),
    })
  }

  /** Known once the device was activated. */
  get udid(): string | undefined {
    return this.#parts.activation.identity?.udid
  }

  /**
   * Installs or launches an app by its provisioning profile: signature, expiry, App ID and device are checked,
   * and `aps-environment` decides where it registers. Then shows what a crash kept from being shown.
   *
   * @throws DeviceError with the first reason why the app may not run here
   */
  async install(app: { readonly bundleId: string; readonly profile: Uint8Array }): Promise<ClientApp> {
    this.#assertOpen()
    const { state, activation } = this.#parts
    const { bundleId } = app
    const nowMs = this.#options.now()
    const profile = await readProfile(app.profile, this.#options.caPem, nowMs)
    // Before the first activation the profile says which registered device this is.
    const udid = this.#options.udid ?? this.udid
    checkProfile(profile, { bundleId, udid, nowMs })
    const identity = await activation.activated(udid ?? deviceNamedBy(profile))
    const environment = checkProfile(profile, { bundleId, udid: identity.udid, nowMs })
    this.#assertOpen()
    const installation = hexText(this.#options.random(installationBytes))
    await state.addApp({ bundleId, environment, installation })
    await this.#subscriptions.installed(bundleId, environment)
    this.#assertOpen()
    const launched = this.#appOf(bundleId)
    launched.state = 'background'
    this.#links.open(environment, identity)
    this.#announceApps()
    this.#arrivals.showLeftOver()
    return launched
  }

  /** Removes an app: the next notification for it teaches the push service that its token is dead. */
  async uninstall(bundleId: string): Promise<void> {
    this.#assertOpen()
    this.#apps.delete(bundleId)
    const removed = this.#parts.state.removeApp(bundleId)
    this.#registrations.removed(bundleId)
    await Promise.all([removed, this.#subscriptions.removed(bundleId)])
    this.#announceApps()
    this.#arrivals.showLeftOver()
  }

  /** The app, if it was launched since the device started or had a notification since. */
  app(bundleId: string): ClientApp | undefined {
    return this.#apps.get(bundleId)
  }

  /** The number on an app's icon. */
  badge(bundleId: string): number {
    return this.#parts.state.app(bundleId)?.badge ?? 0
  }

  /** Leaves all couriers and stays away, as in flight mode. Resolves when the connections are closed. */
  goOffline(): Promise<void> {
    return this.#links.goOffline('the device went offline')
  }

  /** Dials at once, also where a link was waiting to try again: for use when the network has changed. */
  goOnline(): void {
    this.#links.goOnline()
  }

  /**
   * Tells the push service how the device is fed and whether somebody looks at it, now and after each reconnect.
   * What can wait is then held back while the device saves power; a device that never told gets everything at once.
   */
  setPower(power: DevicePower): void {
    this.#power = { ...power }
    this.#reportPower('sandbox')
    this.#reportPower('production')
  }

  /** Leaves all couriers, finishes what is under way and gives the state directory free. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { state, journal, channels, unlock } = this.#parts
    this.#registrations.close()
    this.#subscriptions.close()
    try {
      await this.#links.close()
      await Promise.all([this.#arrivals.settled(), this.#broadcasts.settled()])
      await Promise.all([state.settled(), channels.settled()])
      await journal.close()
    } finally {
      await unlock()
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw closedError()
  }

  #linkHandler(environment: Environment): LinkHandler {
    const { state } = this.#parts
    return {
      connected: (baseToken) => {
        if (baseToken) state.setBaseToken(environment, baseToken).catch((error) => this.#failed(error))
        this.#options.onEvent({ event: 'connected', environment })
        // Before the topics: what is stored flows as soon as they are named.
        this.#reportPower(environment)
        this.#registrations.announce(environment)
        this.#subscriptions.announce(environment)
        this.#reports.connected(environment)
      },
      token: (request, token) => this.#registrations.arrived(environment, request, token),
      notification: (message, session) =>
        message.channel
          ? this.#broadcasts.arrived(environment, message)
          : this.#arrivals.arrived(environment, message, session),
      channels: (reply) => this.#subscriptions.replied(reply),
      storageEmpty: () => this.#arrivals.storageEmpty(environment),
      disconnected: (reason, retryMs) => {
        this.#subscriptions.disconnected(environment)
        const retry = retryMs === undefined ? {} : { retryMs }
        this.#options.onEvent({ event: 'disconnected', environment, reason, ...retry })
      },
    }
  }

  #reportPower(environment: Environment): void {
    if (this.#power !== undefined) this.#links.session(environment)?.reportPower(this.#power)
  }

  /** An app that moved from one environment to the other concerns both. */
  #announceApps(): void {
    this.#registrations.announce('sandbox')
    this.#registrations.announce('production')
  }

  /** The running app, or one that is not running: the device shows its notifications all the same. */
  #appOf(bundleId: string): ClientApp {
    const running = this.#apps.get(bundleId)
    if (running) return running
    const app = new ClientApp(bundleId, {
      register: (id, suffix) => this.#registrations.register(id, suffix),
      subscribe: (id, channelId) => this.#subscriptions.subscribe(id, channelId),
      unsubscribe: (id, channelId) => this.#subscriptions.unsubscribe(id, channelId),
      channelsOf: (id) => this.#parts.channels.of(id).map(({ channelId }) => channelId),
      opened: (notification) => this.#reports.opened(notification),
      failed: (error) => this.#failed(error),
    })
    app.state = 'terminated'
    this.#apps.set(bundleId, app)
    return app
  }

  /** An activity was started: nobody waits for its channel. */
  async #join(bundleId: string, channelId: string, activityTimestamp: number): Promise<void> {
    await this.#subscriptions
      .subscribe(bundleId, channelId, { activityTimestamp })
      .catch((error) => this.#failed(error))
  }

  async #unsubscribe(bundleId: string, channelId: string): Promise<void> {
    await this.#subscriptions.unsubscribe(bundleId, channelId).catch((error) => this.#failed(error))
  }

  #failed(error: unknown): void {
    const { code = 'INTERNAL', message = String(error) } = error as { code?: string; message?: string }
    this.#options.onEvent({ event: 'failed', code, message })
  }
}

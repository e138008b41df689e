import { type Environment, hexText } from '@carillon/wire'
import { type Activate, DeviceActivation } from './activation.ts'
import { ClientApp } from './app/client-app.ts'
import { Arrivals } from './arrival/arrivals.ts'
import { closedError } from './device-error.ts'
import type { CourierAddress } from './drivers/courier-address.ts'
import type { LinkHandler } from './drivers/courier-link.ts'
import type { DeviceEvent } from './events.ts'
import { CourierLinks } from './links.ts'
import { checkProfile, deviceNamedBy } from './profile/check-profile.ts'
import { readProfile } from './profile/read-profile.ts'
import { Registrations } from './registration/registrations.ts'
import { prepareStateDir } from './state/device-files.ts'
import { DeviceState, installationBytes } from './state/device-state.ts'
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
    const journal = await NotificationJournal.open(files)
    return new Device(options, { state, journal, activation, unlock })
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
  #closing: Promise<void> | undefined

  /** Use `startDevice`. */
  constructor(options: DeviceOptions, parts: DeviceParts) {
    const { caPem, couriers, now, random, onEvent } = options
    const { state, journal } = parts
    const tell = (event: DeviceEvent) => onEvent(event)
    const failed = (error: unknown) => this.#failed(error)
    this.#options = options
    this.#parts = parts
    this.#links = new CourierLinks({
      ...{ caPem, couriers, now, random },
      baseToken: (environment) => state.baseToken(environment),
      handlerOf: (environment) => this.#linkHandler(environment),
    })
    this.#registrations = new Registrations({
      ...{ state, tell, failed },
      session: (environment) => this.#links.session(environment),
      after: (ms, callback) => {
        const timer = setTimeout(callback, ms)
        return () => clearTimeout(timer)
      },
    })
    this.#arrivals = new Arrivals({
      ...{ state, journal, random, tell, failed },
      appOf: (bundleId) => this.#appOf(bundleId),
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
    await removed
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

  /** Leaves all couriers, finishes what is under way and gives the state directory free. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { state, journal, unlock } = this.#parts
    this.#registrations.close()
    try {
      await this.#links.close()
      await this.#arrivals.settled()
      await state.settled()
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
        this.#registrations.announce(environment)
      },
      token: (request, token) => this.#registrations.arrived(environment, request, token),
      notification: (message, session) => this.#arrivals.arrived(environment, message, session),
      storageEmpty: () => this.#arrivals.storageEmpty(environment),
      disconnected: (reason, retryMs) => {
        const retry = retryMs === undefined ? {} : { retryMs }
        this.#options.onEvent({ event: 'disconnected', environment, reason, ...retry })
      },
    }
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
      register: (id) => this.#registrations.register(id),
      failed: (error) => this.#failed(error),
    })
    app.state = 'terminated'
    this.#apps.set(bundleId, app)
    return app
  }

  #failed(error: unknown): void {
    const { code = 'INTERNAL', message = String(error) } = error as { code?: string; message?: string }
    this.#options.onEvent({ event: 'failed', code, message })
  }
}

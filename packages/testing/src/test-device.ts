import type { AppNotification, ClientApp, Device, DeviceEvent } from '@carillon/device'
import type { Happenings } from './happenings.ts'

/** A notification as the phone has it: its id, its payload, and what is on the screen. */
export type ShownNotification = Extract<DeviceEvent, { event: 'notification' }>

/** How long a phone is waited for where the test says nothing. */
const waitMsDefault = 10_000

export interface WaitOptions {
  /** 10,000 where absent. */
  readonly withinMs?: number
}

/** A phone with one app on it, connected and registered. */
export class TestDevice {
  readonly device: Device
  readonly app: ClientApp
  /** Hex, as the app hands it to its provider. */
  readonly deviceToken: string
  readonly #happenings: Happenings<DeviceEvent>
  readonly #bundleId: string
  /** Place of the first event that `nextNotification` has not gone past. */
  #untaken = 0

  constructor(device: Device, app: ClientApp, deviceToken: string, happenings: Happenings<DeviceEvent>) {
    this.device = device
    this.app = app
    this.deviceToken = deviceToken
    this.#happenings = happenings
    this.#bundleId = app.bundleId
  }

  /** Everything that the phone has got so far, in order, each notification once. */
  get notifications(): ShownNotification[] {
    return this.#happenings.all.filter(isNotification)
  }

  /** The number on the app's icon. */
  get badge(): number {
    return this.device.badge(this.#bundleId)
  }

  /** The next notification that this method has not given yet; waits for it. Rejects with TestingError. */
  async nextNotification(options: WaitOptions = {}): Promise<ShownNotification> {
    // Taken when it is here: who waits in vain takes nothing from the next.
    const isNext = (event: DeviceEvent, at: number): event is ShownNotification => {
      if (at < this.#untaken || !isNotification(event)) return false
      this.#untaken = at + 1
      return true
    }
    return this.#happenings.find(isNext, 'get a notification', options.withinMs ?? waitMsDefault)
  }

  /** The first notification for which `test` holds, now or later. Rejects with TestingError. */
  waitFor(
    test: (notification: ShownNotification) => boolean,
    options: WaitOptions = {},
  ): Promise<ShownNotification> {
    const matches = (event: DeviceEvent): event is ShownNotification => isNotification(event) && test(event)
    return this.#happenings.find(matches, 'get such a notification', options.withinMs ?? waitMsDefault)
  }

  /** Taps a notification: the app comes to the foreground and is told. */
  open(notification: ShownNotification): void {
    const { apnsId, bundleId, payload, shown } = notification
    this.app.open({ apnsId, bundleId, payload, shown } satisfies AppNotification)
  }

  /** Flight mode. Resolves when the connection is closed; what is sent from now on is stored. */
  goOffline(): Promise<void> {
    return this.device.goOffline()
  }

  /** Comes back; resolves when everything that was stored has arrived. */
  async goOnline(options: WaitOptions = {}): Promise<void> {
    const from = this.#happenings.all.length
    this.device.goOnline()
    const isBack = (
      event: DeviceEvent,
      at: number,
    ): event is Extract<DeviceEvent, { event: 'storageEmpty' }> =>
      at >= from && event.event === 'storageEmpty'
    await this.#happenings.find(isBack, 'come back', options.withinMs ?? waitMsDefault)
  }

  /** Removes the app: the next push teaches the service that the token is dead, and the one after is answered 410. */
  removeApp(): Promise<void> {
    return this.device.uninstall(this.#bundleId)
  }
}

function isNotification(event: DeviceEvent): event is ShownNotification {
  return event.event === 'notification'
}

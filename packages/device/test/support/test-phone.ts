import { type Device, type DeviceEvent, type DeviceOptions, startDevice } from '../../src/index.ts'
import { randomWithBackOff } from './back-off-random.ts'
import { afterTest, temporaryDirectory } from './temporary.ts'
import type { TestPortal } from './test-portal.ts'

type EventOf<N extends DeviceEvent['event']> = Extract<DeviceEvent, { event: N }>

export const bundleId = 'com.example.bells'

/** What happened on a device, to wait for. */
export class EventLog {
  readonly events: DeviceEvent[] = []
  #waiting: (() => void)[] = []

  readonly record = (event: DeviceEvent): void => {
    this.events.push(event)
    for (const resume of this.#waiting.splice(0)) resume()
  }

  all<N extends DeviceEvent['event']>(name: N): EventOf<N>[] {
    return this.events.filter((event): event is EventOf<N> => event.event === name)
  }

  /** The event of this name that happens as the `count`th. */
  async next<N extends DeviceEvent['event']>(name: N, count = 1): Promise<EventOf<N>> {
    for (;;) {
      const found = this.all(name)[count - 1]
      if (found) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  get shown(): string[] {
    return this.all('notification').map(({ apnsId }) => apnsId)
  }
}

export interface Phone {
  readonly device: Device
  readonly log: EventLog
  readonly stateDir: string
}

/** A real device that is closed after the test. */
export async function startPhone(portal: TestPortal, options: Partial<DeviceOptions>): Promise<Phone> {
  const log = new EventLog()
  const stateDir = options.stateDir ?? (await temporaryDirectory())
  const device = await startDevice({
    caPem: portal.ca.rootPem,
    couriers: {},
    activate: portal.activate,
    now: Date.now,
    random: randomWithBackOff(),
    onEvent: log.record,
    ...options,
    stateDir,
  })
  afterTest(() => device.close())
  return { device, log, stateDir }
}

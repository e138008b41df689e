import type { AppSettings } from '../../src/authority.ts'
import { LocalBus } from '../../src/bus/local-bus.ts'
import type { AcceptOutcome, Notification } from '../../src/delivery/delivery.ts'
import type { DeviceInbox, DeviceLink, Origin, TopicWish } from '../../src/delivery/device-link.ts'
import type { Mailbox } from '../../src/delivery/mailbox.ts'
import { type DeliveryOptions, type OpenDelivery, openDelivery } from '../../src/delivery/open-delivery.ts'
import type { TokenRecord } from '../../src/registry/registry.ts'
import type { MessageStore } from '../../src/store/message-store.ts'
import type { StoredMessage } from '../../src/store/stored-message.ts'
import { nowMs, nowSeconds } from '../store/store-fixture.ts'
import { apnsIdFor, RecordingTrace } from './recording-trace.ts'

export const topic = 'dev.example.app'

/** A connected device that notes what it gets and acknowledges when told to. */
export class FakePhone implements DeviceLink {
  readonly wishes = new Map<string, TopicWish>([[topic, 'deliver']])
  readonly got: { readonly id: number; readonly name: string; readonly origin: Origin }[] = []
  storageSentTimes = 0
  ended: string | undefined
  inbox!: DeviceInbox
  #waiting: (() => void)[] = []

  /** What it got, by the names given to `notificationFor`. */
  get names(): string[] {
    return this.got.map((message) => message.name)
  }

  wishFor(wanted: string): TopicWish {
    return this.wishes.get(wanted) ?? 'hold'
  }

  send(message: StoredMessage, id: number, origin: Origin): void {
    this.got.push({ id, name: nameOf(message), origin })
    this.#changed()
  }

  storageSent(): void {
    this.storageSentTimes++
    this.#changed()
  }

  end(why: string): void {
    this.ended = why
    this.#changed()
  }

  acknowledge(name: string, status = 0): void {
    for (const message of this.got.filter((each) => each.name === name)) {
      this.inbox.acknowledged(message.id, status)
    }
  }

  /** Resolves when `condition` holds; looked at after everything that happens to the phone. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #changed(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }
}

export interface DeliveryFixture {
  readonly delivery: OpenDelivery
  readonly bus: LocalBus<Mailbox>
  readonly deactivated: string[]
  readonly troubles: string[]
  readonly trace: RecordingTrace
  readonly clock: { nowMs: number }
  readonly settings: { inboxMax: number }
  /** Connects a phone; it names its topics unless told not to. */
  connect(options?: { device?: number; phone?: FakePhone; namesTopics?: boolean }): FakePhone
  accept(name: string, fields?: Partial<NotificationFields>): Promise<AcceptOutcome>
}

interface NotificationFields extends Omit<Notification, 'token'> {
  readonly device: number
  readonly topic: string
  readonly bundleId: string
}

interface FixtureOptions extends Pick<DeliveryOptions, 'shortTimer' | 'power' | 'unackedBytesMax'> {
  readonly trace?: RecordingTrace
}

export function deliveryOver(
  store: MessageStore,
  { trace = new RecordingTrace(), ...options }: FixtureOptions = {},
): DeliveryFixture {
  const bus = new LocalBus<Mailbox>()
  const deactivated: string[] = []
  const troubles: string[] = []
  const clock = { nowMs }
  const settings = { inboxMax: 1 }
  const delivery = openDelivery({
    ...options,
    store,
    bus,
    trace,
    registry: { deactivateToken: async (token) => void deactivated.push(token) },
    authority: {
      app: (bundleId): AppSettings => ({
        bundleId,
        teamId: 'TEAM123456',
        pushEnabled: true,
        inboxMax: settings.inboxMax,
        broadcastEnabled: false,
      }),
    },
    now: () => clock.nowMs,
    onTrouble: (sentence) => void troubles.push(sentence),
  })
  const connect: DeliveryFixture['connect'] = ({
    device = 1,
    phone = new FakePhone(),
    namesTopics = true,
  } = {}) => {
    phone.inbox = delivery.attach(device, phone)
    if (namesTopics) phone.inbox.topicsChanged()
    return phone
  }
  const accept: DeliveryFixture['accept'] = (name, fields = {}) =>
    new Promise((resolve) =>
      delivery.accept(
        notificationFor(name, { receivedAtMs: clock.nowMs, ...fields }),
        'context',
        (context, outcome) => {
          if (context !== 'context') throw new Error('the context was not handed through')
          resolve(outcome)
        },
      ),
    )
  return { delivery, bus, deactivated, troubles, trace, clock, settings, connect, accept }
}

/** @param name is its payload, so that tests can speak of notifications by name */
export function notificationFor(name: string, fields: Partial<NotificationFields> = {}): Notification {
  const { device = 1, topic: wanted = topic, bundleId = 'dev.example.app', ...rest } = fields
  const tokenBytes = new Uint8Array(32).fill(device)
  const token: TokenRecord = {
    token: Buffer.from(tokenBytes).toString('hex'),
    tokenBytes,
    device,
    bundleId,
    topic: wanted,
    inactiveSinceMs: 0,
    askedDay: 19_000,
  }
  return {
    apnsId: apnsIdFor(name),
    uniqueId: '',
    token,
    payload: new TextEncoder().encode(name),
    priority: 10,
    expiration: nowSeconds + 3600,
    collapseId: '',
    pushType: 'alert',
    receivedAtMs: nowMs,
    ...rest,
  }
}

export function nameOf(message: StoredMessage): string {
  return new TextDecoder().decode(message.payload)
}

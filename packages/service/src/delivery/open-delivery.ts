import { apnsIdBytes } from '@carillon/wire'
import type { Authority } from '../authority.ts'
import type { Bus } from '../bus/bus.ts'
import { limits } from '../limits.ts'
import type { Registry } from '../registry/registry.ts'
import type { MessageStore } from '../store/message-store.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import { AckGrace, type ShortTimer } from './ack-grace.ts'
import type { AcceptOutcome, Delivery, Notification } from './delivery.ts'
import type { DeviceInbox, DeviceLink } from './device-link.ts'
import { Mailbox, type MailboxHost } from './mailbox.ts'
import type { Settle } from './outgoing.ts'

export interface DeliveryOptions {
  readonly store: MessageStore
  readonly bus: Bus<Mailbox>
  readonly registry: Pick<Registry, 'deactivateToken'>
  readonly authority: Pick<Authority, 'app'>
  readonly now: () => number
  /** Lets devices acknowledge before a message is written; every message is written at once where absent. */
  readonly shortTimer?: ShortTimer
  /** Told what could not be done, in one sentence; nothing accepted is lost by it. */
  readonly onTrouble: (sentence: string, cause: unknown) => void
}

/** Counted since the start. */
interface DeliveryCounters {
  accepted: number
  /** Kept for a device that is away, or whose window is full. */
  keptInInbox: number
  /** Sent now or never: expiration 0, or already expired. */
  once: number
  noRecipient: number
}

/** Delivery with both of its sides: the gateway accepts, the courier attaches devices. */
export interface OpenDelivery extends Delivery {
  /** A device has connected and is known. An earlier session of the same device is ended. */
  attach(device: number, link: DeviceLink): DeviceInbox
  readonly counters: Readonly<DeliveryCounters>
}

export function openDelivery(options: DeliveryOptions): OpenDelivery {
  return new DirectDelivery(options)
}

class DirectDelivery implements OpenDelivery, MailboxHost {
  readonly store: MessageStore
  readonly grace: AckGrace | undefined
  readonly now: () => number
  readonly counters: DeliveryCounters = { accepted: 0, keptInInbox: 0, once: 0, noRecipient: 0 }
  readonly #options: DeliveryOptions
  readonly #bus: Bus<Mailbox>

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.#bus = options.bus
    this.store = options.store
    this.grace = options.shortTimer === undefined ? undefined : new AckGrace(options.shortTimer)
    this.now = options.now
  }

  accept<C>(
    notification: Notification,
    context: C,
    done: (context: C, outcome: AcceptOutcome) => void,
  ): void {
    this.counters.accepted++
    const message = messageOf(notification, this.store.nextSeq())
    const route = this.#bus.find(message.device)
    if (message.expiration * 1000 <= notification.receivedAtMs) {
      // Apple: "Sending notification requests to APNs": 0 means one attempt and no storage. One that has expired
      // on arrival is treated alike.
      this.counters.once++
      route?.inbox?.offerOnce(message)
      return done(context, 'accepted')
    }
    const settle = (outcome: AcceptOutcome) => done(context, outcome)
    if (route?.inbox !== undefined) return route.inbox.offer(message, settle)
    if (route === undefined) return this.keepInInbox(message, settle)
    // The session is in another process: durable first, then its node hears of it.
    const ticket = this.store.addSent(message, (outcome) => {
      if (outcome === 'stored') this.#bus.wake(message.device, route)
      settle(outcome === 'stored' ? 'accepted' : 'failed')
    })
    if (ticket === 0) settle('busy')
  }

  attach(device: number, link: DeviceLink): DeviceInbox {
    const mailbox = new Mailbox(device, link, this)
    this.#bus.announce(device, mailbox)
    return mailbox
  }

  keepInInbox(message: StoredMessage, settle: Settle): void {
    this.counters.keptInInbox++
    const inboxMax = this.#options.authority.app(message.app)?.inboxMax ?? 1
    const ticket = this.store.addToInbox(message, inboxMax, (outcome) => {
      settle(outcome === 'stored' ? 'accepted' : 'failed')
    })
    if (ticket === 0) settle('busy')
  }

  noRecipient(message: StoredMessage): void {
    this.counters.noRecipient++
    const token = Buffer.from(message.token).toString('hex')
    this.#options.registry.deactivateToken(token, this.now()).catch((error: unknown) => {
      // The next push to this token asks the device again and hears the same.
      this.#options.onTrouble('A token that a device gave back could not be made inactive.', error)
    })
  }

  readFailed(device: number, error: unknown): void {
    this.#options.onTrouble(`What is stored for device ${device} could not be read; it stays stored.`, error)
  }

  withdraw(device: number, mailbox: Mailbox): void {
    this.#bus.withdraw(device, mailbox)
  }
}

function messageOf(notification: Notification, seq: number): StoredMessage {
  const { token, receivedAtMs, expiration } = notification
  const latest = Math.floor(receivedAtMs / 1000) + limits.storedLifeSecondsMax
  return {
    seq,
    device: token.device,
    app: token.bundleId,
    topic: token.topic,
    token: token.tokenBytes,
    // The gateway has checked its form.
    apnsId: apnsIdBytes(notification.apnsId)!,
    payload: notification.payload,
    priority: notification.priority,
    pushType: notification.pushType,
    collapseId: notification.collapseId,
    // Apple: stored for 30 days or less.
    expiration: Math.min(expiration, latest),
    receivedAtMs,
  }
}

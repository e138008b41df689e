import { apnsIdBytes, type PushType } from '@carillon/wire'
import type { Authority } from '../authority.ts'
import type { Bus, Route } from '../bus/bus.ts'
import { limits } from '../limits.ts'
import { ownCopy } from '../own-copy.ts'
import { DueDevices } from '../power/due-devices.ts'
import type { PowerState } from '../power/power-options.ts'
import type { PowerPolicy } from '../power/power-policy.ts'
import type { Registry } from '../registry/registry.ts'
import { steadyClock } from '../steady-clock.ts'
import type { MessageStore, RemovedMessage, StoreListener } from '../store/message-store.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import { type StoredWhy, type Trace, untraced } from '../trace/trace.ts'
import { AckGrace, type ShortTimer } from './ack-grace.ts'
import type { AcceptOutcome, Delivery, Notification } from './delivery.ts'
import type { DeviceInbox, DeviceLink } from './device-link.ts'
import { Mailbox } from './mailbox.ts'
import type { MailboxHost } from './mailbox-host.ts'
import type { Settle } from './outgoing.ts'
import { UnackedTotal } from './unacked-total.ts'

export interface DeliveryOptions {
  readonly store: MessageStore
  readonly bus: Bus<Mailbox>
  readonly registry: Pick<Registry, 'deactivateToken'>
  readonly authority: Pick<Authority, 'app'>
  readonly now: () => number
  /** Told of everything that happens to a notification; nobody where absent. */
  readonly trace?: Trace
  /** What may wait for a better moment of its device; nothing does where absent. */
  readonly power?: PowerPolicy | undefined
  /** Bound of the memory for what devices have not acknowledged; that of `limits` where absent. */
  readonly unackedBytesMax?: number
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
  /** A connected device tells of its power. */
  powerChanged(device: number, power: PowerState): void
  /** To be called once a second. */
  tick(nowMs: number): void
  readonly counters: Readonly<DeliveryCounters>
}

export function openDelivery(options: DeliveryOptions): OpenDelivery {
  return new DirectDelivery(options)
}

class DirectDelivery implements OpenDelivery, MailboxHost, StoreListener {
  readonly store: MessageStore
  readonly grace: AckGrace | undefined
  readonly now: () => number
  readonly trace: Trace
  readonly power: PowerPolicy | undefined
  readonly unacked: UnackedTotal
  steadyMs: number
  readonly counters: DeliveryCounters = { accepted: 0, keptInInbox: 0, once: 0, noRecipient: 0 }
  readonly #options: DeliveryOptions
  readonly #bus: Bus<Mailbox>
  /** Devices for which something is held, by when it is due. */
  readonly #due = new DueDevices()
  readonly #mailboxes = new Set<Mailbox>()
  readonly #steadyNow: () => number

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.#bus = options.bus
    this.store = options.store
    this.grace = options.shortTimer === undefined ? undefined : new AckGrace(options.shortTimer)
    this.now = options.now
    this.trace = options.trace ?? untraced
    this.power = options.power
    this.unacked = new UnackedTotal(options.unackedBytesMax)
    this.#steadyNow = steadyClock(options.now)
    this.steadyMs = this.#steadyNow()
    this.store.listener = this
  }

  accept<C>(
    notification: Notification,
    context: C,
    done: (context: C, outcome: AcceptOutcome) => void,
  ): void {
    this.counters.accepted++
    const { token, payload, receivedAtMs, expiration } = notification
    const route = this.#bus.find(token.device)
    const isToKeep = expiration * 1000 > receivedAtMs
    const isToSend = route?.inbox !== undefined
    const message = messageOf(
      notification,
      isToKeep || isToSend ? ownCopy(payload) : payload,
      this.store.nextSeq(),
    )
    this.trace.received(message, notification.uniqueId)
    if (isToKeep) {
      this.#acceptToKeep(message, route, context, done)
      return
    }
    // Apple: "Sending notification requests to APNs": 0 means one attempt and no storage. One that has expired on
    // arrival is treated alike.
    this.counters.once++
    if (isToSend) route.inbox!.offerOnce(message)
    else this.trace.discarded(message, 'expired', false, receivedAtMs)
    done(context, 'accepted')
  }

  /** Takes a message that is on the disk, or with its device, before it counts as accepted. */
  #acceptToKeep<C>(
    message: StoredMessage,
    route: Route<Mailbox> | undefined,
    context: C,
    done: (context: C, outcome: AcceptOutcome) => void,
  ): void {
    // Closures of one function keep alive what any of them needs: no other one here may speak of the message, or
    // thousands of messages wait in memory for their commits.
    const settle = (outcome: AcceptOutcome) => done(context, outcome)
    if (route?.inbox !== undefined) return route.inbox.offer(message, settle)
    if (route === undefined) this.keepInInbox(message, 'offline', settle)
    else this.#keepForNode(message, route, settle)
  }

  /** The session is in another process: durable first, then its node hears of it. */
  #keepForNode(message: StoredMessage, route: Route<Mailbox>, settle: Settle): void {
    const ticket = this.store.addSent(message, (outcome) => {
      if (outcome === 'stored') this.#bus.wake(message.device, route)
      settle(outcome === 'stored' ? 'accepted' : 'failed')
    })
    if (ticket === 0) settle('busy')
  }

  attach(device: number, link: DeviceLink): DeviceInbox {
    const mailbox = new Mailbox(device, link, this)
    // What an earlier session was to be reminded of is sent to the new one first of all.
    this.#due.delete(device)
    this.#mailboxes.add(mailbox)
    this.#bus.announce(device, mailbox)
    return mailbox
  }

  powerChanged(device: number, power: PowerState): void {
    this.#bus.find(device)?.inbox?.powerChanged(power)
  }

  tick(nowMs: number): void {
    this.steadyMs = this.#steadyNow()
    for (const device of this.#due.take(nowMs)) this.#bus.find(device)?.inbox?.due(nowMs)
    for (const mailbox of this.#mailboxes) mailbox.tick()
  }

  remind(device: number, dueMs: number): void {
    this.#due.add(device, dueMs)
  }

  ended(mailbox: Mailbox): void {
    this.#mailboxes.delete(mailbox)
  }

  keepInInbox(message: StoredMessage, why: StoredWhy, settle: Settle): void {
    this.counters.keptInInbox++
    const inboxMax = this.#options.authority.app(message.app)?.inboxMax ?? 1
    const kept = why === 'power' && inboxMax > 1 ? heldMessage(message) : message
    const ticket = this.store.addToInbox(kept, inboxMax, (outcome) => {
      settle(outcome === 'stored' ? 'accepted' : 'failed')
    })
    if (ticket === 0) return settle('busy')
    this.trace.stored(message, why, message.receivedAtMs)
  }

  replaced(message: RemovedMessage, by: Uint8Array): void {
    const isAwaited = this.#bus.find(message.device)?.inbox?.removed(message.seq, by) === true
    if (!isAwaited) this.trace.replaced(message, by, this.now())
  }

  expired(message: RemovedMessage): void {
    const isAwaited = this.#bus.find(message.device)?.inbox?.removed(message.seq, 'expired') === true
    if (!isAwaited) this.trace.expired(message, this.now())
  }

  noRecipient(message: StoredMessage): void {
    this.counters.noRecipient++
    const token = Buffer.from(message.token).toString('hex')
    const nowMs = this.now()
    this.trace.tokenInactive(message.token, message.app, message.topic, nowMs)
    this.#options.registry.deactivateToken(token, nowMs).catch((error: unknown) => {
      // The next push to this token asks the device again and hears the same.
      this.#options.onTrouble('A token that a device gave back could not be made inactive.', error)
    })
  }

  readFailed(device: number, error: unknown): void {
    this.#options.onTrouble(`What is stored for device ${device} could not be read; it stays stored.`, error)
  }

  withdraw(device: number, mailbox: Mailbox): void {
    if (this.#bus.find(device)?.inbox === mailbox) this.#due.delete(device)
    this.#bus.withdraw(device, mailbox)
  }
}

/**
 * Apple: "Pushing background updates to your app": of those that wait only the newest is kept, also where the app has
 * a queue. No collapse id of a provider begins with a blank.
 */
function heldMessage(message: StoredMessage): StoredMessage {
  if (message.pushType !== ('background' satisfies PushType) || message.collapseId !== '') return message
  return { ...message, collapseId: ' background' }
}

function messageOf(notification: Notification, payload: Uint8Array, seq: number): StoredMessage {
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
    payload,
    priority: notification.priority,
    pushType: notification.pushType,
    collapseId: notification.collapseId,
    // Apple: stored for 30 days or less.
    expiration: Math.min(expiration, latest),
    receivedAtMs,
  }
}

import {
  bytesEqual,
  type CourierFraming,
  type CourierMessage,
  courierExtensions,
  courierFrameBytesMax,
  courierFraming,
  courierPresence,
  type MessageFromDevice,
  type MessageOf,
  type SharedMessage,
  WireError,
} from '@carillon/wire'
import type { DeviceInbox, DeviceLink, Origin, TopicWish } from '../delivery/device-link.ts'
import { limits } from '../limits.ts'
import type { DeviceRecord } from '../registry/registry.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import { handleCommand } from './commands/handle-command.ts'
import type { ConnectedDevice } from './connected-device.ts'
import { DeviceActivity } from './device-activity.ts'
import type { DeviceConnection } from './device-connection.ts'
import type { OrderedReplies } from './ordered-replies.ts'
import { authenticate, type Rejection, rejected } from './session-connect.ts'
import type { SessionFilter } from './session-filter.ts'
import {
  agreedExtensions,
  connectedMessage,
  notificationMessage,
  redirectMessage,
  rejectionMessage,
} from './session-frames.ts'
import type { Drain, SessionHost, SessionLink } from './session-host.ts'
import { type CloseReason, SessionWatch } from './session-limits.ts'

/** `enrolling`: the device has proven who it is and waits for its row; what it sends meanwhile waits too. */
type Phase = 'waiting' | 'enrolling' | 'connected' | 'closed'

/**
 * One connection of a device: a state machine without I/O. Bytes and the time go in; frames come out through
 * the link, notifications come from delivery and acknowledgements go there. What a connected device says is
 * handled in `commands/`; members that only those use are without `#`.
 */
export class CourierSession implements DeviceLink, ConnectedDevice {
  readonly host: SessionHost
  readonly watch: SessionWatch
  /** Where delivery is reached; undefined while the device is not present. */
  inbox: DeviceInbox | undefined
  filter: SessionFilter | undefined
  tokenReplies: OrderedReplies<MessageOf<'appTokenReply'>> | undefined
  readonly #link: SessionLink
  readonly #framing: CourierFraming<'device'>
  readonly #openedAtMs: number
  #notifications = 0
  /** When a delayed keep-alive reply is due; 0 for never. */
  #keepAliveReplyAtMs = 0
  readonly #activity = new DeviceActivity()
  #phase: Phase = 'waiting'
  #device: DeviceRecord | undefined
  /** Extensions that both ends know; undefined for a device that speaks of none. */
  #agreed: number | undefined
  /** Of the certificate that the device has shown; '' before. */
  #serial = ''

  /** @param alpn what the transport agreed on, which decides the framing */
  constructor(host: SessionHost, link: SessionLink, alpn: string | false | null = '') {
    this.host = host
    this.#link = link
    this.#framing = courierFraming('device', alpn, limits.preAuthBytesMax)
    this.watch = new SessionWatch(host.steadyNow())
    this.#openedAtMs = host.now()
    host.counters.opened++
  }

  get isConnected(): boolean {
    return this.#phase === 'connected'
  }

  get deviceRow(): number {
    return this.#device!.id
  }

  get baseToken(): Uint8Array {
    return this.#device!.baseToken
  }

  get extensions(): number {
    return this.#agreed ?? 0
  }

  /** The device was told that its filters are confirmed. */
  get confirmsFilters(): boolean {
    return this.#agreed !== undefined
  }

  /** Undefined while it is not known who the device is. */
  describe(): DeviceConnection | undefined {
    const device = this.#device
    return (
      device && {
        ...{ device: device.id, deviceId: device.deviceId, openedAtMs: this.#openedAtMs },
        ...{ certificateSerial: this.#serial, notifications: this.#notifications },
        isPacked: this.#framing.isPacked,
      }
    )
  }

  /**
   * Bytes from the device. The chunk is not written to afterwards by anybody.
   *
   * @param steadyMs by the host's steady clock
   */
  receive(chunk: Uint8Array, steadyMs: number): void {
    if (this.#phase === 'closed') return
    const why = this.watch.heard(chunk.length, steadyMs)
    if (why !== undefined) return this.close(why)
    this.#framing.push(chunk)
    this.#process(steadyMs)
  }

  /**
   * The transport asks whether somebody is here, with so many bytes: it may have its answer unless this says false.
   *
   * @param steadyMs by the host's steady clock
   */
  probed(bytes: number, steadyMs: number): boolean {
    if (this.#phase === 'closed') return false
    const why = this.watch.heard(bytes, steadyMs) ?? this.watch.said('keepAlive', steadyMs)
    if (why !== undefined) this.close(why)
    return why === undefined
  }

  /** Dead-lines, by the host's steady clock. @returns in how many milliseconds to call again */
  tick(steadyMs: number): number {
    if (this.#phase === 'closed') return 0
    const watched = this.watch.tick(steadyMs)
    if (watched === 'ask') {
      this.host.counters.keepAliveRequests++
      this.say({ type: 'keepAliveRequest' })
      return 1000
    }
    if (typeof watched === 'string') {
      this.close(watched)
      return 0
    }
    if (this.#activity.takeRide()) this.inbox?.topicsChanged()
    if (this.#keepAliveReplyAtMs === 0) return watched
    const leftMs = this.#keepAliveReplyAtMs - steadyMs
    if (leftMs > 0) return Math.min(watched, leftMs)
    this.#keepAliveReplyAtMs = 0
    this.host.counters.keepAliveRepliesDelayed++
    this.say({ type: 'keepAliveReply' })
    return watched
  }

  /** The connection is gone. */
  closed(): void {
    const wasConnected = this.#phase === 'connected'
    this.#phase = 'closed'
    this.inbox?.close()
    this.inbox = undefined
    if (!wasConnected) return
    this.host.hooks.channels?.ended(this)
    this.host.hooks.power?.ended(this)
  }

  /** The device does not read what is written to it. What it has not acknowledged stays stored. */
  overwhelmed(): void {
    this.close('does not read')
  }

  /** A certificate was revoked; whoever came with it has to go. */
  revoked(serial: string): void {
    if (this.#serial === serial) this.close('certificate revoked')
  }

  /**
   * The courier sends its devices away: to another one, or to come back in a while.
   *
   * @param why 'shutdown' where this one stops
   */
  leave(why: 'drained' | 'shutdown'): void {
    const to = this.host.drain?.to
    if (this.#phase === 'connected' && to !== undefined) {
      this.host.counters.redirected++
      this.say({ type: 'redirect', host: to })
    }
    this.close(why)
  }

  close(reason: CloseReason): void {
    if (this.#phase === 'closed') return
    const { closed } = this.host.counters
    closed[reason] = (closed[reason] ?? 0) + 1
    const last = this.#lastFrame(reason)
    // First closed, then written: a link that is full closes the session, and it must not begin to close again.
    this.closed()
    if (last !== undefined) this.#link.write(last)
    this.#link.close(reason)
  }

  say(message: CourierMessage): void {
    if (this.#phase !== 'closed') this.#link.write(this.#framing.encode(message))
  }

  sayShared(message: SharedMessage): void {
    if (this.#phase !== 'closed') this.#link.write(this.#framing.encodeShared(message))
  }

  // ---- what delivery asks ----

  wishFor(topic: string): TopicWish {
    const wish = this.filter?.wishFor(topic, this.host.hashes) ?? 'hold'
    if (wish !== 'opportunistic') return wish
    return this.isActive(this.host.steadyNow()) ? 'deliver' : 'hold'
  }

  send(message: StoredMessage, id: number, origin: Origin): void {
    this.host.counters.notifications++
    this.#notifications++
    const hash = this.host.hashes.of(message.topic)
    this.say(notificationMessage(message, id, origin, hash, this.baseToken))
    if (this.filter?.hasOpportunistic !== true) return
    if (this.#activity.awoken(this.host.steadyNow())) this.#link.dueIn(0)
  }

  storageSent(): void {
    this.say({ type: 'noStorage', token: this.baseToken })
  }

  end(why: 'replaced' | 'store failed' | 'does not acknowledge'): void {
    this.close(why)
  }

  // ---- presence ----

  /** The device goes, and its connection stays. */
  withdraw(): void {
    this.inbox?.close()
    this.inbox = undefined
    // A device that is present again names its topics again; until then nothing may overtake what is stored.
    this.filter = undefined
    this.host.hooks.channels?.ended(this)
  }

  /** The device is here again. */
  presentAgain(connect: MessageOf<'connect'>): void {
    this.#agreed = agreedExtensions(connect, this.host.hooks)
    this.#present()
  }

  #present(): void {
    // Apple's daemon reads the bounds in the packed framing only; others might stumble over them.
    const keepAlive = this.#framing.isPacked ? this.host.keepAlive : undefined
    this.say(connectedMessage(this.baseToken, this.host.now(), this.#agreed, keepAlive))
    // The answer may have been one frame too many for a device that does not read.
    if (this.#phase === 'connected') this.inbox ??= this.host.attach(this.deviceRow, this)
  }

  // ---- activity ----

  /** Whether opportunistic topics may be delivered: the device says that it is awake, or just got something else. */
  isActive(steadyMs: number): boolean {
    return this.#activity.isActive(steadyMs)
  }

  activeUntil(untilMs: number, steadyMs: number): void {
    const hasBegun = this.#activity.told(untilMs, steadyMs)
    if (hasBegun && this.filter?.hasOpportunistic === true) this.inbox?.topicsChanged()
  }

  /** A keep-alive reply is due then. */
  replyLater(atMs: number, steadyMs: number): void {
    this.#keepAliveReplyAtMs = atMs
    this.#link.dueIn(atMs - steadyMs)
  }

  // ---- the way to a connected device ----

  #process(steadyMs: number): void {
    while (this.#phase === 'waiting' || this.#phase === 'connected') {
      const message = this.#next()
      if (message === undefined) return
      if (this.#phase === 'connected') this.#handle(message, steadyMs)
      else if (message.type === 'connect') this.#connect(message)
      else this.host.counters.misplacedMessages++
    }
  }

  #next(): MessageFromDevice | undefined {
    try {
      return this.#framing.next()
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.close('malformed')
      return undefined
    }
  }

  #handle(message: MessageFromDevice, steadyMs: number): void {
    const why = this.watch.said(message.type, steadyMs)
    if (why !== undefined) return this.close(why)
    handleCommand(this, message, steadyMs)
  }

  #connect(connect: MessageOf<'connect'>): void {
    // Withdrawing what was never announced.
    if (connect.state === courierPresence.withdraw) return void this.host.counters.misplacedMessages++
    const identity = authenticate(connect, this.host.rules, this.host.now())
    if ('reason' in identity) return this.#reject(identity)
    this.#phase = 'enrolling'
    this.#serial = identity.serial
    this.host.registry.enrolDevice(identity.deviceId).then(
      (device) => {
        if (this.#phase === 'enrolling') this.#connected(device, connect)
      },
      (error: unknown) => {
        this.host.onTrouble('A device could not be looked up; it is sent away and will come again.', error)
        this.close('registry failed')
      },
    )
  }

  #connected(device: DeviceRecord, connect: MessageOf<'connect'>): void {
    const { counters, refusesUnknownBaseToken } = this.host
    if (
      refusesUnknownBaseToken &&
      connect.token !== undefined &&
      !bytesEqual(connect.token, device.baseToken)
    ) {
      return this.#reject(rejected('base token unknown'))
    }
    this.#device = device
    this.#agreed = agreedExtensions(connect, this.host.hooks)
    if (this.host.drain !== undefined) return this.#sendAway(this.host.drain)
    counters.connected++
    this.#phase = 'connected'
    this.watch.known(this.#agreed !== undefined)
    this.#link.known()
    this.#framing.frameBytesMax = courierFrameBytesMax
    this.#present()
    this.#process(this.host.steadyNow())
  }

  /** A device that comes while the courier sends its devices away. */
  #sendAway({ to }: Drain): void {
    if (to !== undefined) {
      this.host.counters.redirected++
      this.say(redirectMessage(to, this.host.now()))
    }
    this.close('drained')
  }

  /** Why it ends and when to come back, for devices that understand it and still read. */
  #lastFrame(reason: CloseReason): Uint8Array | undefined {
    if ((this.extensions & courierExtensions.closeReason) === 0) return undefined
    if (reason === 'does not read' || reason === 'silent') return undefined
    const { drain, spread } = this.host
    const retry =
      drain === undefined || drain.to !== undefined
        ? {}
        : { retryAfterMs: Math.floor(spread() * drain.retryMsMax) }
    return this.#framing.encode({ type: 'closing', reason, ...retry })
  }

  #reject(rejection: Rejection): void {
    const { rejected: counts } = this.host.counters
    counts[rejection.reason] = (counts[rejection.reason] ?? 0) + 1
    this.say(rejectionMessage(rejection, this.host.now()))
    this.close('rejected')
  }
}

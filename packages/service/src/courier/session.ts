import {
  bytesEqual,
  CourierMessageReader,
  courierAckStatus,
  courierExtensions,
  courierFrameBytesMax,
  courierPresence,
  encodeCourierMessage,
  type MessageFromDevice,
  type MessageOf,
  WireError,
} from '@carillon/wire'
import type { DeviceInbox, DeviceLink, Origin, TopicWish } from '../delivery/device-link.ts'
import { limits } from '../limits.ts'
import type { DeviceRecord, TokenRecord } from '../registry/registry.ts'
import type { StoredMessage } from '../store/stored-message.ts'
import { OrderedReplies } from './ordered-replies.ts'
import { authenticate, type Rejection, rejected } from './session-connect.ts'
import { SessionFilter } from './session-filter.ts'
import { agreedExtensions, connectedFrame, notificationFrame, rejectionFrame } from './session-frames.ts'
import type { SessionHost, SessionLink } from './session-host.ts'
import { type CloseReason, SessionWatch } from './session-limits.ts'

/** `enrolling`: the device has proven who it is and waits for its row; what it sends meanwhile waits too. */
type Phase = 'waiting' | 'enrolling' | 'connected' | 'closed'

/**
 * One connection of a device: a state machine without I/O. Bytes and the time go in; frames come out through
 * the link, notifications come from delivery and acknowledgements go there.
 */
export class CourierSession implements DeviceLink {
  readonly #host: SessionHost
  readonly #link: SessionLink
  readonly #reader = new CourierMessageReader({ from: 'device', frameBytesMax: limits.preAuthBytesMax })
  readonly #watch: SessionWatch
  #phase: Phase = 'waiting'
  #device: DeviceRecord | undefined
  /** Of the certificate that the device has shown; '' before. */
  #serial = ''
  #inbox: DeviceInbox | undefined
  #filter: SessionFilter | undefined
  #extensions = 0
  #tokenReplies: OrderedReplies<MessageOf<'appTokenReply'>> | undefined
  /** When a delayed keep-alive reply is due; 0 for never. */
  #keepAliveReplyAtMs = 0

  constructor(host: SessionHost, link: SessionLink, nowMs: number) {
    this.#host = host
    this.#link = link
    this.#watch = new SessionWatch(nowMs)
    host.counters.opened++
  }

  get isConnected(): boolean {
    return this.#phase === 'connected'
  }

  /** Bytes from the device. The chunk is not written to afterwards by anybody. */
  receive(chunk: Uint8Array, nowMs: number): void {
    if (this.#phase === 'closed') return
    const why = this.#watch.heard(chunk.length, nowMs)
    if (why !== undefined) return this.#close(why)
    this.#reader.push(chunk)
    this.#process(nowMs)
  }

  /** Once a second or so: dead-lines. */
  tick(nowMs: number): void {
    if (this.#phase === 'closed') return
    const why = this.#watch.tick(nowMs)
    if (why !== undefined) return this.#close(why)
    if (this.#keepAliveReplyAtMs === 0 || nowMs < this.#keepAliveReplyAtMs) return
    this.#keepAliveReplyAtMs = 0
    this.#link.write(keepAliveReplyFrame)
  }

  /** The connection is gone. */
  closed(): void {
    this.#phase = 'closed'
    this.#inbox?.close()
    this.#inbox = undefined
  }

  /** The device does not read what is written to it. What it has not acknowledged stays stored. */
  overwhelmed(): void {
    this.#close('does not read')
  }

  /** A certificate was revoked; whoever came with it has to go. */
  revoked(serial: string): void {
    if (this.#serial === serial) this.#close('certificate revoked')
  }

  /** The courier stops. */
  shutdown(): void {
    this.#close('shutdown')
  }

  // ---- what delivery asks ----

  wishFor(topic: string): TopicWish {
    return this.#filter?.wishFor(topic, this.#host.hashes) ?? 'hold'
  }

  send(message: StoredMessage, id: number, origin: Origin): void {
    this.#host.counters.notifications++
    const hash = this.#host.hashes.of(message.topic)
    this.#link.write(notificationFrame(message, id, origin, hash, this.#device!.baseToken))
  }

  storageSent(): void {
    this.#link.write(encodeCourierMessage({ type: 'noStorage', token: this.#device!.baseToken }))
  }

  end(why: 'replaced' | 'store failed'): void {
    this.#close(why)
  }

  // ---- what the device says ----

  #process(nowMs: number): void {
    while (this.#phase === 'waiting' || this.#phase === 'connected') {
      const message = this.#next()
      if (message === undefined) return
      if (this.#phase === 'connected') this.#handle(message, nowMs)
      else if (message.type === 'connect') this.#connect(message, nowMs)
      else this.#host.counters.misplacedMessages++
    }
  }

  #next(): MessageFromDevice | undefined {
    try {
      return this.#reader.next()
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#close('malformed')
      return undefined
    }
  }

  #connect(connect: MessageOf<'connect'>, nowMs: number): void {
    // Withdrawing what was never announced.
    if (connect.state === courierPresence.withdraw) return void this.#host.counters.misplacedMessages++
    const identity = authenticate(connect, this.#host.rules, nowMs)
    if ('reason' in identity) return this.#reject(identity)
    this.#phase = 'enrolling'
    this.#serial = identity.serial
    this.#host.registry.enrolDevice(identity.deviceId).then(
      (device) => {
        if (this.#phase === 'enrolling') this.#connected(device, connect)
      },
      (error: unknown) => {
        this.#host.onTrouble('A device could not be looked up; it is sent away and will come again.', error)
        this.#close('registry failed')
      },
    )
  }

  #connected(device: DeviceRecord, connect: MessageOf<'connect'>): void {
    const { counters, refusesUnknownBaseToken } = this.#host
    const nowMs = this.#host.now()
    if (
      refusesUnknownBaseToken &&
      connect.token !== undefined &&
      !bytesEqual(connect.token, device.baseToken)
    ) {
      return this.#reject(rejected('base token unknown'))
    }
    counters.connected++
    this.#device = device
    const extensions = agreedExtensions(connect)
    this.#extensions = extensions ?? 0
    this.#phase = 'connected'
    this.#watch.known()
    this.#link.known()
    this.#reader.frameBytesMax = courierFrameBytesMax
    this.#link.write(connectedFrame(device.baseToken, nowMs, extensions))
    this.#inbox = this.#host.attach(device.id, this)
    this.#process(nowMs)
  }

  #reject(rejection: Rejection): void {
    const { rejected: counts } = this.#host.counters
    counts[rejection.reason] = (counts[rejection.reason] ?? 0) + 1
    this.#link.write(rejectionFrame(rejection, this.#host.now()))
    this.#close('rejected')
  }

  #handle(message: MessageFromDevice, nowMs: number): void {
    const why = this.#watch.said(message.type, nowMs)
    if (why !== undefined) return this.#close(why)
    switch (message.type) {
      case 'ack':
        this.#host.counters.acknowledgements++
        this.#inbox?.acknowledged(message.id, message.status ?? courierAckStatus.ok)
        return
      case 'filter':
        this.#filter = SessionFilter.from(message, (hash) => this.#host.registry.topicOf(hash))
        this.#inbox?.topicsChanged()
        return
      case 'keepAlive':
        return this.#keepAlive(message, nowMs)
      case 'appTokenRequest':
        return this.#issueToken(message)
      case 'flush':
        return this.#flush(message)
      case 'connect':
        return this.#connectAgain(message, nowMs)
      case 'unknown':
        this.#host.counters.unknownCommands++
        return
      case 'unusable':
        this.#host.counters.unusableMessages++
        return
      default:
        // Tolerated without an answer: state, active interval, transport and tracing acknowledgements, task
        // control, presence, channels, uploads. Clients do not wait for one.
        return
    }
  }

  #keepAlive(message: MessageOf<'keepAlive'>, nowMs: number): void {
    if (message.intervalMinutes !== undefined) this.#watch.interval(message.intervalMinutes)
    if (message.replyAfter === undefined) {
      this.#link.write(keepAliveReplyFrame)
      return
    }
    // Unverified against Apple: the unit is seconds.
    const delayMs = Math.min(message.replyAfter * 1000, limits.keepAliveDelayMsMax)
    this.#link.write(keepAliveReceiptFrame)
    this.#keepAliveReplyAtMs = nowMs + delayMs
  }

  #issueToken(request: MessageOf<'appTokenRequest'>): void {
    this.#tokenReplies ??= new OrderedReplies((reply) => {
      if (this.#phase === 'connected') this.#link.write(encodeCourierMessage(reply))
    })
    const replies = this.#tokenReplies
    if (replies.waiting >= limits.tokenRequestsWaitingMax) return this.#close('too many token requests')
    // Copied, for it is kept while the registry works and would keep the whole chunk alive.
    const hash = Uint8Array.from(request.topicHash)
    const installation = this.#installationOf(request)
    const place = replies.reserve()
    this.#host.registry.issueToken(this.#device!.id, hash, installation).then(
      (record) => replies.settle(place, tokenReply(record, hash, request.appId)),
      (error: unknown) => {
        this.#host.onTrouble('A token could not be issued; the device will ask again.', error)
        this.#close('registry failed')
      },
    )
  }

  #installationOf(request: MessageOf<'appTokenRequest'>): Uint8Array | undefined {
    if ((this.#extensions & courierExtensions.installation) === 0) return undefined
    return request.installation?.length === 8 ? Uint8Array.from(request.installation) : undefined
  }

  #flush(message: MessageOf<'flush'>): void {
    const padding = new Uint8Array(Math.min(message.wantedBytes ?? 0, limits.flushPaddingBytesMax))
    this.#link.write(encodeCourierMessage({ type: 'flushReply', padding }))
  }

  /** A device that is known says that it withdraws, or is present again. Other tokens are not served here. */
  #connectAgain(connect: MessageOf<'connect'>, nowMs: number): void {
    const { token } = connect
    const device = this.#device!
    if (token !== undefined && !bytesEqual(token, device.baseToken)) {
      this.#host.counters.misplacedMessages++
    } else if (connect.state === courierPresence.withdraw) {
      this.#inbox?.close()
      this.#inbox = undefined
      // A device that is present again names its topics again; until then nothing may overtake what is stored.
      this.#filter = undefined
    } else {
      this.#link.write(connectedFrame(device.baseToken, nowMs, agreedExtensions(connect)))
      this.#inbox ??= this.#host.attach(device.id, this)
    }
  }

  #close(reason: CloseReason): void {
    if (this.#phase === 'closed') return
    const { closed } = this.#host.counters
    closed[reason] = (closed[reason] ?? 0) + 1
    this.closed()
    this.#link.close(reason)
  }
}

const keepAliveReplyFrame = encodeCourierMessage({ type: 'keepAliveReply' })
const keepAliveReceiptFrame = encodeCourierMessage({ type: 'keepAliveReceipt' })

function tokenReply(
  record: TokenRecord | undefined,
  topicHash: Uint8Array,
  appId: number | undefined,
): MessageOf<'appTokenReply'> {
  const reply: MessageOf<'appTokenReply'> =
    record === undefined
      ? { type: 'appTokenReply', status: courierAckStatus.noRecipient, topicHash }
      : { type: 'appTokenReply', status: courierAckStatus.ok, token: record.tokenBytes, topicHash }
  return appId === undefined ? reply : { ...reply, appId }
}

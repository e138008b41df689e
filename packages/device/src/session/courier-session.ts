import {
  bytesEqual,
  type ChannelSubscription,
  type CourierFraming,
  type CourierMessage,
  courierAckStatus,
  courierActivity,
  courierActivityIntervalForever,
  courierCapabilities,
  courierConnectStatus,
  courierExtensions,
  courierFraming,
  encodeChannelSubscription,
  type MessageFromCourier,
  type MessageOf,
} from '@carillon/wire'
import { limits } from '../limits.ts'
import { type DevicePower, powerBits } from '../power/device-power.ts'
import { connectMessage, type SessionStart } from './connect-message.ts'
import { HandledNotifications } from './handled-notifications.ts'
import type { DeviceIdentity } from './identity.ts'
import { KeepAlive } from './keep-alive.ts'

/** Why a session ended; what the device does next depends on it. */
export type SessionEnd =
  /** @property retryAfterMs how long the courier asks the device to stay away */
  | { readonly why: 'lost'; readonly detail: string; readonly retryAfterMs?: number }
  /** @property hadToken whether the device presented a base token, which may be what was refused */
  | { readonly why: 'rejected'; readonly detail: string; readonly hadToken: boolean }
  | { readonly why: 'clock'; readonly courierTimeMs: number }
  /** As the courier said it: `host` or `host:port`. */
  | { readonly why: 'redirect'; readonly host: string }

/** Length of an installation id. */
export const installationBytes = 8

/** What `requestToken` was called with. */
export interface TokenRequest {
  readonly topicHash: Uint8Array
  readonly installation: Uint8Array
}

/** What the session tells its device. Called from `receive` and `tick`, in order. */
export interface SessionHandler {
  /** Bytes for the courier. */
  send(bytes: Uint8Array): void
  connected(baseToken: Uint8Array | undefined, courierTimeMs: number | undefined): void
  /** The token that was asked for, or undefined where the courier refused. */
  token(request: TokenRequest, token: Uint8Array | undefined): void
  /** The message's bytes are views: copy what is kept. Answer with `session.acknowledge`. */
  notification(message: MessageOf<'notification'>, session: CourierSession): void
  /** The answer to `setChannels`. */
  channels(reply: MessageOf<'channelsReply'>): void
  /** Nothing more in storage. */
  storageEmpty(): void
  /** Once, and nothing after it: close the transport. */
  ended(end: SessionEnd): void
}

/**
 * One connection to the courier as a state machine without I/O: takes bytes and the time, gives bytes and
 * events to its handler. Authentication as in `apns-security-v3`: certificate, nonce and its signature.
 */
export class CourierSession {
  #state: 'new' | 'connecting' | 'connected' | 'ended' = 'new'
  #framing: CourierFraming<'courier'> = courierFraming('courier', '')
  readonly #identity: DeviceIdentity
  readonly #handler: SessionHandler
  #baseToken: Uint8Array | undefined
  #agreed = 0
  /** `courierCapabilities` of this courier. */
  #capabilities = 0
  /** Tokens that were asked for and not answered yet, in that order. */
  #asked: TokenRequest[] = []
  /** Acknowledgements that may be lost with this connection. */
  readonly #handledBefore: HandledNotifications
  readonly #keepAlive: KeepAlive
  /** Since when it connects. */
  #sinceMs: number
  #filterVersion = 0n
  /** When the filter was sent that is not confirmed yet. */
  #filterSentMs: number | undefined
  /** What the courier said before it closed. */
  #closing: MessageOf<'closing'> | undefined
  /** The time of what is being handled. */
  #nowMs: number

  /**
   * @param nowMs when the transport begins to connect: the time to be connected counts from here
   * @param handled of the sessions before it
   */
  constructor(
    identity: DeviceIdentity,
    baseToken: Uint8Array | undefined,
    handler: SessionHandler,
    nowMs: number,
    handled: HandledNotifications = new HandledNotifications(),
  ) {
    this.#identity = identity
    this.#baseToken = baseToken
    this.#handler = handler
    this.#sinceMs = nowMs
    this.#nowMs = nowMs
    this.#keepAlive = new KeepAlive(nowMs)
    this.#handledBefore = handled
    handled.reconnected()
  }

  get isConnected(): boolean {
    return this.#state === 'connected'
  }

  /** The transport is up: introduces the device, as soon as its key has signed. */
  start(start: SessionStart): void {
    if (this.#state !== 'new') return
    this.#state = 'connecting'
    this.#framing = courierFraming('courier', start.alpn ?? '')
    const connect = connectMessage(this.#identity, this.#baseToken, start)
    if (!(connect instanceof Promise)) return this.#send(connect)
    connect.then(
      (signed) => {
        if (this.#state === 'connecting') this.#send(signed)
      },
      (error: unknown) =>
        this.#end({ why: 'lost', detail: `the device's key does not sign: ${(error as Error).message}` }),
    )
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    if (this.#state === 'ended' || this.#state === 'new') return
    this.#nowMs = nowMs
    this.#keepAlive.heard(nowMs)
    this.#framing.push(bytes)
    for (let message = this.#next(); message; message = this.#next()) {
      this.#handle(message)
      if (this.#hasEnded()) return
    }
  }

  /** To be called about once a second: timeouts and keep-alive. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs
    if (this.#state === 'new' || this.#state === 'connecting') {
      // A clock that was set back must not put the dead-lines off.
      this.#sinceMs = Math.min(this.#sinceMs, nowMs)
      if (nowMs - this.#sinceMs > limits.connectMsMax)
        this.#end({ why: 'lost', detail: 'the courier did not answer in time' })
      return
    }
    if (this.#state !== 'connected') return
    const due = this.#keepAlive.tick(nowMs)
    if (due === 'dead') this.#end({ why: 'lost', detail: 'the courier did not answer a keep-alive' })
    else if (due === 'ask') this.#ask(true)
    else if (this.#filterSentMs !== undefined) {
      this.#filterSentMs = Math.min(this.#filterSentMs, nowMs)
      if (nowMs - this.#filterSentMs > limits.filterReplyMsMax)
        this.#end({ why: 'lost', detail: 'the courier did not confirm which topics are wanted' })
    }
  }

  /** Replaces the set of topics that notifications are wanted for. */
  setTopics(topicHashes: readonly Uint8Array[]): void {
    if (this.#state !== 'connected') return
    const confirms = (this.#capabilities & courierCapabilities.filterReplies) !== 0
    const resumes = (this.#agreed & courierExtensions.resume) !== 0
    // Named once: what is acknowledged on this connection, this courier knows.
    const handled = resumes && this.#filterVersion === 0n ? this.#handledBefore.ids : []
    const version = ++this.#filterVersion
    if (confirms) this.#filterSentMs = this.#nowMs
    this.#send({
      type: 'filter',
      ...(this.#baseToken ? { token: this.#baseToken } : {}),
      enabled: topicHashes,
      ...(confirms ? { version } : {}),
      ...(handled.length > 0 ? { handled } : {}),
    })
  }

  /**
   * Asks for the token of a topic, once until the courier answered.
   *
   * @param installation 8 bytes, drawn anew with each installation of the app
   */
  requestToken(topicHash: Uint8Array, installation: Uint8Array): void {
    if (this.#state !== 'connected') return
    const isAsked = (request: TokenRequest) =>
      bytesEqual(request.topicHash, topicHash) && bytesEqual(request.installation, installation)
    if (this.#asked.some(isAsked)) return
    this.#asked.push({ topicHash, installation })
    const agreed = (this.#agreed & courierExtensions.installation) !== 0
    this.#send({
      type: 'appTokenRequest',
      ...(this.#baseToken ? { baseToken: this.#baseToken } : {}),
      topicHash,
      ...(agreed ? { installation } : {}),
    })
  }

  /**
   * `gone`: no app on this device takes that topic any more.
   *
   * @param tracingId by which the notification is known again, should this get lost
   */
  acknowledge(id: number, token: Uint8Array, outcome: 'ok' | 'gone', tracingId?: Uint8Array): void {
    if (outcome === 'ok' && tracingId?.length === 16) this.#handledBefore.acknowledged(tracingId)
    if (this.#state !== 'connected') return
    const status = outcome === 'ok' ? courierAckStatus.ok : courierAckStatus.noRecipient
    this.#send({ type: 'ack', id, status, token })
  }

  /** Tells how the device is fed. A courier that did not agree to hear of it is told nothing. */
  reportPower(power: DevicePower): void {
    if (this.#state !== 'connected' || (this.#agreed & courierExtensions.power) === 0) return
    this.#send({
      type: 'state',
      state: courierActivity.active,
      interval: courierActivityIntervalForever,
      power: powerBits(power),
    })
  }

  /**
   * Tells what became of a notification. A courier that did not agree to hear of it is told nothing.
   *
   * @param report one of `courierReports`
   */
  report(tracingId: Uint8Array, token: Uint8Array, report: number): void {
    if (this.#state !== 'connected' || (this.#agreed & courierExtensions.reports) === 0) return
    this.#send({ type: 'tracingAck', tracingId, status: courierAckStatus.ok, token, report })
  }

  /** Says which broadcast channels are wanted. @param id comes back in the reply */
  setChannels(id: number, subscription: ChannelSubscription): void {
    if (this.#state !== 'connected') return
    this.#send({
      type: 'channels',
      id,
      subscription: encodeChannelSubscription(subscription),
      ...(this.#baseToken ? { baseToken: this.#baseToken } : {}),
    })
  }

  /** The transport is gone. */
  transportLost(detail: string): void {
    const closing = this.#closing
    if (closing === undefined) return this.#end({ why: 'lost', detail })
    const { reason, retryAfterMs } = closing
    this.#end({
      why: 'lost',
      detail: `the courier closed the connection (${reason})`,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })
  }

  #next(): MessageFromCourier | undefined {
    try {
      return this.#framing.next()
    } catch (error) {
      this.#end({ why: 'lost', detail: `the courier sent what cannot be read: ${(error as Error).message}` })
      return undefined
    }
  }

  #handle(message: MessageFromCourier): void {
    if (message.type === 'connected') return this.#onConnected(message)
    // Before that, nothing else may be believed.
    if (this.#state !== 'connected') return
    switch (message.type) {
      case 'notification':
        return this.#handler.notification(message, this)
      case 'appTokenReply':
        return this.#onToken(message)
      case 'channelsReply':
        return this.#handler.channels(message)
      case 'noStorage':
        return this.#handler.storageEmpty()
      case 'keepAliveRequest':
        return this.#ask(false)
      case 'keepAliveReceipt':
        return this.#handledBefore.answered()
      case 'keepAliveReply':
        // Where the courier's clock has run out, it begins anew; else this answers the last question.
        if (this.#keepAlive.replied(this.#nowMs)) this.#ask(true)
        else this.#handledBefore.answered()
        return
      case 'filterReply':
        if (message.version === this.#filterVersion) this.#filterSentMs = undefined
        return
      case 'closing':
        this.#closing = message
        return
      case 'flush':
        return this.#send({
          type: 'flushReply',
          padding: new Uint8Array(Math.min(message.wantedBytes ?? 0, limits.flushPaddingBytesMax)),
        })
      case 'redirect':
        return this.#end({ why: 'redirect', host: message.host })
      default:
        // Replies that need no answer, and commands that this device does not use.
        return
    }
  }

  #onConnected(message: MessageOf<'connected'>): void {
    if (message.redirectHost) return this.#end({ why: 'redirect', host: message.redirectHost })
    if (message.nonceTimeMs !== undefined && message.status !== courierConnectStatus.ok)
      return this.#end({ why: 'clock', courierTimeMs: message.nonceTimeMs })
    if (message.status !== courierConnectStatus.ok)
      return this.#end({
        why: 'rejected',
        detail: `the courier refused the device (status ${message.status})`,
        hadToken: this.#baseToken !== undefined,
      })
    // Said twice: a courier does that for a second `connect`, which this device never sends.
    if (this.#state === 'connected') return
    this.#state = 'connected'
    this.#agreed = message.extensions ?? 0
    this.#capabilities = message.capabilities ?? 0
    this.#keepAlive.connected(message.keepAliveSeconds, this.#nowMs)
    if (message.token?.length) this.#baseToken = Uint8Array.from(message.token)
    this.#send({ type: 'state', state: courierActivity.active, interval: courierActivityIntervalForever })
    // Early: a courier that knows the interval notices within minutes that a device is gone.
    this.#ask(false)
    this.#handler.connected(this.#baseToken, message.serverTimeMs)
  }

  #onToken(reply: MessageOf<'appTokenReply'>): void {
    // Couriers answer in order; those that do not repeat the topic leave no other way to tell.
    const { topicHash } = reply
    const at = topicHash ? this.#asked.findIndex((one) => bytesEqual(one.topicHash, topicHash)) : 0
    const [request] = at === -1 ? [] : this.#asked.splice(at, 1)
    if (!request) return
    const token = reply.status === courierAckStatus.ok && reply.token?.length ? reply.token : undefined
    this.#handler.token(request, token && Uint8Array.from(token))
  }

  #ask(isAwaited: boolean): void {
    this.#handledBefore.asked()
    this.#send(this.#keepAlive.ask(this.#nowMs, isAwaited))
  }

  #send(message: CourierMessage): void {
    this.#handler.send(this.#framing.encode(message))
  }

  /** A handler may have ended the session. */
  #hasEnded(): boolean {
    return this.#state === 'ended'
  }

  #end(end: SessionEnd): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#handler.ended(end)
  }
}

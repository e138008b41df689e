import {
  bytesEqual,
  type CourierMessage,
  CourierMessageReader,
  courierAckStatus,
  courierActivity,
  courierActivityIntervalForever,
  courierConnectFlags,
  courierConnectStatus,
  courierExtensions,
  courierInterface,
  courierPresence,
  encodeCourierMessage,
  encodeNonce,
  encodeSignature,
  type MessageFromCourier,
  type MessageOf,
} from '@carillon/wire'
import { limits } from '../limits.ts'

/** Who the device is: its certificate, and its key as a function that signs. */
export interface DeviceIdentity {
  readonly udid: string
  /** Device certificate and its issuers, DER. */
  readonly certificates: readonly Uint8Array[]
  /** ECDSA P-256 with SHA-256 over the bytes, in DER. */
  sign(bytes: Uint8Array): Uint8Array
}

/** Why a session ended; what the device does next depends on it. */
export type SessionEnd =
  | { readonly why: 'lost'; readonly detail: string }
  /** @property hadToken whether the device presented a base token, which may be what was refused */
  | { readonly why: 'rejected'; readonly detail: string; readonly hadToken: boolean }
  | { readonly why: 'clock'; readonly courierTimeMs: number }
  /** As the courier said it: `host` or `host:port`. */
  | { readonly why: 'redirect'; readonly host: string }

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
  readonly #reader = new CourierMessageReader({ from: 'courier' })
  readonly #identity: DeviceIdentity
  readonly #handler: SessionHandler
  #baseToken: Uint8Array | undefined
  #agreed = 0
  /** Tokens that were asked for and not answered yet, in that order. */
  #asked: TokenRequest[] = []
  /** While connecting: since when. Then: when the courier was last heard. */
  #heardMs: number
  /** When the keep-alive was sent that is not answered yet. */
  #keepAliveMs: number | undefined

  /** @param nowMs when the transport begins to connect: the time to be connected counts from here */
  constructor(
    identity: DeviceIdentity,
    baseToken: Uint8Array | undefined,
    handler: SessionHandler,
    nowMs: number,
  ) {
    this.#identity = identity
    this.#baseToken = baseToken
    this.#handler = handler
    this.#heardMs = nowMs
  }

  get isConnected(): boolean {
    return this.#state === 'connected'
  }

  /**
   * The transport is up: introduces the device.
   *
   * @param clockMs the courier's time as far as the device knows it
   * @param random 8 bytes
   * @param redirects how often in a row the device was sent from one courier to another
   */
  start(clockMs: number, random: Uint8Array, redirects = 0): void {
    if (this.#state !== 'new') return
    this.#state = 'connecting'
    // A courier may have told any time at all; what a nonce cannot hold must not stop the device.
    const timeMs = Math.min(Math.max(0, clockMs), Number.MAX_SAFE_INTEGER)
    const nonce = encodeNonce({ timeMs, random })
    this.#send({
      type: 'connect',
      ...(this.#baseToken ? { token: this.#baseToken } : {}),
      state: courierPresence.present,
      flags: courierConnectFlags.base,
      interface: courierInterface.wifi,
      carrier: 'WiFi',
      certificates: this.#identity.certificates,
      nonce,
      signature: encodeSignature({ scheme: 'ecdsa-p256-sha256', signature: this.#identity.sign(nonce) }),
      protocolVersion: 11,
      ...(redirects > 0 ? { redirectCount: Math.min(redirects, 0xffff) } : {}),
      extensions: courierExtensions.installation,
    })
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    if (this.#state === 'ended' || this.#state === 'new') return
    if (this.#state === 'connected') this.#heardMs = nowMs
    this.#keepAliveMs = undefined
    this.#reader.push(bytes)
    for (let message = this.#next(); message; message = this.#next()) {
      this.#handle(message, nowMs)
      if (this.#hasEnded()) return
    }
  }

  /** To be called about once a second: timeouts and keep-alive. */
  tick(nowMs: number): void {
    // A clock that was set back must not put the dead-lines off.
    this.#heardMs = Math.min(this.#heardMs, nowMs)
    const silentMs = nowMs - this.#heardMs
    if (this.#state === 'new' || this.#state === 'connecting') {
      if (silentMs > limits.connectMsMax)
        this.#end({ why: 'lost', detail: 'the courier did not answer in time' })
    } else if (this.#state === 'connected' && this.#keepAliveMs !== undefined) {
      this.#keepAliveMs = Math.min(this.#keepAliveMs, nowMs)
      if (nowMs - this.#keepAliveMs > limits.keepAliveReplyMsMax)
        this.#end({ why: 'lost', detail: 'the courier did not answer a keep-alive' })
    } else if (this.#state === 'connected' && silentMs > limits.keepAliveMs) {
      this.#keepAliveMs = nowMs
      this.#send(keepAlive)
    }
  }

  /** Replaces the set of topics that notifications are wanted for. */
  setTopics(topicHashes: readonly Uint8Array[]): void {
    if (this.#state !== 'connected') return
    this.#send({
      type: 'filter',
      ...(this.#baseToken ? { token: this.#baseToken } : {}),
      enabled: topicHashes,
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

  /** `gone`: no app on this device takes that topic any more. */
  acknowledge(id: number, token: Uint8Array, outcome: 'ok' | 'gone'): void {
    if (this.#state !== 'connected') return
    const status = outcome === 'ok' ? courierAckStatus.ok : courierAckStatus.noRecipient
    this.#send({ type: 'ack', id, status, token })
  }

  /** The transport is gone. */
  transportLost(detail: string): void {
    this.#end({ why: 'lost', detail })
  }

  #next(): MessageFromCourier | undefined {
    try {
      return this.#reader.next()
    } catch (error) {
      this.#end({ why: 'lost', detail: `the courier sent what cannot be read: ${(error as Error).message}` })
      return undefined
    }
  }

  #handle(message: MessageFromCourier, nowMs: number): void {
    if (message.type === 'connected') return this.#onConnected(message, nowMs)
    // Before that, nothing else may be believed.
    if (this.#state !== 'connected') return
    switch (message.type) {
      case 'notification':
        return this.#handler.notification(message, this)
      case 'appTokenReply':
        return this.#onToken(message)
      case 'noStorage':
        return this.#handler.storageEmpty()
      case 'keepAliveRequest':
        return this.#send(keepAlive)
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

  #onConnected(message: MessageOf<'connected'>, nowMs: number): void {
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
    this.#heardMs = nowMs
    this.#agreed = message.extensions ?? 0
    if (message.token?.length) this.#baseToken = Uint8Array.from(message.token)
    this.#send({ type: 'state', state: courierActivity.active, interval: courierActivityIntervalForever })
    // Early: a courier that knows the interval notices within minutes that a device is gone.
    this.#send(keepAlive)
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

  #send(message: CourierMessage): void {
    this.#handler.send(encodeCourierMessage(message))
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

/** With the minutes after which the device is heard again at the latest. */
const keepAlive: CourierMessage = {
  type: 'keepAlive',
  intervalMinutes: Math.ceil(limits.keepAliveMs / 60_000),
}

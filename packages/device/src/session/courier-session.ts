import {
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
  | { readonly why: 'rejected'; readonly detail: string }
  | { readonly why: 'clock'; readonly courierTimeMs: number }
  | { readonly why: 'redirect'; readonly host: string }

/** What the session tells its device. Called from `receive` and `tick`, in order. */
export interface SessionHandler {
  /** Bytes for the courier. */
  send(bytes: Uint8Array): void
  connected(baseToken: Uint8Array | undefined, courierTimeMs: number | undefined): void
  /** A token for the topic, or undefined where the courier refused. */
  token(topicHash: Uint8Array, token: Uint8Array | undefined): void
  /** The message's bytes are views: copy what is kept. Answer with `acknowledge`. */
  notification(message: MessageOf<'notification'>): void
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
  #startedMs = 0
  #heardMs = 0
  #askedMs = 0

  constructor(identity: DeviceIdentity, baseToken: Uint8Array | undefined, handler: SessionHandler) {
    this.#identity = identity
    this.#baseToken = baseToken
    this.#handler = handler
  }

  get isConnected(): boolean {
    return this.#state === 'connected'
  }

  /**
   * The transport is up: introduces the device.
   * @param clockMs the courier's time as far as the device knows it, which may differ from `nowMs`
   */
  start(nowMs: number, clockMs: number, random: Uint8Array): void {
    this.#state = 'connecting'
    this.#startedMs = nowMs
    this.#heardMs = nowMs
    const nonce = encodeNonce({ timeMs: clockMs, random })
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
      extensions: courierExtensions.installation,
    })
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    if (this.#state === 'ended') return
    this.#heardMs = nowMs
    this.#askedMs = 0
    this.#reader.push(bytes)
    try {
      for (let message = this.#reader.next(); message; message = this.#reader.next()) {
        this.#handle(message)
        if (this.#ended()) return
      }
    } catch (error) {
      this.#end({ why: 'lost', detail: `the courier sent what cannot be read: ${(error as Error).message}` })
    }
  }

  /** To be called about once a second: timeouts and keep-alive. */
  tick(nowMs: number): void {
    if (this.#state === 'connecting' && nowMs - this.#startedMs > limits.connectMsMax)
      this.#end({ why: 'lost', detail: 'the courier did not answer in time' })
    if (this.#state !== 'connected') return
    if (this.#askedMs !== 0) {
      if (nowMs - this.#askedMs > limits.keepAliveReplyMsMax)
        this.#end({ why: 'lost', detail: 'the courier did not answer a keep-alive' })
    } else if (nowMs - this.#heardMs > limits.keepAliveMs) {
      this.#askedMs = nowMs
      this.#send({ type: 'keepAlive' })
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

  /** @param installation 8 bytes, drawn anew with each installation of the app */
  requestToken(topicHash: Uint8Array, installation: Uint8Array): void {
    if (this.#state !== 'connected') return
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

  #handle(message: MessageFromCourier): void {
    if (message.type === 'connected') return this.#onConnected(message)
    // Before that, nothing else may be believed.
    if (this.#state !== 'connected') return
    switch (message.type) {
      case 'notification':
        return this.#handler.notification(message)
      case 'appTokenReply':
        if (message.topicHash)
          this.#handler.token(
            message.topicHash,
            message.status === courierAckStatus.ok ? message.token : undefined,
          )
        return
      case 'noStorage':
        return this.#handler.storageEmpty()
      case 'keepAliveRequest':
        return this.#send({ type: 'keepAlive' })
      case 'flush':
        return this.#send({
          type: 'flushReply',
          padding: new Uint8Array(Math.min(message.wantedBytes ?? 0, 1024)),
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
      })
    this.#state = 'connected'
    this.#agreed = message.extensions ?? 0
    if (message.token) this.#baseToken = message.token.slice()
    this.#handler.connected(this.#baseToken, message.serverTimeMs)
    this.#send({ type: 'state', state: courierActivity.active, interval: courierActivityIntervalForever })
  }

  #send(message: CourierMessage): void {
    this.#handler.send(encodeCourierMessage(message))
  }

  #ended(): boolean {
    return this.#state === 'ended'
  }

  #end(end: SessionEnd): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#handler.ended(end)
  }
}

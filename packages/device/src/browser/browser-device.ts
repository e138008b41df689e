import { apnsIdText, bytesEqual, hexBytes, hexText, type MessageOf, topicHash } from '@carillon/wire'
import { readPayload } from '../arrival/read-payload.ts'
import { closedError, DeviceError } from '../device-error.ts'
import { CourierLink, type LinkHandler } from '../drivers/courier-link.ts'
import { type CourierSession, installationBytes, type TokenRequest } from '../session/courier-session.ts'
import { BrowserState, type BrowserTopic, type KeptPush } from './browser-state.ts'
import { type DeviceStorage, memoryStorage } from './device-storage.ts'
import { browserWorld } from './drivers/browser-world.ts'
import { type OpenWebSocket, webSocketDial } from './drivers/web-socket-transport.ts'
import { type SigningKey, webIdentity } from './web-identity.ts'

export interface BrowserDeviceOptions {
  /** `wss://…`, as `courierWebSocket.url` of the environment says. */
  readonly url: string
  /** The device certificate and its issuers, PEM, as the portal's activation answers them. */
  readonly certificatePem: string
  /** ECDSA P-256: a private key of WebCrypto, which never leaves the browser, or PKCS#8 in PEM. */
  readonly privateKey: SigningKey | string
  /** Memory where absent; `indexedDbStorage()` keeps tokens and what was shown from one visit to the next. */
  readonly storage?: DeviceStorage
  /** How to open a WebSocket, outside browsers. */
  readonly openWebSocket?: OpenWebSocket
  /** Told when the connection is up, down (with the time until the next attempt), and of trouble. */
  readonly onEvent?: (event: BrowserDeviceEvent) => void
}

export type BrowserDeviceEvent =
  | { readonly event: 'connected' }
  | { readonly event: 'disconnected'; readonly reason: string; readonly retryMs?: number }
  | { readonly event: 'failed'; readonly message: string }

/** A notification as a page gets it. */
export interface BrowserPush {
  /** UUID, lower case. */
  readonly apnsId: string
  readonly topic: string
  /** The JSON object that the provider sent. */
  readonly payload: unknown
}

/**
 * Opens a device in a browser: connects, and stays connected until it is closed.
 *
 * @throws WireError where the certificate is no device certificate
 */
export async function openBrowserDevice(options: BrowserDeviceOptions): Promise<BrowserDevice> {
  const identity = await webIdentity(options.certificatePem, options.privateKey)
  const state = await BrowserState.open(options.storage ?? memoryStorage())
  const openWebSocket = options.openWebSocket ?? ((url, protocols) => new WebSocket(url, protocols))
  return new BrowserDevice(
    state,
    (handler) =>
      new CourierLink(
        {
          home: () => webSocketDial(options.url, openWebSocket),
          // A courier that is drained names a host of its TLS port; a page goes where its address leads.
          elsewhere: () => undefined,
          identity,
          ...browserWorld,
          baseToken: () => (state.baseToken === undefined ? undefined : hexBytes(state.baseToken)),
        },
        handler,
      ),
    options.onEvent ?? (() => {}),
  )
}

interface Waiting {
  readonly topic: string
  readonly resolve: (deviceToken: string) => void
  readonly reject: (error: unknown) => void
}

/** A device in a browser. A notification is kept before it is acknowledged, and handed to the page once. */
export class BrowserDevice {
  readonly #state: BrowserState
  readonly #link: CourierLink
  readonly #tell: (event: BrowserDeviceEvent) => void
  readonly #listeners = new Set<(push: BrowserPush) => void>()
  #waiting: Waiting[] = []
  #isClosed = false

  /** Use `openBrowserDevice`. */
  constructor(
    state: BrowserState,
    linkTo: (handler: LinkHandler) => CourierLink,
    tell: (event: BrowserDeviceEvent) => void,
  ) {
    this.#state = state
    this.#tell = tell
    this.#link = linkTo({
      connected: (baseToken) => this.#connected(baseToken),
      token: (request, token) => this.#token(request, token),
      notification: (message, session) => this.#arrived(message, session),
      channels: () => {},
      storageEmpty: () => {},
      disconnected: (reason, retryMs) =>
        tell({ event: 'disconnected', reason, ...(retryMs === undefined ? {} : { retryMs }) }),
    })
    this.#link.open()
  }

  /**
   * The device token of a topic, a bundle id with or without the suffix of a push type, in lower-case hex. Waits for
   * a connection where there is none.
   *
   * @throws DeviceError `REGISTRATION_REFUSED` where the push service knows no such topic, `DEVICE_CLOSED`
   */
  async register(topic: string): Promise<string> {
    if (this.#isClosed) throw closedError()
    const known = this.#state.topic(topic)
    const installation = known?.installation ?? hexText(browserWorld.random(installationBytes))
    if (known === undefined) await this.#state.setTopic({ topic, installation })
    return new Promise((resolve, reject) => {
      this.#waiting.push({ topic, resolve, reject })
      this.#ask({ topic, installation })
      if (known === undefined) this.#announce()
    })
  }

  /** Takes notifications of a topic no more: the next one teaches the push service that its token is dead. */
  async unregister(topic: string): Promise<void> {
    await this.#state.removeTopic(topic)
    this.#refuse(topic, 'it was removed from the device')
  }

  /** Calls the listener for every notification, also for those that came when none was there; returns how to stop. */
  onNotification(listener: (push: BrowserPush) => void): () => void {
    this.#listeners.add(listener)
    for (const push of this.#state.pending) this.#show(push)
    return () => this.#listeners.delete(listener)
  }

  /** Dials at once, also where it was waiting to try again: for use when the network has changed. */
  reconnect(): void {
    if (!this.#isClosed) this.#link.open()
  }

  /** Leaves the courier, which keeps what comes from now on. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const { reject } of this.#waiting.splice(0)) reject(closedError())
    await this.#link.close('the device was closed')
  }

  #connected(baseToken: Uint8Array | undefined): void {
    if (baseToken) this.#state.setBaseToken(hexText(baseToken)).catch(this.#failed)
    this.#tell({ event: 'connected' })
    for (const topic of this.#state.topics) {
      const isAwaited = this.#waiting.some((waiting) => waiting.topic === topic.topic)
      if (topic.deviceToken === undefined || isAwaited) this.#ask(topic)
    }
    this.#announce()
  }

  #announce(): void {
    const names = this.#state.topics.map(({ topic }) => topic)
    // What was given up stays wanted: whether the courier heard that nobody takes it is never confirmed.
    this.#link.session?.setTopics([...names, ...this.#state.gone].map((name) => topicHash(name)))
  }

  #ask({ topic, installation }: BrowserTopic): void {
    this.#link.session?.requestToken(topicHash(topic), hexBytes(installation))
  }

  #token(request: TokenRequest, token: Uint8Array | undefined): void {
    const topic = this.#topicOf(request.topicHash)
    if (topic === undefined) return
    if (token === undefined) return this.#refuse(topic.topic, 'the push service knows no such topic')
    const deviceToken = hexText(token)
    // The page hears of its token when the device cannot forget it any more.
    this.#state.setTopic({ ...topic, deviceToken }).then(() => {
      for (const { resolve } of this.#take(topic.topic)) resolve(deviceToken)
    }, this.#failed)
  }

  async #arrived(message: MessageOf<'notification'>, session: CourierSession): Promise<void> {
    const token = Uint8Array.from(message.token)
    const topic = this.#topicOf(message.topicHash)
    if (topic === undefined) return session.acknowledge(message.id, token, 'gone')
    const tracingId = message.tracingId ?? browserWorld.random(16)
    const apnsId = apnsIdText(tracingId)
    const kept: KeptPush = { apnsId, topic: topic.topic, payload: readPayload(message.payload) }
    try {
      if ((await this.#state.keep(kept)) === 'new') this.#show(kept)
      session.acknowledge(message.id, token, 'ok', tracingId)
    } catch (error) {
      this.#failed(error)
      // Not acknowledged: the courier sends it again, on the next connection.
      session.transportLost('a notification could not be kept')
    }
  }

  #show(push: KeptPush): void {
    if (this.#listeners.size === 0) return
    for (const listener of this.#listeners) {
      try {
        listener(push)
      } catch (error) {
        this.#failed(error)
      }
    }
    this.#state.shown(push.apnsId).catch(this.#failed)
  }

  #topicOf(hash: Uint8Array): BrowserTopic | undefined {
    return this.#state.topics.find(({ topic }) => bytesEqual(topicHash(topic), hash))
  }

  #refuse(topic: string, why: string): void {
    const error = new DeviceError(
      'REGISTRATION_REFUSED',
      `The topic ${topic} got no device token: ${why}.`,
      'Check that its App ID exists in the portal with push on.',
    )
    for (const { reject } of this.#take(topic)) reject(error)
  }

  #take(topic: string): Waiting[] {
    const taken = this.#waiting.filter((waiting) => waiting.topic === topic)
    this.#waiting = this.#waiting.filter((waiting) => waiting.topic !== topic)
    return taken
  }

  readonly #failed = (error: unknown): void => {
    this.#tell({ event: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
}

import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { courierAlpn } from '@carillon/wire'
import { limits } from '../limits.ts'
import { BackOff } from '../session/back-off.ts'
import {
  CourierSession,
  type DeviceIdentity,
  type SessionEnd,
  type SessionHandler,
} from '../session/courier-session.ts'

export interface CourierAddress {
  readonly host: string
  readonly port: number
}

export interface CourierLinkOptions {
  readonly address: CourierAddress
  /** The root certificate that the courier must present a chain to, PEM. */
  readonly caPem: string
  readonly identity: DeviceIdentity
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** The base token kept from earlier. */
  baseToken(): Uint8Array | undefined
}

/** What the link tells its device, beside what the session does. */
export interface LinkHandler extends Omit<SessionHandler, 'send' | 'ended'> {
  /** @param nextTryMs when the link dials again; undefined when it was told to stay away */
  disconnected(reason: string, nextTryMs: number | undefined): void
}

const tickMs = 1_000

/**
 * Keeps one connection to a courier: dials, runs a session over TLS, and dials again with jittered back-off
 * for as long as it is wanted. The only part of the device that touches sockets and timers.
 */
export class CourierLink {
  readonly #options: CourierLinkOptions
  readonly #handler: LinkHandler
  readonly #backOff: BackOff
  #address: CourierAddress
  #wanted = false
  #socket: TLSSocket | undefined
  #session: CourierSession | undefined
  #connectedMs = 0
  /** How far the courier's clock is ahead of ours. */
  #clockAheadMs = 0
  #clockCorrected = false
  #ticker: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #corked = false
  /** Why we are closing the connection, if we are. */
  #leaving = ''

  constructor(options: CourierLinkOptions, handler: LinkHandler) {
    this.#options = options
    this.#handler = handler
    this.#address = options.address
    this.#backOff = new BackOff(options.random)
  }

  /** The session while it is connected. */
  get session(): CourierSession | undefined {
    return this.#session?.isConnected ? this.#session : undefined
  }

  /** Wants to be connected from now on; dials at once. */
  open(): void {
    if (this.#wanted) return
    this.#wanted = true
    this.#backOff.reset()
    this.#dial()
  }

  /**
   * Leaves and stays away until `open`. Says goodbye, so that the courier stores what comes from now on instead of
   * sending it into a dead connection; resolves when the courier has closed its end, or does not in time.
   */
  close(reason: string): Promise<void> {
    const socket = this.#socket
    const session = this.#session
    this.#wanted = false
    clearTimeout(this.#retry)
    if (!socket || !session) return Promise.resolve()
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    const impatient = setTimeout(() => session.transportLost(reason), limits.goodbyeMsMax)
    this.#leaving = reason
    socket.end()
    return gone.finally(() => clearTimeout(impatient))
  }

  #dial(): void {
    const { caPem, identity, now, random } = this.#options
    const { host, port } = this.#address
    const socket = connect(tlsOptions(host, port, caPem))
    const session = new CourierSession(identity, this.#options.baseToken(), {
      send: (bytes) => this.#write(socket, bytes),
      connected: (token, timeMs) => this.#connected(token, timeMs),
      token: (topicHash, token) => this.#handler.token(topicHash, token),
      notification: (message) => this.#handler.notification(message),
      storageEmpty: () => this.#handler.storageEmpty(),
      ended: (end) => this.#ended(end, socket),
    })
    this.#socket = socket
    this.#session = session
    this.#leaving = ''
    this.#connectedMs = 0
    socket.setNoDelay(true)
    socket.once('secureConnect', () => session.start(now(), now() + this.#clockAheadMs, random(8)))
    socket.on('data', (chunk) => session.receive(chunk, now()))
    socket.on('error', (error) => session.transportLost(`${host}:${port}: ${error.message}`))
    socket.on('close', () => session.transportLost(this.#leaving || 'the courier closed the connection'))
    this.#ticker = setInterval(() => session.tick(now()), tickMs)
  }

  #connected(token: Uint8Array | undefined, courierTimeMs: number | undefined): void {
    this.#connectedMs = this.#options.now()
    this.#clockCorrected = false
    if (courierTimeMs !== undefined) this.#clockAheadMs = courierTimeMs - this.#connectedMs
    this.#handler.connected(token, courierTimeMs)
  }

  #ended(end: SessionEnd, socket: TLSSocket): void {
    clearInterval(this.#ticker)
    socket.destroy()
    this.#session = undefined
    this.#socket = undefined
    const now = this.#options.now()
    const livedMs = this.#connectedMs === 0 ? 0 : now - this.#connectedMs
    if (!this.#wanted) return this.#handler.disconnected(detailOf(end), undefined)
    let waitMs = this.#backOff.nextWaitMs(livedMs)
    if (end.why === 'clock' && !this.#clockCorrected) {
      // The courier told its time: one more attempt at once, with its clock.
      this.#clockAheadMs = end.courierTimeMs - now
      this.#clockCorrected = true
      waitMs = 0
    }
    this.#address =
      end.why === 'redirect' ? redirected(end.host, this.#options.address) : this.#options.address
    this.#handler.disconnected(detailOf(end), waitMs)
    this.#retry = setTimeout(() => this.#dial(), waitMs)
  }

  /** One write a turn, however many messages the session sends in it. */
  #write(socket: TLSSocket, bytes: Uint8Array): void {
    if (socket !== this.#socket) return
    if (!this.#corked) {
      this.#corked = true
      socket.cork()
      setImmediate(() => {
        this.#corked = false
        socket.uncork()
      })
    }
    socket.write(bytes)
  }
}

function tlsOptions(host: string, port: number, caPem: string): ConnectionOptions {
  // SNI must be a name, never an address (RFC 6066 §3).
  const isAddress = /^[\d.]+$|:/.test(host)
  return {
    host,
    port,
    ca: caPem,
    ALPNProtocols: [courierAlpn.securityV3],
    ...(isAddress ? {} : { servername: host }),
  }
}

function redirected(host: string, from: CourierAddress): CourierAddress {
  const [name = host, port] = host.split(':')
  return { host: name, port: port === undefined ? from.port : Number(port) }
}

function detailOf(end: SessionEnd): string {
  if (end.why === 'redirect') return `redirected to ${end.host}`
  return end.why === 'clock' ? "the device's clock is wrong" : end.detail
}

import type { AddressInfo, Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { courierAlpn } from '@carillon/wire'
import { limits } from '../../limits.ts'
import type { SessionHost } from '../session-host.ts'
import { CourierConnection } from './connection.ts'
import { WriteTurn } from './write-turn.ts'

export interface CourierListenerOptions {
  readonly host: string
  /** 0: chosen by the system. */
  readonly port: number
  /** Server certificate (with chain) and key, PEM. */
  readonly tls: { readonly certPem: string; readonly keyPem: string }
  readonly sessions: SessionHost
  /** Connections whose device is not known yet; see `limits`. */
  readonly unprovenConnectionsMax: number
}

/** One clock for all connections instead of a timer for each. */
const tickMs = 1000

/** Time for devices to take what was written before the courier stops. */
const drainMs = 2000

/** The socket of a connection leads to it without a closure per event. */
const connectionOf = Symbol('connection')
type CourierSocket = TLSSocket & { [connectionOf]: CourierConnection }

/** Listens for devices over TLS and gives each a session. */
export class CourierListener {
  readonly #options: CourierListenerOptions
  readonly #server: Server
  readonly #turn = new WriteTurn()
  readonly #sockets = new Set<Socket>()
  readonly #connections = new Set<CourierConnection>()
  /** By the address of the peer; those that came first come first. */
  readonly #unproven = new Map<string, Unproven>()
  #ticker: NodeJS.Timeout | undefined

  constructor(options: CourierListenerOptions) {
    this.#options = options
    this.#server = createServer({
      cert: options.tls.certPem,
      key: options.tls.keyPem,
      minVersion: 'TLSv1.2',
      // Answered where it is offered; a device without ALPN is served all the same, one that only offers
      // something else gets the alert no_application_protocol.
      ALPNProtocols: [courierAlpn.securityV3],
      handshakeTimeout: limits.courierHandshakeMsMax,
      noDelay: true,
    })
    this.#server.maxConnections = limits.courierConnectionsMax
    this.#server.on('connection', (socket: Socket) => this.#track(socket))
    this.#server.on('secureConnection', (socket) => this.#accept(socket))
    // A handshake that fails concerns that peer alone; its socket is closed by the TLS server.
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy())
  }

  get connections(): number {
    return this.#connections.size
  }

  /** @throws the error of the system where the address cannot be had */
  async listen(): Promise<{ readonly host: string; readonly port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    this.#ticker = setInterval(() => this.#tick(), tickMs)
    this.#ticker.unref()
    const { address, port } = this.#server.address() as AddressInfo
    return { host: address, port }
  }

  /** Ends the sessions of a certificate that is worth nothing any more. */
  revoke(serial: string): void {
    for (const connection of this.#connections) connection.session.revoked(serial)
  }

  /** Closes every session, lets what was written leave, then cuts what is left. */
  async close(): Promise<void> {
    clearInterval(this.#ticker)
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const connection of this.#connections) connection.session.shutdown()
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, drainMs)
    // Sockets in their handshake have no session that could close them.
    if (this.#connections.size === 0) for (const socket of this.#sockets) socket.destroy()
    await closed
    clearTimeout(cut)
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket)
    const peer = peerOf(socket)
    const sinceMs = this.#options.sessions.now()
    if (this.#unproven.size >= this.#options.unprovenConnectionsMax) this.#crowdOut(socket, sinceMs)
    this.#unproven.set(peer, { socket, sinceMs })
    socket.once('close', () => {
      this.#sockets.delete(socket)
      if (this.#unproven.get(peer)?.socket === socket) this.#unproven.delete(peer)
    })
  }

  /** Closes the connection that came first if it has had its time, else the newcomer. */
  #crowdOut(newcomer: Socket, nowMs: number): void {
    this.#options.sessions.counters.crowdedOut++
    for (const [peer, first] of this.#unproven) {
      if (nowMs - first.sinceMs < limits.unprovenMsMin) break
      this.#unproven.delete(peer)
      first.socket.destroy()
      return
    }
    newcomer.destroy()
  }

  #accept(socket: TLSSocket): void {
    const peer = peerOf(socket)
    const onKnown = () => void this.#unproven.delete(peer)
    const connection = new CourierConnection(socket, this.#options.sessions, this.#turn, onKnown)
    this.#connections.add(connection)
    const own = socket as CourierSocket
    own[connectionOf] = connection
    own.on('data', onData)
    own.on('error', onError)
    own.on('close', () => {
      this.#connections.delete(connection)
      connection.closed()
    })
  }

  #tick(): void {
    const nowMs = this.#options.sessions.now()
    for (const connection of this.#connections) connection.tick(nowMs)
  }
}

interface Unproven {
  readonly socket: Socket
  readonly sinceMs: number
}

/** The same for a socket and for the TLS around it. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}

function onData(this: CourierSocket, chunk: Buffer): void {
  this[connectionOf].received(chunk)
}

function onError(): void {
  // A lost connection is no news: `close` follows and ends the session; what was not acknowledged is stored.
}

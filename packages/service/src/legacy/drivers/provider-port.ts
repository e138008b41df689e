import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { type ServerConnection, serve, serverTlsOptions } from '@carillon/http2'
import type { Authority } from '../../authority.ts'
import type { WatchServer } from '../../faults/drivers/watch-listener.ts'
import { clientCertificateOf } from '../../gateway/client-certificate.ts'
import { limits } from '../../limits.ts'
import {
  type CertificateClient,
  type ClientCheck,
  certificateClientOf,
  examineClient,
} from '../certificate-client.ts'

/** A connection that speaks the original protocol. */
export interface PortConnection {
  /** A few times a second. */
  tick(nowMs: number): void
  /** The authority has told of a change. */
  reexamine?(): void
  /** Ends it in the manner of its protocol. */
  close(): void
  /** Resolves when the connection has ended and left nothing to do. */
  readonly done: Promise<void>
}

export interface ProviderPortOptions extends ClientCheck {
  readonly authority: Authority
  readonly host: string
  /** 0: chosen by the system. */
  readonly port: number
  readonly tls: { readonly certPem: string; readonly keyPem: string }
  /**
   * Makes a connection of a client whose certificate is good; `firstBytes` were read of it already, `reset` breaks
   * it so that the client sees that it was broken.
   */
  readonly accept: (
    socket: TLSSocket,
    client: CertificateClient,
    firstBytes: Buffer,
    reset: () => void,
  ) => PortConnection
  /** Makes the connection of a client that speaks HTTP/2. */
  readonly http2: (socket: TLSSocket) => ServerConnection
  /** Debug data for the GOAWAY of HTTP/2 connections when the port closes. */
  readonly goawayData: Uint8Array
  /** Milliseconds after which a client that says nothing speaks the original protocol; undefined: it has to begin. */
  readonly silentMs: number | undefined
  /** Is handed the server, to make trouble on purpose. */
  readonly watchServer?: WatchServer | undefined
}

/** One clock for all connections of a port. */
const tickMs = 250

const tcpKeepAliveMs = 60_000

/** `P`, with which the preface of HTTP/2 begins; no command of the original protocol does. */
const http2FirstByte = 0x50

/**
 * One of the two ports of the original protocol, which clients of HTTP/2 use for channel management as well. Who
 * speaks what is seen by ALPN, else by the first byte. HTTP/2 clients are judged by their requests; the others
 * need a good certificate and are closed without a word where it is not.
 */
export class ProviderPort {
  readonly #options: ProviderPortOptions
  readonly #server: Server
  /** Below TLS, by the address of the peer: only these can be reset. */
  readonly #sockets = new Map<string, Socket>()
  readonly #connections = new Set<PortConnection>()
  readonly #http2 = new Set<ServerConnection>()
  #ticker: NodeJS.Timeout | undefined
  #unsubscribe: () => void = () => {}
  #closed: Promise<void> | undefined
  #isClosing = false

  constructor(options: ProviderPortOptions) {
    this.#options = options
    const { tls, authority } = options
    const context = { cert: tls.certPem, key: tls.keyPem, ca: [...authority.pushCaPem] }
    this.#server = createServer(
      {
        ...serverTlsOptions(context),
        handshakeTimeout: limits.providerHandshakeMsMax,
        // A client may end its side first and still read what we have to say.
        allowHalfOpen: true,
        noDelay: true,
      },
      (socket) => this.#decide(socket),
    )
    this.#server.maxConnections = limits.legacyConnectionsMax
    options.watchServer?.(this.#server, { ...context, minVersion: 'TLSv1.2' })
    this.#server.on('connection', (socket) => {
      const peer = peerOf(socket)
      this.#sockets.set(peer, socket)
      socket.once('close', () => {
        if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer)
      })
    })
    // A handshake that fails concerns that peer alone.
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy())
  }

  /** Of clients that speak the original protocol. */
  get connectionCount(): number {
    return this.#connections.size
  }

  /** @throws the error of the system where the address cannot be had */
  async listen(): Promise<{ readonly host: string; readonly port: number }> {
    const { host, port } = this.#options
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    // A connection that could not be accepted (no file descriptors left) concerns nobody who has one.
    this.#server.on('error', () => {})
    this.#ticker = setInterval(() => this.#tick(), tickMs)
    this.#ticker.unref()
    this.#unsubscribe = this.#options.authority.onChange(() => {
      for (const connection of this.#connections) connection.reexamine?.()
    })
    return { host, port: (this.#server.address() as AddressInfo).port }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  #decide(socket: TLSSocket): void {
    if (socket.alpnProtocol === 'h2') return this.#acceptHttp2(socket)
    const known = certificateClientOf(clientCertificateOf(socket), this.#options)
    // A client that vanished without a word is noticed by TCP.
    socket.setKeepAlive(true, tcpKeepAliveMs)
    const ignore = () => {}
    socket.on('error', ignore)
    const waitMs = known === undefined ? limits.refusedClientMsMax : this.#options.silentMs
    const decided = (firstBytes: Buffer) => {
      clearTimeout(timer)
      socket.off('data', decided)
      socket.off('end', ended)
      socket.off('error', ignore)
      socket.pause()
      // It may have been silent for long, and its certificate revoked meanwhile.
      const client = known && examineClient(known.facts, this.#options)
      if (firstBytes[0] === http2FirstByte) this.#acceptHttp2(socket, firstBytes)
      // A mere end would look like an empty list to a feedback client.
      else if (client === undefined) this.#reset(socket)
      else this.#accept(socket, client, firstBytes)
    }
    const timer = waitMs === undefined ? undefined : setTimeout(decided, waitMs, Buffer.alloc(0))
    const ended = () => decided(Buffer.alloc(0))
    socket.on('data', decided)
    // A client that ends its side at once may want to read all the same.
    socket.once('end', ended)
    socket.once('close', () => clearTimeout(timer))
  }

  #accept(socket: TLSSocket, client: CertificateClient, firstBytes: Buffer): void {
    if (socket.destroyed) return
    const connection = this.#options.accept(socket, client, firstBytes, () => this.#reset(socket))
    this.#connections.add(connection)
    void connection.done.then(() => {
      this.#connections.delete(connection)
      this.#cutWhenDrained()
    })
    if (this.#isClosing) connection.close()
    socket.resume()
  }

  #acceptHttp2(socket: TLSSocket, firstBytes?: Buffer): void {
    if (socket.destroyed) return
    socket.allowHalfOpen = false
    const connection = this.#options.http2(socket)
    this.#http2.add(connection)
    socket.once('close', () => {
      this.#http2.delete(connection)
      this.#cutWhenDrained()
    })
    serve(socket, connection, firstBytes)
    if (this.#isClosing) connection.drain(this.#options.goawayData)
  }

  #tick(): void {
    const nowMs = this.#options.now()
    for (const connection of this.#connections) connection.tick(nowMs)
  }

  async #close(): Promise<void> {
    this.#isClosing = true
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#unsubscribe()
    const connections = [...this.#connections]
    for (const connection of connections) connection.close()
    for (const connection of this.#http2) connection.drain(this.#options.goawayData)
    this.#cutWhenDrained()
    const cut = setTimeout(() => this.#cut(), limits.legacyDrainMsMax)
    await closed
    await Promise.all(connections.map((connection) => connection.done))
    clearTimeout(cut)
    clearInterval(this.#ticker)
  }

  /** What is left then is in its handshake, or has not said which protocol it speaks: it waits for nothing. */
  #cutWhenDrained(): void {
    if (this.#isClosing && this.#connections.size === 0 && this.#http2.size === 0) this.#cut()
  }

  #cut(): void {
    for (const socket of this.#sockets.values()) socket.resetAndDestroy()
  }

  #reset(socket: TLSSocket): void {
    this.#sockets.get(peerOf(socket))?.resetAndDestroy()
    socket.destroy()
  }
}

/** The same for a socket and for the TLS around it. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}

import { isIP } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import type { ClientConnection } from '../client-connection.ts'
import { SocketDriver } from './socket.ts'

/** Options of node:tls (`ca`, `cert`, `key`, `servername`, `socket` for a tunnel, …) and where to connect. */
export interface ConnectOptions extends ConnectionOptions {
  readonly host: string
  readonly port: number
  /** Milliseconds for connecting and the TLS handshake. Default 10,000. */
  readonly connectMsMax?: number
}

/** The transport of a client connection. */
export interface ClientTransport {
  readonly socket: TLSSocket
  /** Cuts the transport; `onEnd` follows (kind `transportError` with the given cause, or `peerClosed`). */
  destroy(cause?: Error): void
}

const CONNECT_MS_MAX = 10_000

/**
 * Opens the transport of a client connection. ALPN `h2` is offered; a server that picks none gets HTTP/2 by
 * prior knowledge. Returns at once: the handler's `onCapacity` tells that requests can be sent, `onEnd` that
 * it failed (kind `transportError`, the error of node:tls in `cause`).
 */
export const connect = <C>(options: ConnectOptions, connection: ClientConnection<C>): ClientTransport => {
  const { connectMsMax = CONNECT_MS_MAX, ...tls } = options
  const name = isIP(options.host) === 0 ? { servername: options.host } : {}
  const socket = connectTls({ ALPNProtocols: ['h2'], minVersion: 'TLSv1.2', ...name, ...tls })
  const driver = new SocketDriver(socket, connection, false)
  const timer = setTimeout(() => {
    socket.destroy(
      new Error(`no TLS connection to ${options.host}:${options.port} within ${connectMsMax} ms`),
    )
  }, connectMsMax)
  socket.once('secureConnect', () => {
    clearTimeout(timer)
    driver.connected()
  })
  socket.once('close', () => clearTimeout(timer))
  return { socket, destroy: (cause) => socket.destroy(cause) }
}

import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import type { ServerConnection } from '../server-connection.ts'
import { SocketDriver } from './socket.ts'

/** Options of node:tls, with the address to listen on. Defaults: 127.0.0.1, a port chosen by the system. */
export interface ListenOptions extends TlsOptions {
  readonly host?: string
  readonly port?: number
}

/** A listening server. */
export interface Listener {
  readonly host: string
  readonly port: number
  readonly server: Server
  /** Stops accepting, drains every connection, resolves when all have ended; each further call waits for the same. */
  close(debugData?: Uint8Array): Promise<void>
}

/** A TLS handshake that takes longer is cut. */
const HANDSHAKE_MS_MAX = 10_000

/**
 * TLS options of an HTTP/2 server: ALPN `h2` for those who ask, nobody is refused for not asking; the client's
 * certificate is requested and left to the user of the connection to judge.
 */
export const serverTlsOptions = (options: TlsOptions): TlsOptions => ({
  ALPNProtocols: ['h2'],
  requestCert: true,
  rejectUnauthorized: false,
  minVersion: 'TLSv1.2',
  handshakeTimeout: HANDSHAKE_MS_MAX,
  ...options,
})

/**
 * Serves HTTP/2 on one TLS socket that somebody else accepted, with or without ALPN. `firstBytes`: what was
 * read of it already, to see which protocol the client speaks.
 */
export const serve = (socket: TLSSocket, connection: ServerConnection, firstBytes?: Uint8Array): void => {
  new SocketDriver(socket, connection, true, firstBytes)
}

/**
 * Listens for TLS connections. `accept` is called with each socket after its handshake and makes the
 * connection: `(socket) => new ServerConnection(options, handler)`. Handshake errors come as `tlsClientError`
 * of `server`. Rejects where the address cannot be listened on.
 */
export const listen = async (
  options: ListenOptions,
  accept: (socket: TLSSocket) => ServerConnection,
): Promise<Listener> => {
  const { host = '127.0.0.1', port = 0, ...tls } = options
  const connections = new Set<ServerConnection>()
  const sockets = new Set<Socket>()
  let closing: { readonly debugData: Uint8Array | undefined } | undefined
  const cutWhenDrained = () => {
    // What is left then is in its handshake, or has not begun one: nobody waits for an answer there.
    if (closing && connections.size === 0) for (const socket of sockets) socket.destroy()
  }
  const server = createServer(serverTlsOptions(tls), (socket) => {
    const connection = accept(socket)
    connections.add(connection)
    socket.once('close', () => {
      connections.delete(connection)
      cutWhenDrained()
    })
    serve(socket, connection)
    if (closing) connection.drain(closing.debugData)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(port, host)
  await once(server, 'listening')
  // A connection that could not be accepted (no file descriptors left) concerns nobody who has one.
  server.on('error', () => {})
  const stop = async (debugData: Uint8Array | undefined): Promise<void> => {
    const closed = once(server, 'close')
    server.close()
    closing = { debugData }
    for (const connection of connections) connection.drain(debugData)
    cutWhenDrained()
    await closed
  }
  let stopped: Promise<void> | undefined
  return {
    host,
    port: (server.address() as AddressInfo).port,
    server,
    close: (debugData) => {
      stopped ??= stop(debugData)
      return stopped
    },
  }
}

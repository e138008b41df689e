import type { TLSSocket } from 'node:tls'
import { type Listener, listen, type ServerConnection } from '@carillon/http2'
import { errorBody, reasons } from '@carillon/wire'
import { watchListener } from '../faults/drivers/watch-listener.ts'
import { limits } from '../limits.ts'
import { clientCertificateOf } from './client-certificate.ts'
import { GatewayConnection } from './gateway-connection.ts'
import { type GatewayParts, openGateway } from './open-gateway.ts'
import type { ProviderConnection } from './provider-connection.ts'

export interface GatewayOptions extends GatewayParts {
  readonly tls: { readonly certPem: string; readonly keyPem: string }
  readonly host: string
  readonly port: number
}

export interface RunningGateway {
  readonly host: string
  readonly port: number
  /** Open connections, those that came first first. */
  connections(): Iterable<ProviderConnection>
  readonly connectionCount: number
  /** The connection of a client that speaks HTTP/2 on a port for channel management; device pushes are BadPath there. */
  managementConnection(socket: TLSSocket): ServerConnection
  /** GOAWAY with the reason Shutdown; resolves when every request is answered and every connection ended. */
  close(): Promise<void>
}

/** Listens for providers, over HTTP/2 and TLS. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { gateway, release } = openGateway(options)
  const tls = tlsOptions(options)
  let listener: Listener
  try {
    listener = await listen(
      tls,
      (socket) => new GatewayConnection(gateway, clientCertificateOf(socket), 'everything', socket).http2,
    )
  } catch (cause) {
    release()
    throw cause
  }
  listener.server.maxConnections = limits.providerConnectionsMax
  if (options.faults !== undefined) watchListener(listener.server, 'http2', options.faults, tls)
  return {
    host: listener.host,
    port: listener.port,
    connections: () => gateway.connections.list(),
    get connectionCount() {
      return gateway.connections.size
    },
    managementConnection: (socket) =>
      new GatewayConnection(gateway, clientCertificateOf(socket), 'management', socket).http2,
    async close() {
      gateway.isClosing = true
      await listener.close(errorBody(reasons.Shutdown))
      release()
    },
  }
}

function tlsOptions(options: GatewayOptions) {
  return {
    host: options.host,
    port: options.port,
    cert: options.tls.certPem,
    key: options.tls.keyPem,
    ca: [...options.authority.pushCaPem],
    // A certificate is asked for and not needed: without one, requests authenticate by provider tokens; a bad one
    // is answered BadCertificate, which tells more than a broken handshake.
    requestCert: true,
    rejectUnauthorized: false,
    // Apple: "Sending notification requests to APNs": TLS 1.2 or later.
    minVersion: 'TLSv1.2' as const,
    handshakeTimeout: limits.providerHandshakeMsMax,
  }
}

import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { limits } from '../../limits.ts'

type Fetch = (request: Request) => Response | Promise<Response>

interface HttpsOptions {
  readonly host: string
  /** 0: chosen by the system. */
  readonly port: number
  /** Server certificate (with chain) and key, PEM. */
  readonly tls: { readonly certPem: string; readonly keyPem: string }
}

export interface HttpsServer {
  readonly host: string
  readonly port: number
  /** Stops listening; connections that are not done in `adminDrainMsMax` are cut. */
  close(): Promise<void>
}

/** Serves an API over TLS. Rejects with the system's error where the port cannot be had. */
export async function serveHttps(fetch: Fetch, { host, port, tls }: HttpsOptions): Promise<HttpsServer> {
  const server = createAdaptorServer({
    fetch,
    createServer,
    serverOptions: { cert: tls.certPem, key: tls.keyPem, minVersion: 'TLSv1.2' },
  }) as Server
  server.maxConnections = limits.adminConnectionsMax
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    host,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        const cut = setTimeout(() => {
          // Also those without a request, and those still in their TLS handshake.
          for (const socket of sockets) socket.destroy()
        }, limits.adminDrainMsMax)
        server.close(() => {
          clearTimeout(cut)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

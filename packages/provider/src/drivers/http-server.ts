import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { createAdaptorServer, type ServerType } from '@hono/node-server'
import { limits } from '../limits.ts'
import { ProviderError } from '../provider-error.ts'

/** Where the API is served. */
export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
}

export interface HttpServer {
  readonly url: string
  /** Answers what is under way, for at most `drainMsMax` (default `limits.closeMsMax`), then closes. */
  close(drainMsMax?: number): Promise<void>
}

type Fetch = (request: Request) => Response | Promise<Response>

/** Serves an API; rejects with one sentence where the address cannot be used. */
export async function serveHttp(fetch: Fetch, { host, port, tls }: ListenOptions): Promise<HttpServer> {
  if (tls === undefined && !isLoopback(host)) {
    throw new ProviderError(
      'TLS_REQUIRED',
      `The provider would listen at ${host} without TLS, and API keys would be readable on the way; give tls: { cert, key } or listen at 127.0.0.1.`,
    )
  }
  const server =
    tls === undefined
      ? createAdaptorServer({ fetch, createServer })
      : createAdaptorServer({ fetch, createServer: createTlsServer, serverOptions: { ...tls } })
  const endWhenAnswered = connectionsOf(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'another program listens there' : cause.message
      const sentence = `The provider cannot listen at ${host}:${port} (${reason}); choose another port.`
      reject(new ProviderError('ADDRESS_UNUSABLE', sentence, { cause }))
    })
    server.listen(port, host, resolve)
  })
  const bound = (server.address() as AddressInfo).port
  const name = host.includes(':') ? `[${host}]` : host
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${bound}`,
    close: (drainMsMax = limits.closeMsMax) =>
      new Promise((resolve) => {
        // A client that never finishes its request must not keep the provider from ending.
        const timer = setTimeout(() => {
          if ('closeAllConnections' in server) server.closeAllConnections()
        }, drainMsMax)
        server.close(() => {
          clearTimeout(timer)
          resolve()
        })
        endWhenAnswered()
      }),
  }
}

/**
 * Gives what ends a server's connections: at once those without a request under way (also ones that never sent
 * any, which Node itself waits for), the others when all requests are answered.
 */
function connectionsOf(server: ServerType): () => void {
  const sockets = new Set<Socket>()
  let requests = 0
  let ending = false
  const end = () => {
    if (ending && requests === 0) for (const socket of sockets) socket.destroySoon()
  }
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('request', (_request: IncomingMessage, response: ServerResponse) => {
    requests += 1
    response.once('close', () => {
      requests -= 1
      end()
    })
  })
  return () => {
    ending = true
    end()
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

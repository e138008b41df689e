import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { PortalError } from '../errors.ts'
import type { Portal } from '../operations.ts'
import { portalApi } from './api.ts'

export interface PortalServerOptions {
  readonly portal: Portal
  /** 127.0.0.1 when absent. */
  readonly host?: string
  /** 0 when absent: the system chooses. */
  readonly port?: number
  /** Names of the server certificate besides the loopback ones. */
  readonly names?: readonly string[]
  /** The bearer key of the administrator; the one in `portal.files.adminKey` when absent. */
  readonly adminKey?: string
  /** Allows new devices to activate themselves; the one in `portal.files.enrolmentKey` when absent. */
  readonly enrolmentKey?: string
  /** Told of failures that are no fault of a request. By default they become process warnings. */
  readonly onFailure?: (error: unknown) => void
}

export interface PortalServer {
  /** `https://127.0.0.1:PORT` */
  readonly url: string
  /** Stops listening and ends all connections. */
  close(): Promise<void>
}

/**
 * Serves the portal's HTTP API over TLS, with a server certificate that the portal issues to itself. Rejects with
 * `LISTEN_FAILED` where the address cannot be used.
 */
export async function startPortalServer(options: PortalServerOptions): Promise<PortalServer> {
  const { portal, host = '127.0.0.1', port = 0 } = options
  const api = portalApi({
    portal,
    adminKey: options.adminKey ?? (await readSecret(portal.files.adminKey)),
    enrolmentKey: options.enrolmentKey ?? (await readSecret(portal.files.enrolmentKey)),
    onFailure: options.onFailure ?? ((error) => process.emitWarning(String(error))),
  })
  const { certPem, keyPem } = await portal.ca.issueServerCertificate({
    names: [...(options.names ?? []), ...(isAnyAddress(host) ? [] : [host])],
  })
  const server = createAdaptorServer({
    fetch: api.fetch,
    createServer,
    serverOptions: { cert: certPem, key: keyPem, minVersion: 'TLSv1.2' },
  }) as ReturnType<typeof createServer>
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(listenFailed(host, port, cause)))
    server.listen(port, host, resolve)
  })
  // Beside HTTP connections those that are still in their TLS handshake.
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const address = server.address() as AddressInfo
  const name = isAnyAddress(host) ? 'localhost' : address.family === 'IPv6' ? `[${host}]` : host
  return {
    url: `https://${name}:${address.port}`,
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
        for (const socket of sockets) socket.destroy()
      })
    },
  }
}

async function readSecret(file: string): Promise<string> {
  try {
    const secret = (await readFile(file, 'utf8')).trim()
    if (secret !== '') return secret
  } catch (cause) {
    throw new PortalError('DATA_DIRECTORY', `${file} cannot be read.`, 'Give yourself access to it.', cause)
  }
  throw new PortalError('DATA_DIRECTORY', `${file} is empty.`, 'Remove the file: the portal makes a new key.')
}

function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function listenFailed(host: string, port: number, cause: Error): PortalError {
  const code = 'code' in cause ? cause.code : undefined
  const reason =
    code === 'EADDRINUSE'
      ? 'another program uses this port'
      : code === 'EACCES'
        ? 'this port needs more rights'
        : cause.message
  return new PortalError(
    'LISTEN_FAILED',
    `The portal cannot listen on ${host}:${port}: ${reason}.`,
    'Choose another port, or 0 to let the system choose.',
    cause,
  )
}

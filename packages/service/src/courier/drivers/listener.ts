import type { Socket } from 'node:net'
import type { SecureContextOptions, Server, TlsOptions } from 'node:tls'
import type { WatchServer } from '../../faults/drivers/watch-listener.ts'
import { limits } from '../../limits.ts'
import type { Admission } from '../admission.ts'
import type { SessionHost } from '../session-host.ts'
import { Gate } from './gate.ts'
import { LiveConnections } from './live-connections.ts'
import { openWhenHeard } from './open-when-heard.ts'
import type { CourierTransport } from './transport.ts'

export interface ListenerOptions {
  readonly host: string
  /** 0: chosen by the system. */
  readonly port: number
  /** Server certificate (with chain) and key, PEM. */
  readonly tls: { readonly certPem: string; readonly keyPem: string }
  readonly sessions: SessionHost
  readonly admission: Admission
  readonly watchServer?: WatchServer | undefined
}

/** A port to which devices connect: the gate before it, and what came through and speaks. */
export class DeviceListener {
  readonly connections: LiveConnections
  readonly #gate: Gate

  /**
   * @param server does the handshakes of those that the gate lets in; it does not listen itself
   * @param socketOf the socket under a transport of this port
   */
  constructor(options: ListenerOptions, server: Server, socketOf: (transport: CourierTransport) => Socket) {
    const { host, port, sessions, admission } = options
    this.connections = new LiveConnections(sessions, (transport) => this.#gate.proven(socketOf(transport)))
    options.watchServer?.(server, contextOf(options))
    // A handshake that fails concerns that peer alone.
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    this.#gate = new Gate({
      ...{ host, port, admission, counters: sessions.counters, now: sessions.steadyNow },
      connections: () => this.connections.size,
      onAdmitted: (socket) => openWhenHeard(socket, server),
    })
  }

  /** @throws the error of the system where the address cannot be had */
  async listen(): Promise<{ readonly host: string; readonly port: number }> {
    const address = await this.#gate.listen()
    this.connections.start((steadyMs) => this.#gate.tick(steadyMs))
    return address
  }

  /** Takes no more connections. Resolves when all are gone. */
  close(): Promise<void> {
    this.connections.stop()
    const closed = this.#gate.close()
    // They have said nothing that would be lost.
    this.#gate.cutUnproven()
    return closed
  }

  /** Cuts what is left. */
  cut(): void {
    this.#gate.cutUnproven()
    this.connections.each((connection) => connection.transport.destroy())
  }
}

/** With what the server of a port is made. */
export function serverOptions(options: ListenerOptions): TlsOptions {
  return { ...contextOf(options), handshakeTimeout: limits.courierHandshakeMsMax }
}

function contextOf({ tls }: ListenerOptions): SecureContextOptions {
  return { cert: tls.certPem, key: tls.keyPem, minVersion: 'TLSv1.2' }
}

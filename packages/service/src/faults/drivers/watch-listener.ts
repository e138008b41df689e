import type { Socket } from 'node:net'
import type { SecureContextOptions, Server, TLSSocket } from 'node:tls'
import type { FaultFacts } from '../active-rule.ts'
import { addressText } from '../address-text.ts'
import type { FaultPlace } from '../fault-kinds.ts'
import type { Faults } from '../faults.ts'
import { troubleSocket } from './socket-trouble.ts'

/** Is handed the server of a listener, and what that was made with, before it listens. */
export type WatchServer = (server: Server, context: SecureContextOptions) => void

/**
 * Lets the faults of a listener reach its connections: before the handshake those that are cut or get another
 * certificate, after it those that are slow or dumb.
 * @param context what the server was made with, to give new connections the usual certificate again
 */
export function watchListener(
  server: Server,
  place: FaultPlace,
  faults: Faults,
  context: SecureContextOptions,
): void {
  let isReplaced = false
  // Before the listener of TLS, which takes the certificate of this moment, and right after it.
  server.prependListener('connection', (socket) => {
    faults.accepted[place] += 1
    if (faults.plan === undefined) return
    const tls = beforeHandshake(socket, place, faults)
    if (tls === undefined) return
    isReplaced = true
    server.setSecureContext({ ...context, cert: tls.certPem, key: tls.keyPem })
  })
  server.on('connection', () => {
    if (!isReplaced) return
    isReplaced = false
    server.setSecureContext(context)
  })
  server.prependListener('secureConnection', (socket) => {
    faults.number(place, socket)
    if (faults.plan !== undefined) afterHandshake(socket, place, faults)
  })
}

/** Cuts the connection, or gives the certificate that it is to be shown. */
function beforeHandshake(
  socket: Socket,
  place: FaultPlace,
  faults: Faults,
): { certPem: string; keyPem: string } | undefined {
  for (const active of faults.plan?.ofConnections(place) ?? []) {
    const { fault } = active.rule
    if (fault.kind !== 'close' && fault.kind !== 'expiredCertificate') continue
    if (!active.meets(connectionFacts(socket, faults.accepted[place]), faults.now())) continue
    if (fault.kind === 'close') {
      socket.destroy()
      return undefined
    }
    return fault.certPem === undefined || fault.keyPem === undefined
      ? faults.expiredTls
      : { certPem: fault.certPem, keyPem: fault.keyPem }
  }
  return undefined
}

function afterHandshake(socket: TLSSocket, place: FaultPlace, faults: Faults): void {
  for (const active of faults.plan?.ofConnections(place) ?? []) {
    const { fault } = active.rule
    if (fault.kind === 'close' || fault.kind === 'expiredCertificate') continue
    // The engine asks for these itself, when it makes its side of the connection.
    if (fault.kind === 'settings' || fault.kind === 'pingUnanswered') continue
    if (!active.meets(connectionFacts(socket, faults.secured[place]), faults.now())) continue
    troubleSocket(socket, faults, active)
  }
}

/** What a connection tells when it opens. */
export function connectionFacts(socket: Socket, connectionNumber: number): FaultFacts {
  return {
    connection: socket,
    connectionNumber,
    clientAddress: addressText(socket.remoteAddress ?? ''),
    topic: '',
    token: '',
    teamId: '',
    keyId: '',
  }
}

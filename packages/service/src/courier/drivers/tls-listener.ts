import { createServer, type TLSSocket } from 'node:tls'
import { chosenCourierAlpn } from '@carillon/wire'
import type { CourierConnection } from './connection.ts'
import { DeviceListener, type ListenerOptions, serverOptions } from './listener.ts'

/** Listens for devices over TLS and gives each a session. */
export function tlsListener(options: ListenerOptions): DeviceListener {
  const server = createServer({
    ...serverOptions(options),
    // A device without ALPN is served all the same; one that only offers something else gets the alert
    // no_application_protocol.
    ALPNCallback: ({ protocols }) => chosenCourierAlpn(protocols),
  })
  const listener = new DeviceListener(options, server, (transport) => transport as TLSSocket)
  server.on('secureConnection', (socket) => {
    const own = socket as CourierSocket
    own[connectionOf] = listener.connections.open(socket, socket.alpnProtocol)
    own.on('data', onData)
    own.on('error', onError)
    own.on('close', onClose)
  })
  return listener
}

/** The socket leads to its connection without a closure per event. */
const connectionOf = Symbol('connection')
type CourierSocket = TLSSocket & { [connectionOf]: CourierConnection }

function onData(this: CourierSocket, chunk: Buffer): void {
  this[connectionOf].received(chunk)
}

function onError(): void {
  // A lost connection is no news: `close` follows and ends the session; what was not acknowledged is stored.
}

function onClose(this: CourierSocket): void {
  this[connectionOf].lost()
}

import { createServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { chosenCourierAlpn } from '@carillon/wire'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { limits } from '../../limits.ts'
import type { CloseReason } from '../session-limits.ts'
import type { CourierConnection } from './connection.ts'
import { DeviceListener, type ListenerOptions, serverOptions } from './listener.ts'
import type { CourierTransport } from './transport.ts'

/**
 * The courier's protocol for browsers: the same frames in binary messages of a WebSocket, split in any way, and the
 * subprotocol in the place of ALPN. Pages of any origin may connect: what a device proves it proves with its key,
 * never with a cookie.
 */
export function webSocketListener(options: ListenerOptions): DeviceListener {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.webSocketMessageBytesMax,
    perMessageDeflate: false,
    // Answered here, where it is known what waits for the peer.
    autoPong: false,
    handleProtocols: (offered) => chosenCourierAlpn([...offered]) ?? false,
  })
  const server = createServer(serverOptions(options))
  const listener = new DeviceListener(
    options,
    server,
    (transport) => (transport as WebSocketTransport).socket,
  )
  server.on('request', (_request, response) => {
    response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end()
  })
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const transport = new WebSocketTransport(webSocket, socket as TLSSocket)
      const own = webSocket as CourierWebSocket
      own[connectionOf] = listener.connections.open(transport, webSocket.protocol)
      own.on('message', onMessage)
      own.on('ping', onPing)
      own.on('error', onError)
      own.on('close', onClose)
    })
  })
  return listener
}

/** A WebSocket as connections write to it: what one turn of the event loop gathered is one message. */
class WebSocketTransport implements CourierTransport {
  readonly socket: TLSSocket
  readonly #webSocket: WebSocket

  constructor(webSocket: WebSocket, socket: TLSSocket) {
    this.#webSocket = webSocket
    this.socket = socket
  }

  get destroyed(): boolean {
    return this.#webSocket.readyState > this.#webSocket.OPEN
  }

  get writableLength(): number {
    return this.#webSocket.bufferedAmount
  }

  write(bytes: Uint8Array): void {
    this.#webSocket.send(bytes)
  }

  destroySoon(reason: CloseReason): void {
    this.#webSocket.close(reason === 'malformed' ? closeCodes.protocolError : closeCodes.goingAway)
  }

  destroy(): void {
    this.#webSocket.terminate()
  }
}

/** RFC 6455 §7.4.1. The reason, where the device may know it, was said in a frame. */
const closeCodes = { goingAway: 1001, protocolError: 1002 } as const

/** Of a masked control frame, RFC 6455 §5.2. */
const pingHeaderBytes = 6

const connectionOf = Symbol('connection')
type CourierWebSocket = WebSocket & { [connectionOf]: CourierConnection }

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  const connection = (this as CourierWebSocket)[connectionOf]
  // With the default binary type of the library it is one Buffer. Text is not spoken here.
  if (isBinary) connection.received(data as Buffer)
  else connection.session.close('malformed')
}

/** A peer that asks all the time, and reads none of the answers, must not fill the memory with them. */
function onPing(this: WebSocket, data: Buffer): void {
  const connection = (this as CourierWebSocket)[connectionOf]
  if (connection.probed(data.length + pingHeaderBytes)) this.pong(data)
}

function onError(): void {
  // As with TLS: `close` follows.
}

function onClose(this: WebSocket): void {
  ;(this as CourierWebSocket)[connectionOf].lost()
}

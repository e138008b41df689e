import { courierAlpn } from '@carillon/wire'
import type { Dial, Transport, TransportEvents } from '../../drivers/transport.ts'

/** What is needed of a WebSocket: that of browsers, of Node and of the package ws. */
export interface WebSocketLike {
  binaryType: string
  readonly protocol: string
  readonly readyState: number
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(bytes: Uint8Array<ArrayBuffer>): void
  close(): void
}

export type OpenWebSocket = (url: string, protocols: string[]) => WebSocketLike

const open = 1

/** Dials a courier over WebSocket: the subprotocol says what ALPN says elsewhere. */
export function webSocketDial(url: string, openWebSocket: OpenWebSocket): Dial {
  return (events) => new WebSocketTransport(url, openWebSocket, events)
}

class WebSocketTransport implements Transport {
  readonly #socket: WebSocketLike
  #frames: Uint8Array[] = []

  constructor(url: string, openWebSocket: OpenWebSocket, events: TransportEvents) {
    const socket = openWebSocket(url, [courierAlpn.packV1, courierAlpn.securityV3])
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => events.opened(socket.protocol)
    socket.onmessage = ({ data }: { data: unknown }) => {
      // Text is not spoken here: as bytes it would be no frame either.
      if (data instanceof ArrayBuffer) events.received(new Uint8Array(data))
      else events.closed('the courier sent text')
    }
    // Browsers do not tell why; `close` follows.
    socket.onerror = () => {}
    socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
      events.closed(`${url}: the connection was closed (${reason || code})`)
    this.#socket = socket
  }

  /** One message for what is written together. */
  write(frame: Uint8Array): void {
    this.#frames.push(frame)
    if (this.#frames.length === 1) queueMicrotask(() => this.#flush())
  }

  end(): void {
    this.#flush()
    this.#socket.close()
  }

  destroy(): void {
    this.#frames = []
    this.#socket.onclose = null
    this.#socket.close()
  }

  // A WebSocket cannot be told to wait: what arrives is kept by the page.
  pause(): void {}
  resume(): void {}

  #flush(): void {
    const frames = this.#frames
    this.#frames = []
    if (frames.length === 0 || this.#socket.readyState !== open) return
    const message = new Uint8Array(frames.reduce((bytes, frame) => bytes + frame.length, 0))
    let offset = 0
    for (const frame of frames) {
      message.set(frame, offset)
      offset += frame.length
    }
    this.#socket.send(message)
  }
}

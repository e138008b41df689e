import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { courierAlpn } from '@carillon/wire'
import type { CourierAddress } from './courier-address.ts'
import type { Dial, Transport } from './transport.ts'

/**
 * Dials a courier over TLS.
 *
 * @param caPem the root certificate that the courier must present a chain to
 */
export function tlsDial(address: CourierAddress, caPem: string): Dial {
  return (events) => {
    const { host, port } = address
    const socket = connect(tlsOptions(address, caPem))
    socket.setNoDelay(true)
    socket.once('secureConnect', () => events.opened(socket.alpnProtocol || ''))
    socket.on('data', (chunk) => events.received(chunk))
    socket.on('error', (error) => events.closed(`${host}:${port}: ${error.message}`))
    socket.on('close', () => events.closed('the courier closed the connection'))
    return new TlsTransport(socket)
  }
}

class TlsTransport implements Transport {
  readonly #socket: TLSSocket
  #corked = false

  constructor(socket: TLSSocket) {
    this.#socket = socket
  }

  /** One write a turn, however many messages the session sends in it. */
  write(frame: Uint8Array): void {
    if (this.#socket.writableEnded) return
    if (!this.#corked) {
      this.#corked = true
      this.#socket.cork()
      setImmediate(() => {
        this.#corked = false
        this.#socket.uncork()
      })
    }
    this.#socket.write(frame)
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }
}

function tlsOptions({ host, port }: CourierAddress, caPem: string): ConnectionOptions {
  // SNI must be a name, never an address (RFC 6066 §3).
  const isAddress = /^[\d.]+$|:/.test(host)
  return {
    host,
    port,
    ca: caPem,
    // Fewer bytes where the courier knows how; any courier knows the other.
    ALPNProtocols: [courierAlpn.packV1, courierAlpn.securityV3],
    ...(isAddress ? {} : { servername: host }),
  }
}

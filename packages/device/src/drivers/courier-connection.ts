import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { courierAlpn, type MessageOf } from '@carillon/wire'
import { limits } from '../limits.ts'
import { CourierSession, type DeviceIdentity, type SessionHandler } from '../session/courier-session.ts'
import type { CourierAddress } from './courier-address.ts'

/** What a connection tells: all that its session does, and it is told when a notification is dealt with. */
export interface ConnectionHandler extends Omit<SessionHandler, 'send' | 'notification'> {
  notification(message: MessageOf<'notification'>, session: CourierSession): Promise<void>
}

export interface CourierConnectionOptions {
  readonly address: CourierAddress
  /** The root certificate that the courier must present a chain to, PEM. */
  readonly caPem: string
  readonly identity: DeviceIdentity
  readonly baseToken: Uint8Array | undefined
  /** The courier's time as far as the device knows it. */
  readonly courierNow: () => number
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** How often in a row the device was sent from one courier to another. */
  readonly redirects: number
}

const tickMs = 1_000

/** One TLS connection with the session on it: moves bytes and time between the two, and nothing more. */
export class CourierConnection {
  readonly session: CourierSession
  readonly #socket: TLSSocket
  readonly #ticker: NodeJS.Timeout
  readonly #ended: Promise<void>
  #corked = false
  /** Notifications that are not dealt with yet. */
  #arrivingCount = 0
  /** Why we are closing the connection, if we are. */
  #leaving = ''

  /** Dials; what goes wrong ends the session. */
  constructor(options: CourierConnectionOptions, handler: ConnectionHandler) {
    const { address, caPem, identity, baseToken, now, random } = options
    const { host, port } = address
    let ended = () => {}
    this.#ended = new Promise((resolve) => {
      ended = resolve
    })
    const socket = connect(tlsOptions(address, caPem))
    const session = new CourierSession(
      identity,
      baseToken,
      {
        send: (bytes) => this.#write(bytes),
        connected: (token, courierTimeMs) => handler.connected(token, courierTimeMs),
        token: (request, token) => handler.token(request, token),
        notification: (message, session) => this.#arriving(handler.notification(message, session)),
        storageEmpty: () => handler.storageEmpty(),
        ended: (end) => {
          clearInterval(this.#ticker)
          socket.destroy()
          ended()
          handler.ended(end)
        },
      },
      now(),
    )
    this.#socket = socket
    this.session = session
    socket.setNoDelay(true)
    socket.once('secureConnect', () => session.start(options.courierNow(), random(8), options.redirects))
    socket.on('data', (chunk) => session.receive(chunk, now()))
    socket.on('error', (error) => session.transportLost(this.#leaving || `${host}:${port}: ${error.message}`))
    socket.on('close', () => session.transportLost(this.#leaving || 'the courier closed the connection'))
    this.#ticker = setInterval(() => session.tick(now()), tickMs)
  }

  /**
   * Says goodbye, so that the courier stores what comes from now on instead of sending it into a dead connection.
   * Resolves when the courier has closed its end, or does not in time. A connection that is still being made is
   * given up at once.
   */
  leave(reason: string): Promise<void> {
    if (this.#leaving) return this.#ended
    this.#leaving = reason
    if (!this.session.isConnected) this.session.transportLost(reason)
    else {
      const impatient = setTimeout(() => this.session.transportLost(reason), limits.goodbyeMsMax)
      void this.#ended.then(() => clearTimeout(impatient))
      this.#socket.end()
    }
    return this.#ended
  }

  /** A courier that is faster than the disk waits: what it sends stays in the network. */
  #arriving(work: Promise<void>): void {
    if (++this.#arrivingCount === limits.arrivingMax) this.#socket.pause()
    const done = () => {
      if (--this.#arrivingCount === limits.arrivingMax / 2) this.#socket.resume()
    }
    work.then(done, done)
  }

  /** One write a turn, however many messages the session sends in it. */
  #write(bytes: Uint8Array): void {
    if (this.#socket.writableEnded) return
    if (!this.#corked) {
      this.#corked = true
      this.#socket.cork()
      setImmediate(() => {
        this.#corked = false
        this.#socket.uncork()
      })
    }
    this.#socket.write(bytes)
  }
}

function tlsOptions({ host, port }: CourierAddress, caPem: string): ConnectionOptions {
  // SNI must be a name, never an address (RFC 6066 §3).
  const isAddress = /^[\d.]+$|:/.test(host)
  return {
    host,
    port,
    ca: caPem,
    ALPNProtocols: [courierAlpn.securityV3],
    ...(isAddress ? {} : { servername: host }),
  }
}

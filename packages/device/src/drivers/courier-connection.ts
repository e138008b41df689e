import type { MessageOf } from '@carillon/wire'
import { limits } from '../limits.ts'
import { CourierSession, type SessionHandler } from '../session/courier-session.ts'
import type { HandledNotifications } from '../session/handled-notifications.ts'
import type { DeviceIdentity } from '../session/identity.ts'
import type { Dial, Transport } from './transport.ts'

/** What a connection tells: all that its session does, and it is told when a notification is dealt with. */
export interface ConnectionHandler extends Omit<SessionHandler, 'send' | 'notification'> {
  notification(message: MessageOf<'notification'>, session: CourierSession): Promise<void>
}

export interface CourierConnectionOptions {
  readonly dial: Dial
  readonly identity: DeviceIdentity
  readonly baseToken: Uint8Array | undefined
  /** Of the connections before this one. */
  readonly handled: HandledNotifications
  /** The courier's time as far as the device knows it. */
  readonly courierNow: () => number
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** How often in a row the device was sent from one courier to another. */
  readonly redirects: number
}

const tickMs = 1_000

/** One connection with the session on it: moves bytes and time between the two, and nothing more. */
export class CourierConnection {
  readonly session: CourierSession
  readonly #transport: Transport
  readonly #ticker: ReturnType<typeof setInterval>
  readonly #ended: Promise<void>
  /** Notifications that are not dealt with yet. */
  #arrivingCount = 0
  /** Why we are closing the connection, if we are. */
  #leaving = ''

  /** Dials; what goes wrong ends the session. */
  constructor(options: CourierConnectionOptions, handler: ConnectionHandler) {
    const { identity, baseToken, handled, courierNow, now, random, redirects } = options
    let ended = () => {}
    this.#ended = new Promise((resolve) => {
      ended = resolve
    })
    const session = new CourierSession(
      identity,
      baseToken,
      {
        send: (bytes) => this.#transport.write(bytes),
        connected: (token, courierTimeMs) => handler.connected(token, courierTimeMs),
        token: (request, token) => handler.token(request, token),
        notification: (message, session) => this.#arriving(handler.notification(message, session)),
        channels: (reply) => handler.channels(reply),
        storageEmpty: () => handler.storageEmpty(),
        ended: (end) => {
          clearInterval(this.#ticker)
          this.#transport.destroy()
          ended()
          handler.ended(end)
        },
      },
      now(),
      handled,
    )
    this.session = session
    this.#transport = options.dial({
      opened: (alpn) => session.start({ clockMs: courierNow(), random: random(8), redirects, alpn }),
      received: (bytes) => session.receive(bytes, now()),
      closed: (detail) => session.transportLost(this.#leaving || detail),
    })
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
      this.#transport.end()
    }
    return this.#ended
  }

  /** A courier that is faster than the disk waits: what it sends stays in the network. */
  #arriving(work: Promise<void>): void {
    if (++this.#arrivingCount === limits.arrivingMax) this.#transport.pause()
    const done = () => {
      if (--this.#arrivingCount === limits.arrivingMax / 2) this.#transport.resume()
    }
    work.then(done, done)
  }
}

import type { SessionHost } from '../session-host.ts'
import { TimerWheel } from '../timer-wheel.ts'
import { type ConnectionOwner, CourierConnection } from './connection.ts'
import type { CourierTransport } from './transport.ts'
import { WriteTurn } from './write-turn.ts'

/** One clock for all connections instead of a timer for each. */
const tickMs = 1000

/** Connections looked at in one go; then others have their turn. A look costs less than a microsecond. */
const lookedAtMax = 2000

/** All connections of one port, whatever their transport: their clock, and what is done to all of them. */
export class LiveConnections implements ConnectionOwner {
  readonly sessions: SessionHost
  readonly turn = new WriteTurn()
  readonly #wheel: TimerWheel
  readonly #onKnown: (transport: CourierTransport) => void
  #onTick: (steadyMs: number) => void = () => {}
  #ticker: NodeJS.Timeout | undefined

  /** @param onKnown the device behind a transport has proven who it is */
  constructor(sessions: SessionHost, onKnown: (transport: CourierTransport) => void) {
    this.sessions = sessions
    this.#wheel = new TimerWheel(sessions.steadyNow())
    this.#onKnown = onKnown
  }

  get size(): number {
    return this.#wheel.size
  }

  /** @param onTick called once a second */
  start(onTick: (steadyMs: number) => void): void {
    this.#onTick = onTick
    this.#ticker = setInterval(() => this.#tick(), tickMs)
    this.#ticker.unref()
  }

  stop(): void {
    clearInterval(this.#ticker)
  }

  open(transport: CourierTransport, alpn: string | false | null): CourierConnection {
    const connection = new CourierConnection(transport, this, alpn)
    this.#wheel.put(connection, connection.session.tick(this.sessions.steadyNow()))
    return connection
  }

  gone(connection: CourierConnection): void {
    this.#wheel.remove(connection)
  }

  known(connection: CourierConnection): void {
    this.#onKnown(connection.transport)
  }

  sooner(connection: CourierConnection, delayMs: number): void {
    if (connection.slot >= 0) this.#wheel.put(connection, delayMs)
  }

  /** Calls with every connection that is open when it begins. */
  each(call: (connection: CourierConnection) => void): void {
    for (const entry of [...this.#wheel]) call(entry as CourierConnection)
  }

  #tick(): void {
    this.#onTick(this.sessions.steadyNow())
    this.#look()
  }

  readonly #look = (): void => {
    if (this.#wheel.advance(this.sessions.steadyNow(), lookedAtMax)) setImmediate(this.#look)
  }
}

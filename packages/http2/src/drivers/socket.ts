import type { TLSSocket } from 'node:tls'

/** What a driver needs of a connection of either end. */
export interface DrivenConnection {
  onOutput: () => void
  readonly ended: boolean
  readonly abandoned: boolean
  readonly congested: boolean
  readonly outputBytes: number
  receive(chunk: Uint8Array, now: number): void
  tick(now: number): void
  takeOutput(): Buffer | undefined
  recycle(chunk: Buffer): void
  setBacklog(bytes: number): void
  transportClosed(cause?: unknown): void
}

/** All sockets of a process share one coarse timer for their time limits. */
const TICK_MS = 1000
/** A peer that vanished without a word is noticed by TCP after this time without traffic, and some retries. */
const TCP_KEEPALIVE_MS = 60_000
/** Output from this size on is written at once, so that the socket can say early that it is full. */
const EARLY_FLUSH_BYTES = 131_072
/** How long a socket may take to hand over its last bytes after the end of its connection. */
const LINGER_MS = 5000

const driven = new Set<SocketDriver>()
let timer: NodeJS.Timeout | undefined

/** A fault of one connection's user must not stop the others: it is thrown where nobody depends on it. */
const forEach = (drivers: Iterable<SocketDriver>, action: (driver: SocketDriver) => void): void => {
  for (const driver of drivers) {
    try {
      action(driver)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

const tickAll = (): void => {
  const now = performance.now()
  forEach(driven, (driver) => driver.tick(now))
}

/** Drivers with output to write at the end of this turn of the event loop. */
let waiting: SocketDriver[] = []

const flushAll = (): void => {
  const drivers = waiting
  waiting = []
  forEach(drivers, flushOne)
}

const flushOne = (driver: SocketDriver): void => driver.flush()

/**
 * Moves bytes between one TLS socket and one connection. What the connection has to say in a turn of the
 * event loop leaves in one write; while the socket is full nothing is read, so that answers cannot pile up.
 */
export class SocketDriver {
  readonly #socket: TLSSocket
  readonly #connection: DrivenConnection
  #connected: boolean
  #error: unknown
  #closing = false
  #paused = false
  #lingering = 0

  /** `connected` is false for a client socket whose handshake is under way. */
  constructor(socket: TLSSocket, connection: DrivenConnection, connected: boolean, firstBytes?: Uint8Array) {
    this.#socket = socket
    this.#connection = connection
    this.#connected = connected
    connection.onOutput = () => {
      if (waiting.push(this) === 1) setImmediate(flushAll)
    }
    socket.setNoDelay(true)
    socket.setKeepAlive(true, TCP_KEEPALIVE_MS)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    // An alert of TLS comes as an error before the end; it is the cause then.
    socket.on('end', () => connection.transportClosed(this.#error))
    socket.on('error', (error: Error) => {
      this.#error = error
    })
    socket.on('close', () => this.#closed())
    driven.add(this)
    // After reading: where the process stood still, what peers sent meanwhile is not to be taken for silence.
    timer ??= setInterval(setImmediate, TICK_MS, tickAll).unref()
    connection.tick(performance.now())
    if (firstBytes !== undefined && firstBytes.length > 0) this.#read(firstBytes)
    if (socket.destroyed) this.#closed()
    else socket.resume()
    if (connected) this.flush()
  }

  /** The client's handshake is done. */
  connected(): void {
    this.#connected = true
    this.flush()
  }

  flush(): void {
    const socket = this.#socket
    const connection = this.#connection
    if (socket.destroyed) return
    if (!this.#connected) {
      // Given up during the handshake: there is nothing to say to the peer.
      if (connection.ended) socket.destroy()
      return
    }
    const chunk = connection.takeOutput()
    if (chunk !== undefined) {
      // Not 'drain': it comes only after a write above the high-water mark.
      socket.write(chunk, () => {
        connection.recycle(chunk)
        this.#updateBacklog()
      })
      this.#updateBacklog()
    }
    if (connection.ended) this.#finish()
  }

  tick(now: number): void {
    if (this.#connection.ended) {
      this.#lingering += TICK_MS
      if (this.#lingering > LINGER_MS) this.#socket.destroy()
      return
    }
    this.#updateBacklog()
    this.#connection.tick(now)
    if (this.#connection.ended) this.flush()
  }

  #read(chunk: Uint8Array): void {
    if (this.#connection.ended) return
    this.#connection.receive(chunk, performance.now())
    if (this.#connection.ended || this.#connection.outputBytes >= EARLY_FLUSH_BYTES) this.flush()
  }

  #updateBacklog(): void {
    const connection = this.#connection
    connection.setBacklog(this.#socket.writableLength)
    if (connection.ended) this.#finish()
    else if (connection.congested !== this.#paused) this.#setPaused(connection.congested)
  }

  #setPaused(paused: boolean): void {
    this.#paused = paused
    if (paused) this.#socket.pause()
    else this.#socket.resume()
  }

  /** The connection is over: send what is left and close; a reader that takes nothing is cut off. */
  #finish(): void {
    if (this.#closing) return
    this.#closing = true
    const chunk = this.#connection.takeOutput()
    if (this.#connection.abandoned) this.#socket.destroy()
    else if (this.#socket.writableEnded) return
    else if (chunk === undefined) this.#socket.end()
    else this.#socket.end(chunk)
    // What still comes is not for us any more, but unread bytes would keep the socket open.
    this.#socket.resume()
  }

  #closed(): void {
    driven.delete(this)
    if (driven.size === 0 && timer !== undefined) {
      clearInterval(timer)
      timer = undefined
    }
    this.#connection.transportClosed(this.#error)
  }
}

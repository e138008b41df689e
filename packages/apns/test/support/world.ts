import {
  type ClientConnection,
  ServerConnection,
  type ServerHandler,
  type ServerOptions,
} from '@carillon/http2'
import type { Runtime, Ticker } from '../../src/index.ts'
import { Seeded } from './seeded.ts'

/** Makes the server end of one connection, or refuses it. */
export type Accept = (link: Link) => ServerHandler | Error

/** One simulated connection. */
export interface Link {
  readonly number: number
  readonly server: ServerConnection
  /** Tears the connection: neither end gets what is under way. */
  cut(cause?: Error): void
  readonly isCut: boolean
}

interface Event {
  readonly at: number
  readonly run: () => void
}

/**
 * A world without sockets and clocks: time jumps from event to event, bytes of a connection take `latencyMs`.
 * The client and both ends of the engine are the real ones.
 */
export class World implements Runtime {
  time = Date.UTC(2026, 0, 5, 12)
  latencyMs = 1
  /** By how much the client's clock is ahead. */
  clockErrorMs = 0
  readonly links: Link[] = []
  serverOptions: ServerOptions = {}
  readonly #random: Seeded
  readonly #accept: Accept
  readonly #events: Event[] = []
  #soon: (() => void)[] = []
  /** The ticker's wish to keep the process alive. */
  isKeptAlive = false

  constructor(accept: Accept, seed = 1) {
    this.#accept = accept
    this.#random = new Seeded(seed)
  }

  now(): number {
    return this.time + this.clockErrorMs
  }

  random(bytes: number): Uint8Array {
    return this.#random.bytes(bytes)
  }

  soon(callback: () => void): void {
    this.#soon.push(callback)
    queueMicrotask(() => {
      const due = this.#soon
      this.#soon = []
      for (const run of due) run()
    })
  }

  ticker(onTick: () => void): Ticker {
    let armed = 0
    return {
      arm: (delayMs, keepsAlive) => {
        const id = ++armed
        this.isKeptAlive = keepsAlive
        this.after(delayMs, () => {
          if (id === armed) onTick()
        })
      },
      stop: () => {
        armed += 1
        this.isKeptAlive = false
      },
    }
  }

  after(delayMs: number, run: () => void): void {
    const at = this.time + delayMs
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      // Latest first, so that the next one is at the end; of two at one time the earlier made comes first.
      if (this.#events[middle]!.at > at) low = middle + 1
      else high = middle
    }
    this.#events.splice(low, 0, { at, run })
  }

  connect<C>(_target: unknown, client: ClientConnection<C>) {
    const link = new SimulatedLink(this, client, this.links.length, this.#accept)
    this.links.push(link)
    return { destroy: () => link.cut(), ref: () => {}, unref: () => {} }
  }

  /** Lets time pass until the promise is settled; fails where nothing more can happen. */
  async until<T>(promise: Promise<T>, msMax = 600_000): Promise<T> {
    let isSettled = false
    const settled = promise.finally(() => {
      isSettled = true
    })
    settled.catch(() => {})
    const end = this.time + msMax
    for (;;) {
      await microtasks()
      if (isSettled) return settled
      if (!this.#step(end)) throw new Error('nothing happens any more, and the promise is not settled')
    }
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms
    do await microtasks()
    while (this.#step(end))
    this.time = end
  }

  #step(end: number): boolean {
    const event = this.#events.at(-1)
    if (event === undefined || event.at > end) return false
    this.#events.pop()
    this.time = Math.max(this.time, event.at)
    event.run()
    return true
  }
}

/** All promise callbacks that are due run before `setImmediate`. */
const microtasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

class SimulatedLink<C> implements Link {
  readonly number: number
  isCut = false
  #isClosing = false
  server!: ServerConnection
  readonly #world: World
  readonly #client: ClientConnection<C>

  constructor(world: World, client: ClientConnection<C>, number: number, accept: Accept) {
    this.#world = world
    this.#client = client
    this.number = number
    const accepted = accept(this)
    if (accepted instanceof Error) {
      this.isCut = true
      client.onOutput = () => {}
      world.after(world.latencyMs, () => client.transportClosed(accepted))
      return
    }
    this.server = new ServerConnection(world.serverOptions, accepted)
    client.tick(world.time)
    this.server.tick(world.time)
    client.onOutput = () => world.after(0, () => this.#flush())
    this.server.onOutput = () => world.after(0, () => this.#flush())
    world.after(world.latencyMs, () => this.#flush())
    this.#tick()
  }

  cut(cause?: Error): void {
    if (this.isCut) return
    this.isCut = true
    const tell = () => {
      this.server.transportClosed(cause)
      this.#client.transportClosed(cause)
    }
    this.#world.after(0, tell)
  }

  #tick(): void {
    if (this.isCut) return
    this.#client.tick(this.#world.time)
    this.server.tick(this.#world.time)
    this.#world.after(1000, () => this.#tick())
  }

  #flush(): void {
    if (this.isCut) return
    this.#carry(this.#client, this.server)
    this.#carry(this.server, this.#client)
  }

  #carry(from: ClientConnection<C> | ServerConnection, to: ClientConnection<C> | ServerConnection): void {
    const chunk = from.takeOutput()
    const isOver = from.ended
    if (chunk === undefined && (!isOver || this.#isClosing)) return
    const bytes = chunk === undefined ? undefined : Buffer.from(chunk)
    if (chunk !== undefined) from.recycle(chunk)
    if (isOver) this.#isClosing = true
    this.#world.after(this.#world.latencyMs, () => {
      if (this.isCut) return
      if (bytes !== undefined) to.receive(bytes, this.#world.time)
      if (isOver) {
        this.isCut = true
        to.transportClosed()
        from.transportClosed()
      }
      this.#flush()
    })
  }
}

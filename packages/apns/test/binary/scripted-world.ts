import { type BinaryNotification, BinaryNotificationReader, encodeBinaryError } from '@carillon/wire'
import type { LegacyTransport, OpenLegacyTransport } from '../../src/binary/drivers/legacy-transport.ts'
import { BinaryPushClient, type BinaryPushClientOptions, type Runtime } from '../../src/index.ts'
import { makeCertificate } from '../support/certificate.ts'

type Handler = Parameters<OpenLegacyTransport>[1]

/** One connection, on whose other end a test stands. */
export class ScriptedConnection implements LegacyTransport {
  readonly handler: Handler
  /** What was sent, in order; the question of a flush is not among it. */
  readonly sent: BinaryNotification[] = []
  hasAsked = false
  isAborted = false
  isRef = true
  /** Whether the system takes what is written. */
  takesBytes = true
  readonly #reader = new BinaryNotificationReader()

  constructor(handler: Handler) {
    this.handler = handler
  }

  write(bytes: Uint8Array, onTaken: () => void): void {
    this.#reader.push(bytes)
    for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next()) {
      if (next.type === 'notification') this.sent.push(next)
      else this.hasAsked = true
    }
    if (this.takesBytes) queueMicrotask(onTaken)
  }

  answer(status: number, identifier: number): void {
    this.handler.onBytes(encodeBinaryError({ status, identifier }))
  }

  end(): void {}

  abort(): void {
    this.isAborted = true
  }

  pause(): void {}

  resume(): void {}

  ref(): void {
    this.isRef = true
  }

  unref(): void {
    this.isRef = false
  }
}

const { cert, key } = makeCertificate()

/** A client with a clock and a network that a test turns by hand. */
export class ScriptedWorld implements Runtime {
  readonly connections: ScriptedConnection[] = []
  readonly client: BinaryPushClient
  /** What the next connections do at once; nothing: they wait. */
  onConnect: (connection: ScriptedConnection) => void = ({ handler }) => handler.onOpen()
  keepsAlive = false
  #nowMs = 1_700_000_000_000
  #armedFor = Number.POSITIVE_INFINITY
  #onTick: () => void = () => {}

  constructor(options: Partial<BinaryPushClientOptions> = {}) {
    const auth = { type: 'certificate', cert, key } as const
    const own = { auth, environment: 'sandbox', host: 'push.example' } as const
    this.client = new BinaryPushClient({ ...own, ...options }, this, (_target, handler) => {
      const connection = new ScriptedConnection(handler)
      this.connections.push(connection)
      queueMicrotask(() => this.onConnect(connection))
      return connection
    })
  }

  get connection(): ScriptedConnection {
    return this.connections.at(-1)!
  }

  /** Sends notifications with the payloads 0, 1, 2, … */
  send(count: number) {
    return Array.from({ length: count }, (_, n) =>
      this.client.send({ deviceToken: 'ab'.repeat(32), payload: `${n}` }),
    )
  }

  /** Lets everything happen that waits for nothing. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Turns the clock on, tick by tick. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#nowMs + milliseconds
    await this.settle()
    while (this.#armedFor <= end) {
      this.#nowMs = Math.max(this.#nowMs, this.#armedFor)
      this.#armedFor = Number.POSITIVE_INFINITY
      this.#onTick()
      await this.settle()
    }
    this.#nowMs = end
  }

  now(): number {
    return this.#nowMs
  }

  /** The longest waits of the back-off. */
  random(bytes: number): Uint8Array {
    return new Uint8Array(bytes).fill(0xff)
  }

  ticker(onTick: () => void) {
    this.#onTick = onTick
    return {
      arm: (delayMs: number, keepsAlive: boolean) => {
        this.#armedFor = this.#nowMs + delayMs
        this.keepsAlive = keepsAlive
      },
      stop: () => {
        this.#armedFor = Number.POSITIVE_INFINITY
        this.keepsAlive = false
      },
    }
  }

  soon(callback: () => void): void {
    queueMicrotask(callback)
  }

  connect(): never {
    throw new Error('HTTP/2 is not spoken here')
  }
}

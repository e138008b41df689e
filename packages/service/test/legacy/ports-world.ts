import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { type Database, openDatabase } from '@carillon/database'
import type { ServerConnection } from '@carillon/http2'
import type { Delivery, Notification } from '../../src/delivery/delivery.ts'
import type { Faults } from '../../src/faults/faults.ts'
import { faultyRegistry } from '../../src/faults/faulty-registry.ts'
import { openFeedbackList } from '../../src/feedback/feedback-list.ts'
import { type LegacyPorts, openLegacyPorts } from '../../src/legacy/open-legacy-ports.ts'
import { migrations } from '../../src/migrations.ts'
import { type OpenRegistry, openRegistry } from '../../src/registry/open-registry.ts'
import { seedTokens } from '../../src/registry/seed.ts'
import { untraced } from '../../src/trace/trace.ts'
import { type Issued, TestAuthority } from '../certificates.ts'
import { bundleId, MemoryAuthority } from '../memory-authority.ts'

/** Both ports of the original protocol over a real registry, with a delivery that takes everything. */
export class PortsWorld implements Delivery {
  readonly authority = new MemoryAuthority()
  readonly accepted: Notification[] = []
  readonly troubles: string[] = []
  readonly faults: Faults | undefined
  readonly #directory = mkdtempSync(join(tmpdir(), 'carillon-legacy-'))
  readonly #clients: LegacyClient[] = []
  ca!: TestAuthority
  database!: Database
  registry!: OpenRegistry
  #ports!: LegacyPorts
  #waiting: (() => void)[] = []

  constructor(faults?: Faults) {
    this.faults = faults
  }

  static async start(faults?: Faults): Promise<PortsWorld> {
    const world = new PortsWorld(faults)
    world.ca = await TestAuthority.make(Date.now())
    world.authority.pushCaPem.push(world.ca.caPem)
    world.authority.setApp(bundleId)
    const file = join(world.#directory, 'push.sqlite')
    world.database = await openDatabase({ engine: 'sqlite', file, migrations })
    await world.open()
    return world
  }

  get binaryPort(): number {
    return this.#ports.addresses.binary!.port
  }

  /** Of clients that speak the original protocol. */
  get connectionCounts(): { readonly binary: number; readonly feedback: number } {
    const count = this.#ports.connectionCount
    return { binary: count('binary'), feedback: count('feedback') }
  }

  get feedbackPort(): number {
    return this.#ports.addresses.feedback!.port
  }

  /** Opens the ports, after `stop` once more. */
  async open(): Promise<void> {
    const { authority, database } = this
    const random = (bytes: number) => randomBytes(bytes)
    const onTrouble = (sentence: string) => void this.troubles.push(sentence)
    this.registry = openRegistry({ database, authority, now: Date.now, random })
    this.#ports = await openLegacyPorts({
      environment: 'sandbox',
      authority,
      registry:
        this.faults === undefined ? this.registry : faultyRegistry(this.registry, this.faults, 'binary'),
      delivery: this,
      feedback: openFeedbackList({ database, onTrouble }),
      trace: untraced,
      faults: this.faults,
      now: Date.now,
      random,
      host: '127.0.0.1',
      ports: { binary: 0, feedback: 0 },
      tls: await this.ca.server(),
      binary: undefined,
      http2: (): ServerConnection => {
        throw new Error('no test here speaks HTTP/2')
      },
      onTrouble,
    })
  }

  async stop(): Promise<void> {
    await this.#ports.close()
    this.registry.close()
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.socket.destroy()
    await this.stop()
    await this.database.close()
    rmSync(this.#directory, { recursive: true })
  }

  /** A certificate that the portal knows. */
  async certificate(
    kind: 'sandbox' | 'production' | 'universal' = 'sandbox',
    app = bundleId,
    options: Parameters<TestAuthority['push']>[2] = {},
  ): Promise<Issued> {
    const issued = await this.ca.push(kind, app, options)
    this.authority.setCertificate(issued.serial, 'good')
    return issued
  }

  /** Tokens in the registry, as hex. */
  tokens(count: number, topic = bundleId): Promise<string[]> {
    const random = (bytes: number) => randomBytes(bytes)
    return seedTokens(this.database, { count, bundleId, topic, now: Date.now(), random })
  }

  dial(port: number, certificate?: Issued, options: DialOptions = {}): LegacyClient {
    const { certPem: cert, keyPem: key } = certificate ?? {}
    const client = new LegacyClient({
      ...{ host: '127.0.0.1', port, ca: this.ca.caPem, servername: 'localhost' },
      ...(cert === undefined ? {} : { cert, key }),
      ...options,
    })
    this.#clients.push(client)
    return client
  }

  accept<C>(taken: Notification, context: C, done: (context: C, outcome: 'accepted') => void): void {
    this.accepted.push(taken)
    // Later, as a disk would.
    setImmediate(done, context, 'accepted')
    for (const resume of this.#waiting.splice(0)) resume()
  }

  /** Resolves when so many notifications were accepted. */
  async acceptedCount(count: number): Promise<void> {
    while (this.accepted.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }
}

/** Node takes `allowHalfOpen` here as well; its types do not know it. */
type DialOptions = ConnectionOptions & { readonly allowHalfOpen?: boolean }

/** A client of the original protocol: bytes out, bytes in. */
export class LegacyClient {
  readonly socket: TLSSocket
  /** All that came, when the service has closed, and whether by a broken connection. */
  readonly ended: Promise<{ readonly bytes: Buffer; readonly error: Error | undefined }>
  #bytes = Buffer.alloc(0)

  constructor(options: DialOptions) {
    this.socket = connect(options)
    let error: Error | undefined
    this.socket.on('error', (cause) => (error ??= cause))
    this.socket.on('data', (chunk) => (this.#bytes = Buffer.concat([this.#bytes, chunk])))
    this.ended = new Promise((resolve) => {
      this.socket.once('close', () => resolve({ bytes: this.#bytes, error }))
    })
  }

  get received(): Buffer {
    return this.#bytes
  }

  async connected(): Promise<this> {
    await once(this.socket, 'secureConnect')
    return this
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()))
  }
}

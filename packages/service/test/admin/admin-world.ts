import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { courierExtensions } from '@carillon/wire'
import { onTestFinished } from 'vitest'
import { startService } from '../../src/service.ts'
import type { PushService, ServiceOptions } from '../../src/service-options.ts'
import { type Issued, TestAuthority } from '../certificates.ts'
import { DeviceAuthority, type Issued as IssuedDevice } from '../courier/device-certificates.ts'
import { TlsPhone } from '../courier/tls-phone.ts'
import { Provider } from '../gateway/provider.ts'
import { bundleId, keyId, MemoryAuthority, newKey, signToken } from '../memory-authority.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

export const adminKey = 'the key of the administrator'
const keys = newKey()

export interface JsonAnswer {
  readonly status: number
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

/** A real service over real TLS, with everything around it that a test of the admin API needs. */
export class AdminWorld {
  readonly directory = temporaryDirectory()
  readonly authority = new MemoryAuthority()
  readonly devices: DeviceAuthority
  service!: PushService
  readonly #ca: TestAuthority
  readonly #server: Issued
  /** One for all pushes: a new one at each turn of the second would be TooManyProviderTokenUpdates. */
  readonly #authorization = `bearer ${signToken(keys.privateKey, Math.floor(Date.now() / 1000))}`
  #provider: Provider | undefined

  private constructor(ca: TestAuthority, server: Issued, devices: DeviceAuthority) {
    this.#ca = ca
    this.#server = server
    this.devices = devices
  }

  static async start(options: Partial<ServiceOptions> = {}): Promise<AdminWorld> {
    const ca = await TestAuthority.make(Date.now())
    const world = new AdminWorld(ca, await ca.server(), await DeviceAuthority.make(Date.now()))
    world.authority.setApp(bundleId)
    world.authority.setKey(keyId, keys.publicKey)
    world.authority.pushCaPem.push(ca.caPem)
    world.authority.deviceCaPem.push(...world.devices.deviceCaPem)
    onTestFinished(() => world.stop())
    await world.restart(options)
    return world
  }

  /** Starts the service, anew where it runs. */
  async restart(options: Partial<ServiceOptions> = {}): Promise<void> {
    await this.stop()
    this.service = await startService({
      environment: 'sandbox',
      dataDir: this.directory,
      authority: this.authority,
      tls: this.#server,
      host: '127.0.0.1',
      ports: { http2: 0, courier: 0, admin: 0 },
      admin: { key: adminKey },
      now: Date.now,
      random: (bytes) => randomBytes(bytes),
      ...options,
    })
  }

  async stop(): Promise<void> {
    await this.#provider?.close()
    this.#provider = undefined
    await this.service?.close()
  }

  get caPem(): string {
    return this.#ca.caPem
  }

  /** Sends a push; gives its unique id. */
  async push(
    token: string,
    apnsId: string,
    headers: Record<string, string> = {},
    payload = '{"aps":{"alert":"Hello"}}',
  ): Promise<{ status: number; uniqueId: string }> {
    this.#provider ??= new Provider({ port: this.service.http2.port, caPem: this.#ca.caPem })
    const answer = await this.#provider.send(
      {
        ':method': 'POST',
        ':path': `/3/device/${token}`,
        authorization: this.#authorization,
        'apns-topic': bundleId,
        'apns-push-type': 'alert',
        'apns-id': apnsId,
        ...headers,
      },
      payload,
    )
    return { status: answer.status, uniqueId: String(answer.headers['apns-unique-id'] ?? '') }
  }

  /** Connects a device that reports. */
  async connect(device: IssuedDevice): Promise<TlsPhone> {
    const phone = await TlsPhone.dial(this.service.courier.port)
    onTestFinished(() => phone.leave())
    await phone.connect(device, Date.now(), { extensions: courierExtensions.reports })
    return phone
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<JsonAnswer> {
    const response = await this.#request(path, headers)
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk
    const type = response.headers['content-type'] ?? ''
    return { status: response.statusCode ?? 0, type, body: type.includes('json') ? JSON.parse(text) : text }
  }

  /** Opens a stream of Server-Sent Events. */
  async stream(path: string, headers: Record<string, string> = {}): Promise<EventReader> {
    const response = await this.#request(path, headers)
    const reader = new EventReader(response)
    onTestFinished(() => reader.close())
    return reader
  }

  async #request(path: string, headers: Record<string, string>): Promise<IncomingMessage> {
    const { host, port } = this.service.admin!
    const sent = request({
      ...{ host, port, path, ca: this.#ca.caPem, servername: 'localhost', agent: false },
      headers: { authorization: `Bearer ${adminKey}`, ...headers },
    })
    sent.end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return response
  }
}

export interface ServerSentEvent {
  readonly event: string
  readonly id: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  readonly data: any
}

/** Reads Server-Sent Events as a client of EventSource does. */
export class EventReader {
  readonly events: ServerSentEvent[] = []
  readonly response: IncomingMessage
  isEnded = false
  #text = ''
  #waiting: (() => void)[] = []

  constructor(response: IncomingMessage) {
    this.response = response
    response.setEncoding('utf8')
    response.on('data', (text: string) => this.#read(text))
    for (const end of ['end', 'close', 'error']) {
      response.on(end, () => {
        this.isEnded = true
        this.#wake()
      })
    }
  }

  /** All events once there are so many. */
  async atLeast(count: number): Promise<readonly ServerSentEvent[]> {
    while (this.events.length < count) {
      if (this.isEnded) throw new Error(`the stream ended after ${this.events.length} events`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    return this.events
  }

  async ended(): Promise<void> {
    while (!this.isEnded) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  close(): void {
    this.response.destroy()
  }

  #read(text: string): void {
    this.#text += text
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      const fields = new Map(
        this.#text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)] as const),
      )
      this.#text = this.#text.slice(end + 2)
      const event = fields.get('event')
      if (event === undefined) continue
      this.events.push({ event, id: fields.get('id') ?? '', data: JSON.parse(fields.get('data') ?? 'null') })
    }
    this.#wake()
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }
}

import { createServer, type Server, type TLSSocket } from 'node:tls'
import {
  type CourierMessage,
  CourierMessageReader,
  courierAlpn,
  encodeCourierMessage,
  type MessageFromDevice,
  type MessageOf,
  topicHash,
} from '@carillon/wire'
import type { CourierAddress } from '../../src/index.ts'
import { afterTest } from './temporary.ts'
import type { TestPortal } from './test-portal.ts'

export const baseToken = new Uint8Array(32).fill(0xa0)
export const appToken = new Uint8Array(32).fill(0xc0)

/** A courier over real TLS that does what the test tells it. */
export class TestCourier {
  readonly connections: CourierSide[] = []
  readonly #server: Server
  #waiting: (() => void)[] = []

  private constructor(server: Server) {
    this.#server = server
    server.on('secureConnection', (socket) => {
      this.connections.push(new CourierSide(socket))
      for (const resume of this.#waiting.splice(0)) resume()
    })
  }

  /** Closed after the test. */
  static async start(portal: TestPortal, port = 0): Promise<TestCourier> {
    const { certPem, keyPem } = await portal.ca.issueServerCertificate({})
    const server = createServer({ cert: certPem, key: keyPem, ALPNProtocols: [courierAlpn.securityV3] })
    // A client that does not trust us ends the handshake: that is its test's business.
    server.on('tlsClientError', () => {})
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    const courier = new TestCourier(server)
    afterTest(() => courier.stop())
    return courier
  }

  get address(): CourierAddress {
    const address = this.#server.address()
    if (typeof address !== 'object' || address === null) throw new Error('it does not listen')
    return { host: '127.0.0.1', port: address.port }
  }

  /** The connection that is opened as the `count`th. */
  async connection(count = 1): Promise<CourierSide> {
    for (;;) {
      const side = this.connections[count - 1]
      if (side) return side
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

type Of<T extends MessageFromDevice['type']> = Extract<MessageFromDevice, { type: T }>

/** The courier's end of one connection. */
export class CourierSide {
  readonly socket: TLSSocket
  readonly heard: MessageFromDevice[] = []
  /** All bytes of the device. */
  readonly bytes: Buffer[] = []
  isClosed = false
  readonly #reader = new CourierMessageReader({ from: 'device' })
  #waiting: (() => void)[] = []

  constructor(socket: TLSSocket) {
    this.socket = socket
    socket.on('error', () => {}) // a device that was killed resets its connection
    socket.on('data', (chunk) => {
      this.bytes.push(chunk)
      this.#reader.push(new Uint8Array(chunk))
      for (let message = this.#reader.next(); message; message = this.#reader.next()) this.heard.push(message)
      this.#changed()
    })
    socket.on('close', () => {
      this.isClosed = true
      this.#changed()
    })
  }

  say(...messages: readonly CourierMessage[]): void {
    if (this.socket.writable)
      this.socket.write(Buffer.concat(messages.map((one) => encodeCourierMessage(one))))
  }

  /** The message of this type that arrived as the `count`th. */
  async hear<T extends MessageFromDevice['type']>(type: T, count = 1): Promise<Of<T>> {
    await this.until(() => this.all(type).length >= count, `${count}. ${type}`)
    return this.all(type)[count - 1] as Of<T>
  }

  all<T extends MessageFromDevice['type']>(type: T): Of<T>[] {
    return this.heard.filter((message): message is Of<T> => message.type === type)
  }

  /** Accepts the device. */
  async accept(fields: Partial<MessageOf<'connected'>> = {}): Promise<MessageOf<'connect'>> {
    const connect = await this.hear('connect')
    this.say({ type: 'connected', status: 0, token: baseToken, extensions: 1, ...fields })
    return connect
  }

  /** Answers the `count`th token request. */
  async issue(token: Uint8Array | undefined = appToken, count = 1): Promise<MessageOf<'appTokenRequest'>> {
    const request = await this.hear('appTokenRequest', count)
    const { topicHash: hash } = request
    this.say({ type: 'appTokenReply', status: token ? 0 : 2, topicHash: hash, ...(token ? { token } : {}) })
    return request
  }

  notify(bundleId: string, id: number, fields: Partial<MessageOf<'notification'>> = {}): void {
    this.say(notification(bundleId, id, fields))
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async until(isSo: () => boolean, what: string): Promise<void> {
    while (!isSo()) {
      if (this.isClosed) throw new Error(`the connection ended before this came: ${what}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #changed(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }
}

/** The UUID of the `n`th notification. */
export function apnsIdOf(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
}

/** The `n`th notification; its message id is the same unless given. */
export function notification(
  bundleId: string,
  n: number,
  fields: Partial<MessageOf<'notification'>> = {},
): MessageOf<'notification'> {
  return {
    type: 'notification',
    token: appToken,
    topicHash: topicHash(bundleId),
    payload: Buffer.from(JSON.stringify({ aps: { alert: `number ${n}` } })),
    id: n,
    tracingId: new Uint8Array(Buffer.from(apnsIdOf(n).replaceAll('-', ''), 'hex')),
    ...fields,
  }
}

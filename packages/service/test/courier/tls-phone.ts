import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import {
  type CourierFraming,
  type CourierMessage,
  courierFraming,
  type MessageFromCourier,
  type MessageOf,
  topicHash,
} from '@carillon/wire'
import type { Issued } from './device-certificates.ts'
import { proofOf } from './device-proof.ts'

/** A plain device over real TLS: says what it is told and collects what it hears. */
export class TlsPhone {
  readonly socket: TLSSocket
  readonly heard: MessageFromCourier[] = []
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>
  isClosed = false
  readonly #framing: CourierFraming<'courier'>
  #waiting: (() => void)[] = []

  private constructor(socket: TLSSocket) {
    this.socket = socket
    this.#framing = courierFraming('courier', socket.alpnProtocol)
    socket.on('data', (chunk) => {
      // A plain array, which tests can compare.
      this.#framing.push(new Uint8Array(chunk))
      for (let message = this.#framing.next(); message !== undefined; message = this.#framing.next()) {
        this.heard.push(message)
      }
      this.#changed()
    })
    socket.on('error', () => {})
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        this.isClosed = true
        this.#changed()
        resolve()
      }),
    )
  }

  static dial(port: number, options: ConnectionOptions = {}): Promise<TlsPhone> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
      socket.once('error', reject)
      socket.once('secureConnect', () => {
        socket.off('error', reject)
        resolve(new TlsPhone(socket))
      })
    })
  }

  say(...messages: readonly CourierMessage[]): void {
    this.socket.write(Buffer.concat(messages.map((message) => this.#framing.encode(message))))
  }

  /** The message of this type that arrived as the `count`th. */
  async hear<T extends MessageFromCourier['type']>(
    type: T,
    count = 1,
  ): Promise<Extract<MessageFromCourier, { type: T }>> {
    for (;;) {
      const found = this.heard.filter((message) => message.type === type)[count - 1]
      if (found !== undefined) return found as Extract<MessageFromCourier, { type: T }>
      if (this.isClosed) throw new Error(`the connection ended before ${type} came`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Connects as the device of a certificate. */
  async connect(
    device: Issued,
    nowMs: number,
    fields: Partial<MessageOf<'connect'>> = {},
  ): Promise<MessageOf<'connected'>> {
    this.say({
      type: 'connect',
      state: 1,
      certificates: [device.der],
      ...proofOf(device.key, nowMs),
      ...fields,
    })
    return this.hear('connected')
  }

  /** Names a topic and asks for its token. */
  async register(topic: string): Promise<Uint8Array> {
    this.say(
      { type: 'filter', enabled: [topicHash(topic)] },
      { type: 'appTokenRequest', topicHash: topicHash(topic) },
    )
    return (await this.hear('appTokenReply')).token!
  }

  async leave(): Promise<void> {
    this.socket.destroy()
    await this.closed
  }

  #changed(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }
}

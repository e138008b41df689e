/*
 * As much of MQTT 3.1.1 as a peer for the device leg needs: publishing with QoS 1, subscribing with 1 or 0.
 *
 *   packet    type and flags u8 | remaining length, 7 bits a byte, low first | variable header and payload
 *   CONNECT   "MQTT" u16-prefixed | level 4 | flags 2 (clean session) | keep alive u16 | client id
 *   SUBSCRIBE packet id u16 | topic filter u16-prefixed | QoS u8
 *   PUBLISH   topic u16-prefixed | packet id u16 | payload (the rest)
 *   PUBACK    packet id u16
 */
import { connect, type TLSSocket } from 'node:tls'

const packet = {
  connect: 0x10,
  connack: 0x20,
  publish: 0x32,
  puback: 0x40,
  subscribe: 0x82,
  suback: 0x90,
} as const
const kindMask = 0xf0
/** QoS of PUBLISH. */
const qosMask = 0x06

export interface MqttEvents {
  onMessage?(payload: Uint8Array): void
  /** The broker took over what was published under this id. */
  onPublished?(id: number): void
}

/** One connection to a broker: what is written in a turn leaves in one write, as ours does. */
export class MqttConnection {
  readonly #socket: TLSSocket
  readonly #events: MqttEvents
  #rest: Buffer = Buffer.alloc(0)
  #out: Buffer[] = []
  #lastId = 0
  #opened: () => void = () => {}

  private constructor(socket: TLSSocket, events: MqttEvents) {
    this.#socket = socket
    this.#events = events
  }

  /** Resolves when the broker has answered, to the subscription too where there is one. */
  static open(
    port: number,
    clientId: string,
    subscribeTo: string,
    events: MqttEvents,
    qos: 0 | 1 = 1,
  ): Promise<MqttConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
      const connection = new MqttConnection(socket, events)
      socket.setNoDelay(true)
      socket.on('error', reject)
      socket.on('close', () => reject(new Error(`The broker ended the connection of ${clientId}.`)))
      socket.on('data', (chunk) => connection.#receive(chunk))
      socket.on('secureConnect', () => {
        connection.#opened = () => resolve(connection)
        connection.#write(packet.connect, Buffer.from([0, 4, 77, 81, 84, 84, 4, 2, 0, 0]), text(clientId))
        if (subscribeTo === '') return
        connection.#opened = () => {
          connection.#opened = () => resolve(connection)
          connection.#write(packet.subscribe, Buffer.from([0, 1]), text(subscribeTo), Buffer.from([qos]))
        }
      })
    })
  }

  /** Publishes; the id that comes back is told to `onPublished`. */
  publish(topic: string, payload: Uint8Array): number {
    this.#lastId = (this.#lastId % 0xffff) + 1
    this.#write(packet.publish, text(topic), number16(this.#lastId), payload)
    return this.#lastId
  }

  end(): void {
    this.#socket.end()
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (;;) {
      const body = bodyOf(bytes, at)
      if (body === undefined) break
      this.#take(bytes[at]!, bytes.subarray(body.start, body.end))
      at = body.end
    }
    this.#rest = bytes.subarray(at)
  }

  #take(head: number, body: Buffer): void {
    const kind = head & kindMask
    if (kind === (packet.publish & kindMask)) {
      const idAt = 2 + body.readUInt16BE(0)
      if ((head & qosMask) === 0) return this.#events.onMessage?.(body.subarray(idAt))
      this.#write(packet.puback, body.subarray(idAt, idAt + 2))
      this.#events.onMessage?.(body.subarray(idAt + 2))
    } else if (kind === packet.puback) {
      this.#events.onPublished?.(body.readUInt16BE(0))
    } else if (kind === packet.connack || kind === (packet.suback & kindMask)) {
      this.#opened()
    }
  }

  #write(type: number, ...parts: readonly Uint8Array[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    if (this.#out.push(Buffer.concat([remainingLength(type, length), ...parts])) > 1) return
    setImmediate(() => {
      const out = this.#out
      this.#out = []
      this.#socket.write(out.length === 1 ? out[0]! : Buffer.concat(out))
    })
  }
}

/** Where a packet's body is; undefined while it is incomplete. */
function bodyOf(bytes: Buffer, at: number): { start: number; end: number } | undefined {
  let length = 0
  for (let digit = 0; digit < 4; digit++) {
    const byte = bytes[at + 1 + digit]
    if (byte === undefined) return undefined
    length += (byte & 0x7f) << (7 * digit)
    if (byte < 0x80) {
      const start = at + 2 + digit
      return start + length <= bytes.length ? { start, end: start + length } : undefined
    }
  }
  throw new Error('The broker sent a length of more than four bytes.')
}

function remainingLength(type: number, length: number): Buffer {
  const bytes = [type]
  for (; length > 0x7f; length >>>= 7) bytes.push((length & 0x7f) | 0x80)
  bytes.push(length)
  return Buffer.from(bytes)
}

const number16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff])

const text = (value: string): Buffer => Buffer.concat([number16(value.length), Buffer.from(value)])

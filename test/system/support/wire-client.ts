import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { HpackDecoder } from '../../../packages/http2/src/hpack/decoder.ts'
import { huffmanEncode, huffmanLength } from '../../../packages/http2/src/hpack/huffman.ts'
import { PREFACE, type ReadFrame, settings, settingsAck, TYPE } from '../../../packages/http2/test/peer.ts'
import type { LocalApp } from './local-app.ts'

/** How a client writes a header field (RFC 7541 §6). */
export interface FieldStyle {
  readonly huffman?: boolean
  /** Into the dynamic table, not into it, or never by anybody. */
  readonly indexing?: 'incremental' | 'without' | 'never'
}

export type Field = readonly [name: string, value: string]

const firstOctet = { incremental: 0x40, without: 0x00, never: 0x10 }

/** A header block of literal fields, each name written out. */
export function headerBlock(fields: readonly Field[], style: FieldStyle = {}): Buffer {
  const { huffman = false, indexing = 'without' } = style
  const parts = fields.flatMap(([name, value]) => [
    Buffer.of(firstOctet[indexing]),
    text(name, huffman),
    text(value, huffman),
  ])
  return Buffer.concat(parts)
}

function text(value: string, huffman: boolean): Buffer {
  const bytes = huffman ? Buffer.alloc(huffmanLength(value)) : Buffer.from(value, 'latin1')
  if (huffman) huffmanEncode(value, bytes, 0)
  return Buffer.concat([length(bytes.length, huffman ? 0x80 : 0), bytes])
}

/** RFC 7541 §5.1, with a prefix of seven bits. */
function length(value: number, flag: number): Buffer {
  if (value < 127) return Buffer.of(flag | value)
  const octets = [flag | 127]
  let left = value - 127
  for (; left >= 128; left >>>= 7) octets.push((left & 127) | 128)
  return Buffer.of(...octets, left)
}

/** What became of a stream. */
export interface WireAnswer {
  readonly status: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** DATA frames of the answer. */
  readonly dataFrames: number
}

/** A client that writes what it is told, byte by byte if need be, and reads frames. */
export class WireClient {
  readonly socket: TLSSocket
  readonly frames: ReadFrame[] = []
  readonly #decoder = new HpackDecoder(4096, 65_536)
  readonly #headers = new Map<number, Record<string, string>>()
  readonly #waiting = new Set<() => void>()
  #bytes = Buffer.alloc(0)

  private constructor(socket: TLSSocket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', () => {})
    socket.on('close', () => this.#look())
  }

  /** After the TLS handshake; nothing is sent yet. */
  static async dial(app: LocalApp, alpn: readonly string[] | undefined = ['h2']): Promise<WireClient> {
    const { port } = app.gateway
    const socket = connect({
      ...{ host: 'localhost', port, ca: app.caPem },
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    })
    await once(socket, 'secureConnect')
    return new WireClient(socket)
  }

  /** With preface and SETTINGS sent, and the server's acknowledged. */
  static async open(
    app: LocalApp,
    own: [number, number][] = [],
    alpn: readonly string[] | undefined = ['h2'],
  ): Promise<WireClient> {
    const client = await WireClient.dial(app, alpn)
    client.write(PREFACE, settings(...own))
    await client.until('SETTINGS', () => client.frames.find(({ type }) => type === TYPE.SETTINGS))
    client.write(settingsAck)
    return client
  }

  write(...parts: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts))
  }

  /** Each part in a TLS record of its own, the next when the one before has left. */
  async writeApart(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) await new Promise((resolve) => this.socket.write(part, resolve))
  }

  /** The answer of a stream, when it is whole; rejects where the stream is reset. */
  answer(id: number): Promise<WireAnswer> {
    return this.until(`the answer of stream ${id}`, () => {
      const own = this.frames.filter((frame) => frame.id === id)
      const reset = own.find(({ type }) => type === TYPE.RST_STREAM)
      if (reset !== undefined) throw new Error(`stream ${id} was reset: ${reset.payload.readUInt32BE(0)}`)
      const isWhole = own.some(
        ({ type, flags }) => (type === TYPE.HEADERS || type === TYPE.DATA) && (flags & 1) !== 0,
      )
      if (!isWhole) return undefined
      const headers = this.#headers.get(id) ?? {}
      const data = own.filter(({ type }) => type === TYPE.DATA)
      const body = Buffer.concat(data.map(({ payload }) => payload)).toString()
      return { status: headers[':status'] ?? '', headers, body, dataFrames: data.length }
    })
  }

  until<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        let found: T | undefined
        try {
          found = find()
          if (found === undefined && this.socket.destroyed)
            throw new Error(`the connection ended before ${what}: ${this.#goaway()}`)
        } catch (error) {
          this.#waiting.delete(look)
          reject(error)
          return
        }
        if (found === undefined) return
        this.#waiting.delete(look)
        resolve(found)
      }
      this.#waiting.add(look)
      look()
    })
  }

  close(): void {
    this.socket.destroy()
  }

  #goaway(): string {
    const frame = this.frames.find(({ type }) => type === TYPE.GOAWAY)
    return frame === undefined ? 'no GOAWAY' : frame.payload.subarray(8).toString()
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    while (this.#bytes.length >= 9) {
      const end = 9 + this.#bytes.readUIntBE(0, 3)
      if (this.#bytes.length < end) break
      const frame: ReadFrame = {
        type: this.#bytes[3]!,
        flags: this.#bytes[4]!,
        id: this.#bytes.readUInt32BE(5),
        payload: Buffer.from(this.#bytes.subarray(9, end)),
      }
      this.#bytes = this.#bytes.subarray(end)
      this.frames.push(frame)
      if (frame.type === TYPE.HEADERS) this.#decode(frame)
    }
    this.#look()
  }

  #decode({ id, payload }: ReadFrame): void {
    const list = this.#decoder.decode(payload, 0, payload.length)
    const headers: Record<string, string> = {}
    for (let at = 0; at < list.length; at += 2) headers[list[at]!] = list[at + 1]!
    this.#headers.set(id, headers)
  }

  #look(): void {
    for (const look of [...this.#waiting]) look()
  }
}

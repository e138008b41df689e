import {
  ClientConnection,
  type ClientOptions,
  errorCodeName,
  ServerConnection,
  type ServerHandler,
  type ServerOptions,
} from '../src/index.ts'

/**
 * A peer by hand for tests: builds and reads frames with code of its own (not the engine's), so that an error
 * in the engine's frame writer cannot hide itself.
 */

export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const

export const END_STREAM = 1
export const ACK = 1
export const END_HEADERS = 4
export const PADDED = 8
export const PRIORITY = 0x20

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export const frame = (
  type: number,
  flags: number,
  id: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(id, 5)
  return Buffer.concat([head, payload])
}

export const uint32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, at) => {
    bytes.writeUInt32BE(value, at * 4)
  })
  return bytes
}

/** Entries as [identifier, value]. */
export const settings = (...entries: [number, number][]): Buffer =>
  frame(
    TYPE.SETTINGS,
    0,
    0,
    Buffer.concat(
      entries.map(([id, value]) => {
        const entry = Buffer.alloc(6)
        entry.writeUInt16BE(id, 0)
        entry.writeUInt32BE(value, 2)
        return entry
      }),
    ),
  )
export const settingsAck = frame(TYPE.SETTINGS, ACK, 0)
export const data = (id: number, body: string | Uint8Array, flags: number = END_STREAM): Buffer =>
  frame(TYPE.DATA, flags, id, typeof body === 'string' ? Buffer.from(body) : body)
export const headers = (id: number, block: Uint8Array, flags: number = END_STREAM | END_HEADERS): Buffer =>
  frame(TYPE.HEADERS, flags, id, block)
export const continuation = (id: number, block: Uint8Array, flags = 0): Buffer =>
  frame(TYPE.CONTINUATION, flags, id, block)
export const rst = (id: number, code = 8): Buffer => frame(TYPE.RST_STREAM, 0, id, uint32(code))
export const windowUpdate = (id: number, increment: number): Buffer =>
  frame(TYPE.WINDOW_UPDATE, 0, id, uint32(increment))
export const ping = (text = '12345678', flags = 0): Buffer => frame(TYPE.PING, flags, 0, Buffer.from(text))
export const goaway = (lastId: number, code = 0, debug = ''): Buffer =>
  frame(TYPE.GOAWAY, 0, 0, Buffer.concat([uint32(lastId, code), Buffer.from(debug)]))
export const priority = (id: number, dependency = 0): Buffer =>
  frame(TYPE.PRIORITY, 0, id, Buffer.concat([uint32(dependency), Buffer.from([15])]))

/** A string of HPACK without Huffman code, below 127 bytes or with one more length octet. */
const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, 'latin1')
  const length = bytes.length
  if (length < 127) return Buffer.concat([Buffer.from([length]), bytes])
  const rest = length - 127
  const octets = [127]
  let left = rest
  while (left >= 128) {
    octets.push((left & 127) | 128)
    left >>>= 7
  }
  octets.push(left)
  return Buffer.concat([Buffer.from(octets), bytes])
}

/** Fields as literals without indexing: no table is involved. */
export const block = (...fields: [string, string][]): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))

/** Fields as literals with incremental indexing. */
export const indexedBlock = (...fields: [string, string][]): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0x40]), text(name), text(value)]))

export const REQUEST: [string, string][] = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':path', '/x'],
  [':authority', 'localhost'],
]
export const requestBlock = (...more: [string, string][]): Buffer => block(...REQUEST, ...more)
export const responseBlock = (...more: [string, string][]): Buffer => block([':status', '200'], ...more)
/** The first request, without its body. */
export const openRequest = headers(1, requestBlock(), END_HEADERS)

export interface ReadFrame {
  readonly type: number
  readonly flags: number
  readonly id: number
  readonly payload: Buffer
}

export const readFrames = (bytes: Buffer): ReadFrame[] => {
  const frames: ReadFrame[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUIntBE(at, 3)
    const end = at + 9 + length
    if (end > bytes.length) throw new Error('the engine wrote a broken frame')
    frames.push({
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      id: bytes.readUInt32BE(at + 5),
      payload: Buffer.from(bytes.subarray(at + 9, end)),
    })
    at = end
  }
  return frames
}

const typeName = (type: number): string =>
  Object.entries(TYPE).find(([, value]) => value === type)?.[0] ?? `${type}`

/** A frame in one line: `RST_STREAM 1 CANCEL`, `GOAWAY 3 NO_ERROR`, `HEADERS 1 END_STREAM`, … */
export const describeFrame = ({ type, flags, id, payload }: ReadFrame): string => {
  switch (type) {
    case TYPE.RST_STREAM:
      return `RST_STREAM ${id} ${errorCodeName(payload.readUInt32BE(0))}`
    case TYPE.GOAWAY:
      return `GOAWAY ${payload.readUInt32BE(0)} ${errorCodeName(payload.readUInt32BE(4))}`
    case TYPE.WINDOW_UPDATE:
      return `WINDOW_UPDATE ${id} ${payload.readUInt32BE(0)}`
    case TYPE.SETTINGS:
    case TYPE.PING:
      return `${typeName(type)}${(flags & ACK) !== 0 ? ' ACK' : ''}`
    case TYPE.DATA:
      return `DATA ${id} ${payload.length}${(flags & END_STREAM) !== 0 ? ' END_STREAM' : ''}`
    default:
      return `${typeName(type)} ${id}${(flags & END_STREAM) !== 0 ? ' END_STREAM' : ''}`
  }
}

abstract class Harness {
  readonly events: string[] = []
  abstract readonly connection: ServerConnection | ClientConnection<string>
  now = 1000

  receive(...chunks: Buffer[]): this {
    this.connection.receive(Buffer.concat(chunks), this.now)
    return this
  }

  /** Time passes, with the ticks that a driver makes. */
  pass(milliseconds: number): this {
    const end = this.now + milliseconds
    while (this.now < end) {
      this.now = Math.min(end, this.now + 1000)
      this.connection.tick(this.now)
    }
    return this
  }

  frames(): ReadFrame[] {
    const bytes = this.connection.takeOutput()
    return bytes === undefined ? [] : readFrames(bytes)
  }

  /** What the engine wrote since the last call, a line per frame. */
  wrote(): string[] {
    return this.frames().map(describeFrame)
  }
}

export type OnRequest = (streamId: number, headers: readonly string[], body: Uint8Array) => void

/** A server engine with a log of what its handler was told. */
export class TestServer extends Harness {
  readonly connection: ServerConnection
  /** What to do with a request; default: nothing. */
  onRequest: OnRequest | undefined

  /** @param handler what is to be done otherwise than by the log */
  constructor(options: ServerOptions = {}, handler: Partial<ServerHandler> = {}) {
    super()
    this.connection = new ServerConnection(options, {
      onRequest: (streamId, list, body) => {
        this.events.push(`request ${streamId} ${list.join(' ')} [${Buffer.from(body).toString('latin1')}]`)
        this.onRequest?.(streamId, list, body)
      },
      onBodyTooLarge: (streamId) => {
        this.events.push(`tooLarge ${streamId}`)
      },
      onRequestReset: (streamId, code) => {
        this.events.push(`reset ${streamId} ${errorCodeName(code)}`)
      },
      onEnd: (reason) => {
        this.events.push(`end ${reason.kind} ${errorCodeName(reason.code)}`)
      },
      ...handler,
    })
  }

  /** Preface and SETTINGS both ways are done; what the engine wrote for it is thrown away. */
  open(...peerSettings: [number, number][]): this {
    this.connection.tick(this.now)
    this.receive(PREFACE, settings(...peerSettings), settingsAck)
    this.frames()
    return this
  }
}

/** A client engine with a log of what its handler was told; contexts are strings. */
export class TestClient extends Harness {
  readonly connection: ClientConnection<string>
  onCapacity: (() => void) | undefined

  constructor(options: ClientOptions = {}) {
    super()
    this.connection = new ClientConnection<string>(options, {
      onResponse: (context, status, list, body) => {
        this.events.push(
          `response ${context} ${status} ${[...list.slice(2), ''].join(' ')}[${Buffer.from(body).toString('latin1')}]`,
        )
      },
      onReset: (context, code) => {
        this.events.push(`reset ${context} ${errorCodeName(code)}`)
      },
      onRefused: (context) => {
        this.events.push(`refused ${context}`)
      },
      onCapacity: () => {
        this.events.push('capacity')
        this.onCapacity?.()
      },
      onGoaway: (code, debugData, lastStreamId) => {
        this.events.push(`goaway ${errorCodeName(code)} ${lastStreamId} ${Buffer.from(debugData).toString()}`)
      },
      onEnd: (reason, unanswered) => {
        this.events.push(`end ${reason.kind} ${errorCodeName(reason.code)} [${unanswered.join(' ')}]`)
      },
    })
  }

  open(...peerSettings: [number, number][]): this {
    this.connection.tick(this.now)
    this.connection.takeOutput()
    this.receive(settings(...peerSettings), settingsAck)
    this.frames()
    this.events.length = 0
    return this
  }

  /** The requests whose end was told, each as often as it was told, by name. */
  toldRequests(): string[] {
    return this.events
      .flatMap((event) => {
        const [kind, context = ''] = event.split(' ')
        if (kind === 'capacity' || kind === 'goaway') return []
        if (kind !== 'end') return [context]
        const unanswered = event.slice(event.indexOf('[') + 1, -1)
        return unanswered.split(' ').filter((name) => name !== '')
      })
      .sort()
  }

  request(context: string, body?: string, headers: string[] = REQUEST.flat()): number {
    return this.connection.request(headers, body === undefined ? undefined : Buffer.from(body), context)
  }
}

import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  block,
  data,
  END_HEADERS,
  END_STREAM,
  headers as headersFrame,
  PREFACE,
  type ReadFrame,
  settings,
  settingsAck,
  TYPE,
} from '../../../http2/test/peer.ts'
import { bundleId } from '../memory-authority.ts'
import { GatewayWorld, payload, token } from './gateway-world.ts'

let world: GatewayWorld
let authorization: string
beforeAll(async () => {
  world = await GatewayWorld.start()
  authorization = world.bearer()
})
afterAll(() => world.stop())

/** A client that writes frames by hand, as none of the libraries would. */
class RawClient {
  readonly socket: TLSSocket
  #bytes = Buffer.alloc(0)
  readonly #frames: ReadFrame[] = []
  #waiting: (() => void)[] = []

  constructor(alpn: string[] | undefined, servername = 'localhost') {
    this.socket = connect({
      port: world.gateway.port,
      host: '127.0.0.1',
      servername,
      ca: world.ca.caPem,
      checkServerIdentity: () => undefined,
      ...(alpn === undefined ? {} : { ALPNProtocols: alpn }),
    })
    this.socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.socket.on('error', () => {})
  }

  write(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames))
  }

  /** Resolves with the first frame, of those not taken yet, that is wanted. */
  async next(isWanted: (frame: ReadFrame) => boolean): Promise<ReadFrame> {
    for (;;) {
      const at = this.#frames.findIndex(isWanted)
      if (at >= 0) return this.#frames.splice(at, 1)[0]!
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
  }

  /** All frames of a stream up to its end. */
  async answer(id: number): Promise<ReadFrame[]> {
    const frames: ReadFrame[] = []
    for (;;) {
      const frame = await this.next((each) => each.id === id)
      frames.push(frame)
      if (frame.type === TYPE.RST_STREAM || (frame.flags & END_STREAM) !== 0) return frames
    }
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    while (this.#bytes.length >= 9 && this.#bytes.length >= 9 + this.#bytes.readUIntBE(0, 3)) {
      const end = 9 + this.#bytes.readUIntBE(0, 3)
      this.#frames.push({
        type: this.#bytes[3]!,
        flags: this.#bytes[4]!,
        id: this.#bytes.readUInt32BE(5),
        payload: this.#bytes.subarray(9, end),
      })
      this.#bytes = this.#bytes.subarray(end)
    }
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

const clients: RawClient[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.socket.destroy()
})

function open(alpn: string[] | undefined = ['h2'], servername?: string): RawClient {
  const client = new RawClient(alpn, servername)
  clients.push(client)
  client.write(PREFACE, settings())
  return client
}

/** The fields of a request that is accepted, without `:authority`. */
const fields = (...more: [string, string][]): [string, string][] => [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':path', `/3/device/${token}`],
  ...more.filter(([name]) => name.startsWith(':')),
  ['authorization', authorization],
  ['apns-topic', bundleId],
  ...more.filter(([name]) => !name.startsWith(':')),
]

const push = (id: number, ...more: [string, string][]): Buffer =>
  Buffer.concat([headersFrame(id, block(...fields(...more)), END_HEADERS), data(id, payload)])

const status = (frame: ReadFrame | undefined): string => {
  expect(frame?.type).toBe(TYPE.HEADERS)
  // 200 and 400 are whole entries of the static table (RFC 7541 appendix A); others are literals.
  const first = frame!.payload[0]!
  if (first === 0x88) return '200'
  return first === 0x8c ? '400' : frame!.payload.toString('latin1')
}

describe('the first SETTINGS', () => {
  test('say what Apple says, and hold the first burst to one stream afterwards', async () => {
    const client = open()
    const isSettings = ({ type, flags }: ReadFrame) => type === TYPE.SETTINGS && flags === 0
    const entries = ({ payload }: ReadFrame) =>
      Array.from({ length: payload.length / 6 }, (_, at) => [
        payload.readUInt16BE(at * 6),
        payload.readUInt32BE(at * 6 + 2),
      ])
    expect(entries(await client.next(isSettings))).toEqual([
      [1, 4096],
      [3, 100],
      [4, 65_535],
      [5, 16_384],
      [6, 8000],
    ])
    expect(entries(await client.next(isSettings))).toEqual([[3, 1]])
    client.write(settingsAck, settingsAck, push(1))
    expect(entries(await client.next(isSettings))).toEqual([[3, 1000]])
  })

  test('of a connection with a certificate allow a thousand streams', async () => {
    const certificate = await world.ca.push('sandbox', bundleId)
    world.authority.setCertificate(certificate.serial, 'good')
    const provider = await world.provider(certificate)
    expect(provider.session.remoteSettings).toMatchObject({
      headerTableSize: 4096,
      maxConcurrentStreams: 1000,
      initialWindowSize: 65_535,
      maxFrameSize: 16_384,
      maxHeaderListSize: 8000,
    })
  })
})

describe('how a connection begins', () => {
  test.each<[string, string[] | undefined]>([
    ['with ALPN h2', ['h2']],
    ['with several protocols', ['http/1.1', 'h2']],
    ['without ALPN, as pushy does', undefined],
  ])('%s: a push is accepted', async (_name, alpn) => {
    const client = open(alpn)
    client.write(settingsAck, push(1))
    expect(status((await client.answer(1))[0])).toBe('200')
  })

  test.each(['api.push.apple.com', 'api.development.push.apple.com', 'localhost'])(
    'with the server name %s',
    async (servername) => {
      const client = open(['h2'], servername)
      client.write(settingsAck, push(1))
      expect(status((await client.answer(1))[0])).toBe('200')
    },
  )

  test('with HTTP/1.1 it ends, and the service goes on', async () => {
    const client = new RawClient(undefined)
    clients.push(client)
    const ended = once(client.socket, 'close')
    client.socket.write(`POST /3/device/${token} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    await ended
    const next = open()
    next.write(settingsAck, push(1))
    expect(status((await next.answer(1))[0])).toBe('200')
  })
})

describe('the form of an answer', () => {
  test('200 is one HEADERS frame that ends the stream: no DATA', async () => {
    const client = open()
    client.write(settingsAck, push(1))
    const frames = await client.answer(1)
    expect(frames.map(({ type, flags }) => [type, flags])).toEqual([[TYPE.HEADERS, END_STREAM | END_HEADERS]])
  })

  test('an error is HEADERS and exactly one DATA frame that ends the stream', async () => {
    const client = open()
    client.write(settingsAck, push(1, ['apns-priority', '3']))
    const frames = await client.answer(1)
    expect(frames.map(({ type, flags }) => [type, flags])).toEqual([
      [TYPE.HEADERS, END_HEADERS],
      [TYPE.DATA, END_STREAM],
    ])
    expect(frames[1]!.payload.toString()).toBe('{"reason":"BadPriority"}')
  })
})

describe('the authority of a request', () => {
  test.each<[string, [string, string][]]>([
    ['is absent', []],
    ['is in host', [['host', 'api.push.apple.com']]],
    ['has no port, whatever the port is', [[':authority', 'localhost']]],
    ['has a port of another kind', [[':authority', 'api.sandbox.push.apple.com:443']]],
    ['is the other environment', [[':authority', 'api.push.apple.com']]],
    [
      'is there twice, as host too',
      [
        [':authority', 'localhost'],
        ['host', 'api.push.apple.com'],
      ],
    ],
  ])('%s', async (_name, more) => {
    const client = open()
    client.write(settingsAck, push(1, ...more))
    expect(status((await client.answer(1))[0])).toBe('200')
  })
})

describe('header values', () => {
  test.each<[string, [string, string][]]>([
    ['an upper-case apns-id', [['apns-id', 'EABEAE54-14A8-11E5-B60B-1697F925EC7B']]],
    ['a content-length', [['content-length', String(payload.length)]]],
    [
      'a content type, user agent and others that nobody asked for',
      [
        ['content-type', 'application/json'],
        ['user-agent', 'x'],
        ['x-any', ''],
      ],
    ],
    [
      'another header twice',
      [
        ['x-any', 'a'],
        ['x-any', 'b'],
      ],
    ],
    ['expiration 0, which pushy always sends', [['apns-expiration', '0']]],
    ['an expiration of the far future', [['apns-expiration', '4294967295']]],
    ['priority 1', [['apns-priority', '1']]],
    ['an empty collapse id', [['apns-collapse-id', '']]],
    ['a collapse id of 64 bytes', [['apns-collapse-id', 'x'.repeat(64)]]],
  ])('taken: %s', async (_name, more) => {
    const client = open()
    client.write(settingsAck, push(1, ...more))
    expect(status((await client.answer(1))[0])).toBe('200')
  })

  test.each([
    'apns-id',
    'apns-expiration',
    'apns-priority',
    'apns-topic',
    'apns-collapse-id',
    'apns-push-type',
    'authorization',
    'apns-channel-id',
    'apns-request-id',
  ])('%s twice is DuplicateHeaders', async (name) => {
    const values: Record<string, string> = {
      'apns-id': 'eabeae54-14a8-11e5-b60b-1697f925ec7b',
      'apns-expiration': '0',
      'apns-priority': '5',
      'apns-topic': bundleId,
      'apns-push-type': 'alert',
      authorization: world.bearer(),
    }
    const value = values[name] ?? 'x'
    const isSent = name === 'apns-topic' || name === 'authorization'
    const twice: [string, string][] = isSent
      ? [[name, value]]
      : [
          [name, value],
          [name, value],
        ]
    const client = open()
    client.write(settingsAck, push(1, ...twice))
    expect((await client.answer(1))[1]!.payload.toString()).toBe('{"reason":"DuplicateHeaders"}')
  })

  test.each([
    'eabeae5414a811e5b60b1697f925ec7b',
    'eabeae54-14a8-11e5-b60b-1697f925ec7',
    'eabeae54-14a8-11e5-b60b-1697f925ec7bb',
    'eabeae54-14a8-11e5-b60b-1697f925ec7g',
    'eabeae54_14a8_11e5_b60b_1697f925ec7b',
  ])('%s is no UUID', async (apnsId) => {
    const client = open()
    client.write(settingsAck, push(1, ['apns-id', apnsId]))
    expect((await client.answer(1))[1]!.payload.toString()).toBe('{"reason":"BadMessageId"}')
  })

  test('a value with white space before it is no field at all: that breaks the request', async () => {
    const client = open()
    client.write(settingsAck, push(1, ['apns-id', ' eabeae54-14a8-11e5-b60b-1697f925ec7']))
    // RFC 9113 §8.2.1: malformed.
    expect((await client.answer(1)).map(({ type }) => type)).toEqual([TYPE.RST_STREAM])
  })

  test('a header name in upper case breaks the request, not the connection', async () => {
    const client = open()
    client.write(settingsAck, push(1, ['Apns-Priority', '5']), push(3))
    expect((await client.answer(1))[0]!.type).toBe(TYPE.RST_STREAM)
    expect(status((await client.answer(3))[0])).toBe('200')
  })

  test('the case of an apns-id is kept in the answer, which some clients compare', async () => {
    const apnsId = 'EABEAE54-14a8-11E5-b60b-1697f925EC7B'
    const provider = await world.provider()
    const answer = await provider.send({ ...world.headers(), 'apns-id': apnsId }, payload)
    expect(answer.headers['apns-id']).toBe(apnsId)
  })

  test('a device token is taken in either case', async () => {
    const client = open()
    const upper = fields().map(([name, value]): [string, string] =>
      name === ':path' ? [name, `/3/device/${token.toUpperCase()}`] : [name, value],
    )
    client.write(settingsAck, headersFrame(1, block(...upper), END_HEADERS), data(1, payload))
    expect(status((await client.answer(1))[0])).toBe('200')
  })
})

describe('the provider token', () => {
  test.each(['bearer', 'Bearer', 'BEARER'])('after the scheme %s', async (scheme) => {
    const provider = await world.provider()
    const authorization = world.bearer().replace('bearer', scheme)
    expect(await provider.send({ ...world.headers(), authorization }, payload)).toMatchObject({ status: 200 })
  })

  test.each(['der', 'ieee-p1363'] as const)('signed in the form %s', async (encoding) => {
    const provider = await world.provider()
    const authorization = world.bearer(0, { encoding })
    expect(await provider.send({ ...world.headers(), authorization }, payload)).toMatchObject({ status: 200 })
  })
})

describe('frames', () => {
  test('streams that were opened before SETTINGS arrived are served or refused, none breaks the connection', async () => {
    const client = open()
    client.write(...Array.from({ length: 150 }, (_, at) => push(2 * at + 1)), settingsAck)
    const first = await Promise.all(
      Array.from({ length: 150 }, async (_, at) => {
        const [frame] = await client.answer(2 * at + 1)
        return frame!.type === TYPE.HEADERS ? status(frame) : frame!.payload.readUInt32BE(0)
      }),
    )
    // 7: REFUSED_STREAM, which a client may always send again.
    expect(new Set(first.filter((each) => each !== '200' && each !== 7))).toEqual(new Set())
    client.write(push(1001))
    expect(status((await client.answer(1001))[0])).toBe('200')
  })

  test('a body in many small frames, with padding and empty ones between, is one body', async () => {
    const client = open()
    const pieces = Array.from(payload, (letter) => data(1, letter, 0))
    const empty = data(1, '', 0)
    client.write(
      settingsAck,
      headersFrame(1, block(...fields()), END_HEADERS),
      ...pieces.flatMap((piece) => [piece, empty]),
      data(1, ''),
    )
    expect(status((await client.answer(1))[0])).toBe('200')
    expect(Buffer.from(world.delivery.accepted.at(-1)!.payload).toString()).toBe(payload)
  })

  test('one frame a write, byte by byte', async () => {
    const client = open()
    client.socket.setNoDelay(true)
    for (const byte of Buffer.concat([settingsAck, push(1)])) client.socket.write(Buffer.of(byte))
    expect(status((await client.answer(1))[0])).toBe('200')
  })
})

import { expect, test } from 'vitest'
import { ErrorCode, ServerConnection } from '../src/index.ts'
import {
  ACK,
  block,
  continuation,
  data,
  describeFrame,
  END_HEADERS,
  headers,
  openRequest,
  PREFACE,
  ping,
  REQUEST,
  readFrames,
  requestBlock,
  rst,
  settings,
  TestServer,
  TYPE,
  windowUpdate,
} from './peer.ts'

const OK = [':status', '200']
const BAD = [':status', '400', 'content-type', 'application/json']
const reason = Buffer.from('{"reason":"BadDeviceToken"}')

test('announces the settings that were seen from Apple, and a wide window', () => {
  const [first, second] = new TestServer().frames()
  const entries = []
  for (let at = 0; at < first!.payload.length; at += 6) {
    entries.push([first!.payload.readUInt16BE(at), first!.payload.readUInt32BE(at + 2)])
  }
  expect(entries).toEqual([
    [1, 4096],
    [3, 1000],
    [4, 65_535],
    [5, 16_384],
    [6, 8000],
  ])
  expect([second!.type, second!.id]).toEqual([TYPE.WINDOW_UPDATE, 0])
})

test('a whole request comes in one call, however its body was cut', () => {
  const server = new TestServer().open()
  server.receive(openRequest, data(1, 'hel', 0), data(1, '', 0), data(1, 'lo', 0), data(1, ''))
  server.receive(headers(3, requestBlock(), END_HEADERS), data(3, 'x'))
  const list = REQUEST.flat().join(' ')
  expect(server.events).toEqual([`request 1 ${list} [hello]`, `request 3 ${list} [x]`])
})

test('an answer without body is one HEADERS frame, with body HEADERS and one DATA', () => {
  const server = new TestServer().open()
  server.receive(headers(1, requestBlock()), headers(3, requestBlock()), headers(5, requestBlock()))
  expect(server.connection.respond(1, OK)).toBe(true)
  expect(server.connection.respond(3, BAD, reason)).toBe(true)
  expect(server.connection.respond(5, OK, Buffer.alloc(0))).toBe(true)
  expect(server.wrote()).toEqual([
    'HEADERS 1 END_STREAM',
    'HEADERS 3',
    `DATA 3 ${reason.length} END_STREAM`,
    'HEADERS 5 END_STREAM',
  ])
  expect(server.connection.respond(1, OK)).toBe(false)
  expect(server.connection.respond(77, OK)).toBe(false)
})

test('a small body waits for a window that takes it whole', () => {
  const server = new TestServer().open([4, 1000])
  server.receive(headers(1, requestBlock()), headers(3, requestBlock()))
  server.connection.respond(1, OK, Buffer.alloc(900))
  // The window of the connection stays, the one of a stream is nearly used: nothing is cut.
  server.receive(settings([4, 10]))
  server.connection.respond(3, OK, Buffer.alloc(5))
  server.receive(headers(5, requestBlock()))
  server.connection.respond(5, OK, Buffer.alloc(10))
  server.receive(headers(7, requestBlock()), settings([4, 100]), settings([4, 20]))
  server.connection.respond(7, OK, Buffer.alloc(20))
  expect(server.wrote().filter((line) => line.startsWith('DATA'))).toEqual([
    'DATA 1 900 END_STREAM',
    'DATA 3 5 END_STREAM',
    'DATA 5 10 END_STREAM',
    'DATA 7 20 END_STREAM',
  ])
})

test('the window of the connection: answers wait for it whole and go out in order', () => {
  const server = new TestServer().open([4, 100_000])
  server.receive(headers(1, requestBlock()), headers(3, requestBlock()), headers(5, requestBlock()))
  server.connection.respond(1, OK, Buffer.alloc(65_525))
  server.connection.respond(3, BAD, reason)
  server.connection.respond(5, BAD, reason)
  expect(server.wrote().filter((line) => line.startsWith('DATA')).length).toBe(4)
  server.receive(windowUpdate(0, 20))
  expect(server.wrote()).toEqual([`DATA 3 ${reason.length} END_STREAM`])
  server.receive(windowUpdate(0, 100))
  expect(server.wrote()).toEqual([`DATA 5 ${reason.length} END_STREAM`])
  expect(server.connection.openStreams).toBe(0)
})

test('a peer that opens its window only when it is used up gets a body in parts, after a pause', () => {
  const server = new TestServer().open([4, 100_000])
  server.receive(headers(1, requestBlock()), headers(3, requestBlock()))
  server.connection.respond(1, OK, Buffer.alloc(65_530))
  server.connection.respond(3, OK, Buffer.alloc(50))
  server.wrote()
  server.pass(2000)
  expect(server.wrote()).toEqual(['DATA 3 5'])
  server.receive(windowUpdate(0, 1000))
  expect(server.wrote()).toEqual(['DATA 3 45 END_STREAM'])
})

test('a window below the body: it goes in parts at once, also through a negative window (§6.9.2)', () => {
  const server = new TestServer().open([4, 0])
  server.receive(headers(1, requestBlock()))
  server.connection.respond(1, OK, Buffer.alloc(10))
  expect(server.wrote()).toEqual(['HEADERS 1'])
  server.receive(settings([4, 3]))
  expect(server.wrote()).toEqual(['DATA 1 3', 'SETTINGS ACK'])
  server.receive(settings([4, 2]), windowUpdate(1, 1))
  expect(server.wrote()).toEqual(['SETTINGS ACK'])
  server.receive(windowUpdate(1, 2))
  expect(server.wrote()).toEqual(['DATA 1 2'])
  server.receive(windowUpdate(1, 100))
  expect(server.wrote()).toEqual(['DATA 1 5 END_STREAM'])
})

test('a body above a frame is cut; the rest follows the windows', () => {
  const server = new TestServer().open()
  server.receive(headers(1, requestBlock()))
  server.connection.respond(1, OK, Buffer.alloc(100_000))
  expect(server.wrote()).toEqual([
    'HEADERS 1',
    'DATA 1 16384',
    'DATA 1 16384',
    'DATA 1 16384',
    'DATA 1 16383',
  ])
  server.receive(windowUpdate(0, 200_000))
  expect(server.wrote()).toEqual([])
  server.receive(windowUpdate(1, 200_000))
  expect(server.wrote()).toEqual(['DATA 1 16384', 'DATA 1 16384', 'DATA 1 1697 END_STREAM'])
})

test('a header list above a frame goes on in CONTINUATION', () => {
  const server = new TestServer().open()
  server.receive(headers(1, requestBlock()))
  server.connection.respond(1, [':status', '200', 'x-long', 'y'.repeat(40_000)])
  const frames = server.frames()
  expect(frames.map(({ type, flags, payload }) => [type, flags, payload.length])).toEqual([
    [TYPE.HEADERS, 1, 16_384],
    [TYPE.CONTINUATION, 0, 16_384],
    [TYPE.CONTINUATION, 4, expect.any(Number)],
  ])
  const whole = Buffer.concat(frames.map(({ payload }) => payload))
  expect(whole.toString('latin1')).toContain('y'.repeat(40_000))
})

test('an answer before the request is whole: the rest is thrown away', () => {
  const server = new TestServer().open()
  server.receive(headers(1, requestBlock(), END_HEADERS))
  expect(server.connection.respond(1, OK)).toBe(true)
  server.receive(data(1, 'abc', 0), data(1, 'def'))
  expect(server.events).toEqual([])
  expect(server.wrote()).toEqual(['HEADERS 1 END_STREAM'])
  expect(server.connection.openStreams).toBe(0)
})

test('a request that is cancelled before its answer', () => {
  const server = new TestServer().open().receive(headers(1, requestBlock()), rst(1, 8))
  expect(server.events.at(-1)).toBe('reset 1 CANCEL')
  expect(server.connection.respond(1, OK)).toBe(false)
  // One that was not whole was never told, so its end is not either.
  server.receive(headers(3, requestBlock(), END_HEADERS), rst(3, 8))
  expect(server.events.length).toBe(2)
})

test('reset ends a stream without an answer', () => {
  const server = new TestServer().open().receive(headers(1, requestBlock()))
  server.connection.reset(1, ErrorCode.INTERNAL_ERROR)
  server.connection.reset(1, ErrorCode.INTERNAL_ERROR)
  expect(server.wrote()).toEqual(['RST_STREAM 1 INTERNAL_ERROR'])
  expect(server.connection.openStreams).toBe(0)
})

test('ping tells the round trip', () => {
  const server = new TestServer().open()
  const times: unknown[] = []
  server.connection.ping((milliseconds) => times.push(milliseconds))
  const sent = server.frames()[0]!
  server.now += 25
  server.receive(ping('87654321', ACK))
  expect(times).toEqual([])
  server.receive(ping(sent.payload.toString('latin1'), ACK))
  expect(times).toEqual([25])
})

test('a server that has trouble on purpose may leave a PING without an answer', () => {
  class Troubled extends ServerConnection {
    set isDeaf(isDeaf: boolean) {
      this.answersPings = !isDeaf
    }
  }
  const nothing = () => {}
  const handler = { onRequest: nothing, onBodyTooLarge: nothing, onRequestReset: nothing, onEnd: nothing }
  const server = new Troubled({}, handler)
  server.receive(Buffer.concat([PREFACE, settings()]), 0)
  server.takeOutput()
  server.isDeaf = true
  server.receive(ping(), 0)
  expect(server.takeOutput()).toBeUndefined()
  server.isDeaf = false
  server.receive(ping(), 0)
  expect(readFrames(server.takeOutput()!).map(describeFrame)).toEqual(['PING ACK'])
})

test('the transport goes away', () => {
  const server = new TestServer().open().receive(headers(1, requestBlock()))
  server.connection.transportClosed()
  server.connection.transportClosed(new Error('again'))
  expect(server.events.slice(1)).toEqual(['end peerClosed NO_ERROR'])
  const failed = new TestServer().open()
  failed.connection.transportClosed(new Error('ECONNRESET'))
  expect(failed.events).toEqual(['end transportError NO_ERROR'])
})

test('a handler that throws ends the connection with its error as cause, and nothing else', () => {
  const fault = new Error('bug of the handler')
  let cause: unknown
  const connection = new ServerConnection(
    {},
    {
      onRequest: () => {
        throw fault
      },
      onBodyTooLarge: () => {},
      onRequestReset: () => {},
      onEnd: (reason) => {
        cause = reason.cause
      },
    },
  )
  connection.receive(Buffer.concat([PREFACE, settings(), headers(1, requestBlock())]), 0)
  expect(cause).toBe(fault)
})

test('nothing is sent on a stream after its RST_STREAM: a block in two frames that depends on its own stream', () => {
  const server = new TestServer().open()
  server.onRequest = (id) => server.connection.respond(id, OK)
  const block = requestBlock()
  const begin = Buffer.concat([Buffer.from([0, 0, 0, 1, 15]), block.subarray(0, 5)])
  server.receive(headers(1, begin, 0x20 | 1), continuation(1, block.subarray(5), END_HEADERS))
  const lines = server.wrote()
  expect(lines.at(-1)).toBe('RST_STREAM 1 PROTOCOL_ERROR')
  expect(lines.filter((line) => line.startsWith('RST_STREAM'))).toHaveLength(1)
})

test('output is announced once until it is taken', () => {
  const server = new TestServer().open()
  let announced = 0
  server.connection.onOutput = () => {
    announced += 1
  }
  server.receive(headers(1, requestBlock()), headers(3, requestBlock()))
  expect(announced).toBe(0)
  server.connection.respond(1, OK)
  server.connection.respond(3, OK)
  expect(announced).toBe(1)
  server.wrote()
  server.receive(ping())
  expect(announced).toBe(2)
})

test.each([
  ['maxFrameSize', 100],
  ['initialWindowSize', -1],
  ['headerTableSize', 1.5],
])('refuses the option %s = %d', (name, value) => {
  expect(() => new TestServer({ settings: { [name]: value } })).toThrow(name)
})

test('a header table that a single SETTINGS frame empties and opens again is used as an empty one', () => {
  const server = new TestServer().open()
  const answer = (id: number): string => {
    server.receive(headers(id, requestBlock()))
    server.connection.respond(id, [':status', '200', 'server', 'carillon'])
    return server.frames().at(-1)!.payload.toString('hex')
  }
  const first = answer(1)
  expect(answer(3)).toBe('88be')
  server.receive(settings([1, 0], [1, 4096]))
  // RFC 7541 §4.2: size updates to 0 and to 4096, then everything is spelled anew.
  expect(answer(5)).toBe(`203fe11f${first}`)
})

test('a HEAD request is answered without the body: with one, clients end the connection', () => {
  const server = new TestServer().open()
  const ask = (method: string) =>
    block([':method', method], [':scheme', 'https'], [':path', '/'], [':authority', 'localhost'])
  server.receive(headers(1, ask('HEAD')), headers(3, ask('GET')))
  server.wrote()
  for (const id of [1, 3]) expect(server.connection.respond(id, BAD, reason)).toBe(true)
  expect(server.wrote()).toEqual(['HEADERS 1 END_STREAM', 'HEADERS 3', 'DATA 3 27 END_STREAM'])
  expect(server.connection.openStreams).toBe(0)
})

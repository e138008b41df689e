import { describe, expect, test } from 'vitest'
import {
  ACK,
  block,
  continuation,
  data,
  END_HEADERS,
  frame,
  headers,
  indexedBlock,
  PREFACE,
  ping,
  priority,
  requestBlock,
  responseBlock,
  rst,
  settings,
  settingsAck,
  TestClient,
  TestServer,
  TYPE,
  windowUpdate,
} from './peer.ts'

const many = (count: number, make: (at: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, at) => make(at)))
const open = headers(1, requestBlock(), END_HEADERS)
const id = (at: number): number => at * 2 + 1
const calm = 'end limit ENHANCE_YOUR_CALM'

/** Floods: `allowed` in one second is fine, `above` ends the connection (RFC 9113 §10.5). */
const floods: [string, number, (at: number) => Buffer][] = [
  ['SETTINGS', 20 - 1, () => settings([3, 5])],
  ['PING', 200, () => ping()],
  ['PRIORITY', 2000, () => priority(1)],
  ['frames of unknown type', 2000, () => frame(0x77, 0, 0)],
  ['empty DATA', 200, () => data(1, '', 0)],
  ['DATA of padding only', 200, () => data(1, Buffer.from([0]), 8)],
  ['WINDOW_UPDATE', 2000, () => windowUpdate(0, 1)],
]

describe('floods', () => {
  test.each(floods)('%s: %i a second, no more', (_name, allowed, make) => {
    const server = new TestServer().open().receive(open)
    server.receive(many(allowed, make))
    expect(server.events).toEqual([])
    server.now += 1000
    server.receive(many(allowed, make))
    expect(server.events).toEqual([])
    server.receive(many(2, make))
    expect(server.events).toEqual([calm])
    expect(server.wrote().at(-1)).toBe('GOAWAY 1 ENHANCE_YOUR_CALM')
  })

  test('WINDOW_UPDATE for what we sent does not count', () => {
    const server = new TestServer({ limits: { windowUpdatesPerSecondMax: 10 } }).open()
    server.onRequest = (stream) => server.connection.respond(stream, [':status', '400'], Buffer.from('{}'))
    for (let at = 0; at < 500; at += 1) {
      server.receive(headers(id(at), requestBlock()), windowUpdate(0, 2), windowUpdate(id(at), 2))
    }
    expect(server.connection.ended).toBe(false)
  })

  test('WINDOW_UPDATE for what we sent does not count either when it comes a moment later', () => {
    const server = new TestServer().open()
    server.onRequest = (stream) => server.connection.respond(stream, [':status', '400'], Buffer.from('{}'))
    server.receive(many(1500, (at) => headers(id(at), requestBlock())))
    server.now += 1000
    server.receive(many(3000, () => windowUpdate(0, 1)))
    expect(server.connection.ended).toBe(false)
    server.receive(many(2000, () => windowUpdate(0, 1)))
    expect(server.events.at(-1)).toBe(calm)
  })

  test('rapid reset: requests that are cancelled at once', () => {
    const server = new TestServer().open()
    server.receive(many(1000, (at) => Buffer.concat([headers(id(at), requestBlock()), rst(id(at))])))
    expect(server.connection.ended).toBe(false)
    expect(server.connection.openStreams).toBe(0)
    server.receive(
      many(5000, (at) => Buffer.concat([headers(id(at + 1000), requestBlock()), rst(id(at + 1000))])),
    )
    expect(server.events.at(-1)).toBe(calm)
    expect(server.events.filter((event) => event.startsWith('request')).length).toBe(1001)
  })

  test('made-you-reset: requests that the peer breaks so that we reset them', () => {
    const server = new TestServer().open()
    server.receive(
      many(5000, (at) => Buffer.concat([headers(id(at), requestBlock()), windowUpdate(id(at), 0)])),
    )
    expect(server.events.at(-1)).toBe(calm)
    expect(server.events.filter((event) => event.startsWith('request')).length).toBe(1001)
  })

  test('malformed requests count like resets', () => {
    const server = new TestServer().open()
    server.receive(many(2000, (at) => headers(id(at), block(['a', 'b']))))
    expect(server.events).toEqual([calm])
  })

  test('frames for closed streams count like resets', () => {
    const server = new TestServer({ limits: { resetsPerSecondMax: 10 } }).open()
    server.onRequest = (stream) => server.connection.respond(stream, [':status', '200'])
    server.receive(many(50, (at) => Buffer.concat([headers(id(at), requestBlock()), data(id(at), 'late')])))
    expect(server.events.at(-1)).toBe(calm)
  })
})

describe('header blocks', () => {
  test('a CONTINUATION flood ends at the count, also of empty frames', () => {
    for (const piece of [Buffer.alloc(0), Buffer.alloc(100, 0x82)]) {
      const server = new TestServer().open()
      server.receive(
        headers(1, requestBlock(), 1),
        many(8, () => continuation(1, piece)),
      )
      expect(server.connection.ended).toBe(false)
      server.receive(many(1000, () => continuation(1, piece)))
      expect(server.events).toEqual([calm])
    }
  })

  test('a header block above the limit in a single frame, where large frames are allowed', () => {
    const server = new TestServer({ settings: { maxFrameSize: 65_536 } }).open()
    server.receive(headers(1, Buffer.alloc(32_769, 0x82)))
    expect(server.events).toEqual([calm])
  })

  test('a CONTINUATION flood ends at the bytes', () => {
    const server = new TestServer({ limits: { continuationFramesMax: 1000 } }).open()
    server.receive(headers(1, Buffer.alloc(16_384, 0x82), 1), continuation(1, Buffer.alloc(16_384, 0x82)))
    expect(server.connection.ended).toBe(false)
    server.receive(continuation(1, Buffer.alloc(1, 0x82)))
    expect(server.events).toEqual([calm])
  })

  test('an HPACK bomb: a table entry repeated thousands of times is answered 431 and costs nothing', () => {
    const server = new TestServer().open()
    const bomb = Buffer.concat([
      requestBlock(),
      indexedBlock(['a', 'x'.repeat(4000)]),
      Buffer.alloc(10_000, 0xbe),
    ])
    const before = process.memoryUsage().heapUsed
    for (let at = 0; at < 200; at += 1) server.receive(headers(id(at), bomb))
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000)
    const frames = server.frames()
    expect(frames.length).toBe(200)
    expect(frames[0]!.payload.toString('latin1')).toContain('431')
    expect(server.events).toEqual([])
    // The state of the table survived.
    server.receive(headers(1001, requestBlock(['after', '1'])))
    expect(server.events.length).toBe(1)
  })

  test('a header list at the limit passes, one byte more is 431', () => {
    const size = requestBlock().length
    expect(size).toBeGreaterThan(0)
    const own = [':method', 'POST', ':scheme', 'https', ':path', '/x', ':authority', 'localhost']
    const used = own.join('').length + 4 * 32
    for (const [extra, ok] of [
      [8000 - used - 33, true],
      [8000 - used - 32, false],
    ] as const) {
      const server = new TestServer().open()
      server.receive(headers(1, requestBlock(['a', 'x'.repeat(extra)])))
      expect(server.events.length === 1).toBe(ok)
    }
  })
})

describe('streams', () => {
  test('streams above the limit are refused, also before our SETTINGS could arrive', () => {
    const server = new TestServer({ settings: { maxConcurrentStreams: 3 } })
    server.receive(
      PREFACE,
      settings(),
      many(10, (at) => headers(id(at), requestBlock())),
    )
    expect(server.events.length).toBe(3)
    expect(server.wrote().filter((line) => line.endsWith('REFUSED_STREAM'))).toEqual(
      [7, 9, 11, 13, 15, 17, 19].map((stream) => `RST_STREAM ${stream} REFUSED_STREAM`),
    )
    // Their bodies and trailers, under way already, are ignored.
    server.receive(data(7, 'x', 0), headers(7, block(['a', 'b'])))
    expect(server.wrote()).toEqual([])
    // An answer makes room.
    server.connection.respond(1, [':status', '200'])
    server.receive(headers(21, requestBlock()))
    expect(server.events.length).toBe(4)
  })

  test('HPACK state survives a refusal', () => {
    const server = new TestServer({ settings: { maxConcurrentStreams: 1 } }).open()
    server.receive(
      headers(1, requestBlock()),
      headers(3, Buffer.concat([requestBlock(), indexedBlock(['a', 'b'])])),
    )
    server.connection.respond(1, [':status', '200'])
    server.receive(headers(5, Buffer.concat([requestBlock(), Buffer.from([0xbe])])))
    expect(server.events.at(-1)).toContain('a b [')
  })

  test('a flood of refused streams ends', () => {
    const server = new TestServer({
      settings: { maxConcurrentStreams: 1 },
      limits: { refusalsPerSecondMax: 100 },
    }).open()
    server.receive(many(102, (at) => headers(id(at), requestBlock())))
    expect(server.events.at(-1)).toBe(calm)
  })

  test('a new limit: higher counts at once, lower from its acknowledgement', () => {
    const server = new TestServer({ settings: { maxConcurrentStreams: 1 } }).open()
    server.connection.setMaxConcurrentStreams(3)
    expect(server.wrote()).toEqual(['SETTINGS'])
    server.receive(many(3, (at) => headers(id(at), requestBlock())))
    expect(server.events.length).toBe(3)
    server.receive(settingsAck)
    for (const stream of [1, 3, 5]) server.connection.respond(stream, [':status', '200'])
    server.connection.setMaxConcurrentStreams(1)
    server.receive(many(3, (at) => headers(id(at + 3), requestBlock())))
    expect(server.events.length).toBe(6)
    server.receive(settingsAck, headers(99, requestBlock()))
    expect(server.wrote().at(-1)).toBe('RST_STREAM 99 REFUSED_STREAM')
  })

  test('unfinished bodies are bounded over all streams', () => {
    const server = new TestServer({ limits: { gatheredBytesMax: 100_000 } }).open()
    for (let at = 0; at < 40; at += 1) {
      server.receive(headers(id(at), requestBlock(), END_HEADERS), data(id(at), Buffer.alloc(5000), 0))
    }
    expect(server.connection.ended).toBe(false)
    const resets = server.wrote().filter((line) => line.endsWith('ENHANCE_YOUR_CALM'))
    expect(resets.length).toBe(20)
    // Finished ones make room again.
    server.receive(data(1, ''))
    expect(server.events.length).toBe(1)
    server.receive(headers(1001, requestBlock(), END_HEADERS), data(1001, Buffer.alloc(4000), 0))
    expect(server.wrote()).toEqual([])
  })
})

describe('windows', () => {
  test('DATA beyond the window of a stream', () => {
    const server = new TestServer({
      settings: { initialWindowSize: 20_000 },
      limits: { requestBodyBytesMax: 5000 },
    }).open()
    server.receive(open, data(1, Buffer.alloc(16_000), 0), data(1, Buffer.alloc(4001), 0))
    expect(server.wrote()).toEqual(['RST_STREAM 1 FLOW_CONTROL_ERROR'])
    expect(server.events).toEqual(['tooLarge 1', 'reset 1 FLOW_CONTROL_ERROR'])
  })

  test('a long body gets its window back', () => {
    const server = new TestServer({ limits: { requestBodyBytesMax: 200_000 } }).open()
    server.receive(open)
    for (let sent = 0; sent < 160_000; sent += 16_000) server.receive(data(1, Buffer.alloc(16_000, 97), 0))
    server.receive(data(1, 'end'))
    expect(server.wrote().filter((line) => line.startsWith('WINDOW_UPDATE 1')).length).toBeGreaterThan(1)
    expect(server.events[0]!.length).toBeGreaterThan(160_000)
  })

  test('the window of the connection is given back', () => {
    const server = new TestServer().open()
    server.onRequest = (stream) => server.connection.respond(stream, [':status', '200'])
    let updates = 0
    for (let at = 0; at < 1000; at += 1) {
      server.receive(headers(id(at), requestBlock(), END_HEADERS), data(id(at), Buffer.alloc(16_384)))
      updates += server.wrote().filter((line) => line.startsWith('WINDOW_UPDATE 0')).length
    }
    expect(updates).toBe(1)
    expect(server.connection.ended).toBe(false)
  })
})

describe('bodies above the limit', () => {
  const options = { limits: { requestBodyBytesMax: 10, discardedBytesMax: 100 } }
  const tooLarge = (server: TestServer) => server.connection.respond(1, [':status', '413'], Buffer.from('{}'))

  test('by content-length: told at once; the rest is thrown away, no reset where the peer ends', () => {
    const server = new TestServer(options).open()
    server.receive(headers(1, requestBlock(['content-length', '11']), END_HEADERS))
    expect(server.events).toEqual(['tooLarge 1'])
    tooLarge(server)
    server.receive(data(1, 'x'.repeat(11)))
    expect(server.wrote()).toEqual(['HEADERS 1', 'DATA 1 2 END_STREAM'])
    expect(server.connection.openStreams).toBe(0)
    expect(server.events).toEqual(['tooLarge 1'])
  })

  test('in one DATA frame that ends the stream', () => {
    const server = new TestServer(options).open().receive(open, data(1, 'x'.repeat(11)))
    expect(server.events).toEqual(['tooLarge 1'])
    expect(tooLarge(server)).toBe(true)
    expect(server.connection.openStreams).toBe(0)
  })

  test('a peer that goes on is stopped with RST_STREAM(NO_ERROR) (RFC 9113 §8.1)', () => {
    const server = new TestServer(options).open().receive(open, data(1, 'x'.repeat(11), 0))
    tooLarge(server)
    server.receive(data(1, 'x'.repeat(100), 0))
    expect(server.wrote()).toEqual(['HEADERS 1', 'DATA 1 2 END_STREAM', 'RST_STREAM 1 NO_ERROR'])
    server.receive(data(1, 'late', 0), headers(1, block(['a', 'b'])))
    expect(server.wrote()).toEqual([])
  })

  test('a peer that stops sending is stopped by time', () => {
    const server = new TestServer(options).open().receive(open, data(1, 'x'.repeat(11), 0))
    tooLarge(server)
    server.wrote()
    server.pass(1000)
    expect(server.wrote()).toEqual([])
    let announced = 0
    server.connection.onOutput = () => {
      announced += 1
    }
    server.pass(1000)
    expect(announced).toBe(1)
    expect(server.wrote()).toEqual(['RST_STREAM 1 NO_ERROR'])
  })

  test('the answer may come late: nothing is reset before it', () => {
    const server = new TestServer(options).open().receive(open, data(1, 'x'.repeat(500), 0))
    server.pass(20_000)
    expect(server.wrote()).toEqual([])
    expect(tooLarge(server)).toBe(true)
    expect(server.wrote()).toEqual(['HEADERS 1', 'DATA 1 2 END_STREAM'])
  })
})

describe('times', () => {
  test('no preface', () => {
    const server = new TestServer()
    server.pass(9000)
    expect(server.events).toEqual([])
    server.pass(3000)
    expect(server.events).toEqual(['end timeout PROTOCOL_ERROR'])
  })

  test('our SETTINGS are not acknowledged', () => {
    const server = new TestServer()
    server.pass(1000).receive(PREFACE, settings()).pass(8000)
    expect(server.events).toEqual([])
    server.pass(4000)
    expect(server.events).toEqual(['end timeout SETTINGS_TIMEOUT'])
  })

  test('a frame that trickles in', () => {
    const server = new TestServer().open()
    const bytes = headers(1, requestBlock())
    for (let at = 0; at < bytes.length && !server.connection.ended; at += 1) {
      server.receive(bytes.subarray(at, at + 1)).pass(1000)
    }
    expect(server.events).toEqual(['end timeout ENHANCE_YOUR_CALM'])
  })

  test('a header block without end', () => {
    const server = new TestServer()
      .open()
      .receive(headers(1, requestBlock(), 1))
      .pass(13_000)
    expect(server.events).toEqual(['end timeout ENHANCE_YOUR_CALM'])
  })

  test('frames that are always cut somewhere are no trickle', () => {
    const server = new TestServer({ limits: { pingsPerSecondMax: 1000 } }).open()
    const bytes = Buffer.concat(Array.from({ length: 40 }, () => ping()))
    for (let at = 0; at + 15 <= bytes.length; at += 15) server.receive(bytes.subarray(at, at + 15)).pass(1000)
    expect(server.events).toEqual([])
  })

  test('a request whose body never ends', () => {
    const server = new TestServer()
      .open()
      .receive(open, data(1, 'x', 0))
      .pass(62_000)
    expect(server.wrote()).toContain('RST_STREAM 1 ENHANCE_YOUR_CALM')
    expect(server.connection.openStreams).toBe(0)
  })

  test('a request that the handler keeps is left alone', () => {
    const server = new TestServer().open().receive(headers(1, requestBlock())).pass(5_000_000)
    expect(server.connection.openStreams).toBe(1)
    expect(server.connection.respond(1, [':status', '200'])).toBe(true)
  })

  test('idle: GOAWAY(NO_ERROR) with the chosen debug data', () => {
    const server = new TestServer({
      limits: { idleMsMax: 60_000 },
      debugData: (reason) =>
        reason.message === 'idle' ? Buffer.from('{"reason":"IdleTimeout"}') : undefined,
    }).open()
    server.pass(59_000).receive(ping()).pass(59_000)
    expect(server.events).toEqual([])
    server.pass(3000)
    expect(server.events).toEqual(['end timeout NO_ERROR'])
    const last = server.frames().at(-1)!
    expect(last.type).toBe(TYPE.GOAWAY)
    expect(last.payload.subarray(8).toString()).toBe('{"reason":"IdleTimeout"}')
  })

  test('a PING of ours that nobody answers', () => {
    const server = new TestServer().open()
    const answers: unknown[] = []
    server.connection.ping((milliseconds) => answers.push(milliseconds))
    server.pass(10_000)
    expect(answers).toEqual([])
    server.pass(15_000)
    expect(server.events).toEqual(['end timeout NO_ERROR'])
    expect(answers).toEqual([undefined])
  })

  test('a client keeps its connection alive by PING, and sees a dead server', () => {
    const client = new TestClient({ keepAliveMs: 30_000 }).open([3, 10])
    client.pass(32_000)
    expect(client.wrote()).toEqual(['PING'])
    client.receive(ping('\0\0\0\0\0\0\0\x01', ACK)).pass(32_000)
    expect(client.wrote()).toEqual(['PING'])
    client.pass(22_000)
    expect(client.events).toEqual(['end timeout NO_ERROR []'])
  })
})

describe('output', () => {
  test('a reader that opens no window: held bytes are bounded, then it is dropped', () => {
    const server = new TestServer({ limits: { outputBytesMax: 100_000 } }).open([4, 0])
    const body = Buffer.alloc(10_000)
    server.onRequest = (stream) => server.connection.respond(stream, [':status', '200'], body)
    server.receive(many(9, (at) => headers(id(at), requestBlock())))
    expect(server.connection.ended).toBe(false)
    server.receive(many(20, (at) => headers(id(at + 9), requestBlock())))
    expect(server.events.at(-1)).toBe('end limit ENHANCE_YOUR_CALM')
    expect(server.connection.outputBytes).toBeLessThan(2000)
  })

  test('a reader that opens no window is dropped by time', () => {
    const server = new TestServer().open([4, 0])
    server.onRequest = (stream) => server.connection.respond(stream, [':status', '400'], Buffer.from('{}'))
    server.receive(headers(1, requestBlock())).pass(25_000)
    expect(server.connection.ended).toBe(false)
    server.pass(10_000)
    expect(server.events.at(-1)).toBe('end timeout ENHANCE_YOUR_CALM')
  })

  test('a socket that takes nothing is dropped by time, one that moves is not', () => {
    const server = new TestServer().open()
    server.connection.setBacklog(1000)
    server.pass(20_000)
    server.connection.setBacklog(500)
    server.pass(20_000)
    expect(server.connection.ended).toBe(false)
    server.pass(15_000)
    expect(server.events).toEqual(['end timeout ENHANCE_YOUR_CALM'])
  })

  test('a full socket is congested; above the limit the connection ends', () => {
    const server = new TestServer().open()
    server.connection.setBacklog(262_144)
    expect(server.connection.congested).toBe(false)
    server.connection.setBacklog(262_145)
    expect(server.connection.congested).toBe(true)
    server.connection.setBacklog(9_000_000)
    expect(server.events).toEqual(['end limit ENHANCE_YOUR_CALM'])
  })

  test('a client takes no requests while its socket is full', () => {
    const client = new TestClient().open([3, 100])
    client.connection.setBacklog(300_000)
    expect(client.request('a')).toBe(-1)
    client.connection.setBacklog(0)
    expect(client.events).toEqual(['capacity'])
    expect(client.request('a')).toBe(1)
  })

  test('an answer that is too large is given up', () => {
    const client = new TestClient({ limits: { responseBodyBytesMax: 10 } }).open([3, 10])
    client.request('a')
    client.receive(headers(1, responseBlock(), END_HEADERS), data(1, 'x'.repeat(11)))
    expect(client.events).toEqual(['reset a ENHANCE_YOUR_CALM'])
    expect(client.wrote()).toEqual(['HEADERS 1 END_STREAM', 'RST_STREAM 1 CANCEL'])
  })
})

describe('a drain ends, whatever the peer does', () => {
  const open1 = (server: TestServer) => server.receive(headers(1, requestBlock()))
  const pong = (server: TestServer) => {
    const sent = server.frames().find((each) => each.type === TYPE.PING)
    return frame(TYPE.PING, ACK, 0, sent!.payload)
  }

  test('a request that is never answered', () => {
    const server = open1(new TestServer().open())
    server.connection.drain()
    server.receive(pong(server)).pass(29_000)
    expect(server.connection.ended).toBe(false)
    server.pass(3000)
    expect(server.events.at(-1)).toBe('end timeout NO_ERROR')
  })

  test('a client that never answers the PING', () => {
    const server = new TestServer().open()
    server.connection.drain()
    server.pass(22_000)
    expect(server.events).toEqual(['end timeout NO_ERROR'])
  })

  test('a client that goes on sending requests', () => {
    const server = new TestServer().open()
    server.connection.drain()
    server.receive(pong(server))
    const refused = server.receive(headers(1, requestBlock())).wrote()
    expect(server.events).toEqual(['end drained NO_ERROR'])
    expect(refused).toContain('GOAWAY 0 NO_ERROR')
  })

  test('a drain that was asked for before the first tick', () => {
    const server = new TestServer()
    server.connection.drain()
    server.receive(PREFACE, settings(), settingsAck, headers(1, requestBlock()))
    server.receive(pong(server)).pass(32_000)
    expect(server.events.at(-1)).toBe('end timeout NO_ERROR')
  })

  test('a server that never answers', () => {
    const client = new TestClient().open([3, 10])
    client.request('a')
    client.wrote()
    client.connection.drain()
    client.pass(32_000)
    expect(client.events).toEqual(['end timeout NO_ERROR [a]'])
  })
})

import { describe, expect, test } from 'vitest'
import {
  ACK,
  data,
  headers,
  openRequest,
  PREFACE,
  ping,
  requestBlock,
  settings,
  TestClient,
  TestServer,
  TYPE,
} from '../peer.ts'

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
      .receive(openRequest, data(1, 'x', 0))
      .pass(62_000)
    expect(server.wrote()).toContain('RST_STREAM 1 ENHANCE_YOUR_CALM')
    expect(server.connection.openStreams).toBe(0)
  })

  test('a request whose body never ends is answered where the handler wants to', () => {
    const server: TestServer = new TestServer(
      {},
      {
        onRequestTimeout: (id) => void server.connection.respond(id, [':status', '400'], Buffer.from('late')),
      },
    )
    server
      .open()
      .receive(openRequest, data(1, 'x', 0))
      .pass(61_000)
    expect(server.wrote()).toEqual(['HEADERS 1', 'DATA 1 4 END_STREAM'])
    server.receive(data(1, 'rest', 0)).pass(2000)
    expect(server.wrote()).toEqual(['RST_STREAM 1 NO_ERROR'])
    expect(server.events).toEqual([])
    expect(server.connection.openStreams).toBe(0)
  })

  test('an idle limit that was changed', () => {
    const server = new TestServer({ limits: { idleMsMax: 1000 } }).open()
    server.connection.changeLimits({ idleMsMax: 60_000 })
    server.pass(59_000)
    expect(server.events).toEqual([])
    server.pass(2000)
    expect(server.events).toEqual(['end timeout NO_ERROR'])
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

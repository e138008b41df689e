import { describe, expect, test } from 'vitest'
import { ErrorCode } from '../src/index.ts'
import { ACK, data, END_HEADERS, goaway, headers, ping, requestBlock, TestServer } from './peer.ts'

const OK = [':status', '200']

test('goaway: last stream, debug data, the end', () => {
  const server = new TestServer().open().receive(headers(5, requestBlock()))
  server.connection.goaway(ErrorCode.NO_ERROR, Buffer.from('{"reason":"Shutdown"}'))
  const last = server.frames().at(-1)!
  expect([last.payload.readUInt32BE(0), last.payload.readUInt32BE(4)]).toEqual([5, 0])
  expect(last.payload.subarray(8).toString()).toBe('{"reason":"Shutdown"}')
  expect(server.events.at(-1)).toBe('end closed NO_ERROR')
  expect(server.connection.respond(5, OK)).toBe(false)
  server.receive(ping())
  expect(server.wrote()).toEqual([])
})

test('drain: requests under way are served, later ones refused, then the end (RFC 9113 §6.8)', () => {
  const server = new TestServer().open().receive(headers(1, requestBlock()))
  server.connection.drain(Buffer.from('{"reason":"Shutdown"}'))
  const [first, probe] = server.frames()
  expect(first!.payload.readUInt32BE(0)).toBe(0x7fffffff)
  expect(first!.payload.subarray(8).toString()).toBe('{"reason":"Shutdown"}')
  server.receive(headers(3, requestBlock()), ping(probe!.payload.toString('latin1'), ACK))
  expect(server.wrote()).toEqual(['GOAWAY 3 NO_ERROR'])
  server.receive(headers(5, requestBlock()))
  expect(server.wrote()).toEqual(['RST_STREAM 5 REFUSED_STREAM'])
  server.connection.respond(1, OK)
  expect(server.connection.ended).toBe(false)
  server.connection.respond(3, OK)
  expect(server.events.at(-1)).toBe('end drained NO_ERROR')
})

test('drain of a quiet connection ends after one round trip, and by time where the peer is silent', () => {
  const server = new TestServer().open()
  server.connection.drain()
  server.receive(ping(server.frames()[1]!.payload.toString('latin1'), ACK))
  expect(server.events).toEqual(['end drained NO_ERROR'])
  const silent = new TestServer({ limits: { pingAckMsMax: 1_000_000 } }).open()
  silent.connection.drain()
  silent.pass(32_000)
  expect(silent.events).toEqual(['end timeout NO_ERROR'])
})

test('a drain names no higher stream at its end than it did before', () => {
  const server = threeRequests()
  server.connection.drain()
  const [, pinged] = server.frames()
  server.receive(ping(pinged!.payload.toString('latin1'), ACK), headers(7, requestBlock()))
  for (const id of [1, 3, 5]) server.connection.respond(id, OK)
  expect(server.wrote().filter((line) => line.startsWith('GOAWAY'))).toEqual([
    'GOAWAY 5 NO_ERROR',
    'GOAWAY 5 NO_ERROR',
  ])
})

test('GOAWAY of the client: open requests are answered, then the connection ends', () => {
  const server = new TestServer().open().receive(headers(1, requestBlock()), goaway(0))
  server.pass(3000)
  expect(server.connection.respond(1, OK)).toBe(true)
  server.pass(3000)
  expect(server.events.at(-1)).toBe('end peerGoaway NO_ERROR')
})

/** Three requests have come, none is answered. */
function threeRequests(): TestServer {
  const server = new TestServer().open()
  for (const id of [1, 3, 5]) server.receive(headers(id, requestBlock()))
  expect(server.wrote()).toEqual([])
  return server
}

describe('stopAfter', () => {
  test('names the stream it is given; those before it finish, those after it are given up', () => {
    const server = threeRequests()
    server.connection.stopAfter(3, ErrorCode.NO_ERROR, true, Buffer.from('why'))
    expect(server.wrote()).toEqual(['GOAWAY 3 NO_ERROR'])
    expect(server.connection.respond(5, OK)).toBe(false)
    expect(server.connection.respond(1, OK)).toBe(true)
    expect(server.connection.ended).toBe(false)
    expect(server.connection.respond(3, OK)).toBe(true)
    // No second GOAWAY: the first has said it.
    expect(server.wrote()).toEqual(['HEADERS 1 END_STREAM', 'HEADERS 3 END_STREAM'])
    expect(server.events.at(-1)).toBe('end drained NO_ERROR')
  })

  test('what comes later is refused, and bodies of what was given up are ignored', () => {
    const server = new TestServer().open()
    server.receive(headers(1, requestBlock()), headers(3, requestBlock(), END_HEADERS))
    server.connection.stopAfter(1, ErrorCode.ENHANCE_YOUR_CALM, true)
    server.receive(data(3, 'late'), headers(5, requestBlock()))
    expect(server.wrote()).toEqual(['GOAWAY 1 ENHANCE_YOUR_CALM', 'RST_STREAM 5 REFUSED_STREAM'])
    expect(server.events.filter((event) => event.startsWith('request'))).toHaveLength(1)
  })

  test('without finishing, the connection ends at once', () => {
    const server = threeRequests()
    server.connection.stopAfter(3, ErrorCode.NO_ERROR, false)
    expect(server.wrote()).toEqual(['GOAWAY 3 NO_ERROR'])
    expect(server.events.at(-1)).toBe('end drained NO_ERROR')
  })
})

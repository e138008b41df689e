import { describe, expect, test } from 'vitest'
import { block, data, END_HEADERS, headers, openRequest, requestBlock, TestServer } from '../peer.ts'

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
    const server = new TestServer(options).open().receive(openRequest, data(1, 'x'.repeat(11)))
    expect(server.events).toEqual(['tooLarge 1'])
    expect(tooLarge(server)).toBe(true)
    expect(server.connection.openStreams).toBe(0)
  })

  test('a peer that goes on is stopped with RST_STREAM(NO_ERROR) (RFC 9113 §8.1)', () => {
    const server = new TestServer(options).open().receive(openRequest, data(1, 'x'.repeat(11), 0))
    tooLarge(server)
    server.receive(data(1, 'x'.repeat(100), 0))
    expect(server.wrote()).toEqual(['HEADERS 1', 'DATA 1 2 END_STREAM', 'RST_STREAM 1 NO_ERROR'])
    server.receive(data(1, 'late', 0), headers(1, block(['a', 'b'])))
    expect(server.wrote()).toEqual([])
  })

  test('a peer that stops sending is stopped by time', () => {
    const server = new TestServer(options).open().receive(openRequest, data(1, 'x'.repeat(11), 0))
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
    const server = new TestServer(options).open().receive(openRequest, data(1, 'x'.repeat(500), 0))
    server.pass(20_000)
    expect(server.wrote()).toEqual([])
    expect(tooLarge(server)).toBe(true)
    expect(server.wrote()).toEqual(['HEADERS 1', 'DATA 1 2 END_STREAM'])
  })
})

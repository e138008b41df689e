import { describe, expect, test } from 'vitest'
import { data, END_HEADERS, headers, requestBlock, responseBlock, TestClient, TestServer } from '../peer.ts'
import { calm, many, streamId } from './traffic.ts'

describe('output', () => {
  test('a reader that opens no window: held bytes are bounded, then it is dropped', () => {
    const server = new TestServer({ limits: { outputBytesMax: 100_000 } }).open([4, 0])
    const body = Buffer.alloc(10_000)
    server.onRequest = (stream) => server.connection.respond(stream, [':status', '200'], body)
    server.receive(many(9, (at) => headers(streamId(at), requestBlock())))
    expect(server.connection.ended).toBe(false)
    server.receive(many(20, (at) => headers(streamId(at + 9), requestBlock())))
    expect(server.events.at(-1)).toBe(calm)
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
    expect(server.events).toEqual([calm])
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

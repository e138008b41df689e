import { describe, expect, test } from 'vitest'
import { data, END_HEADERS, headers, openRequest, requestBlock, TestServer } from '../peer.ts'
import { streamId } from './traffic.ts'

describe('windows', () => {
  test('DATA beyond the window of a stream', () => {
    const server = new TestServer({
      settings: { initialWindowSize: 20_000 },
      limits: { requestBodyBytesMax: 5000 },
    }).open()
    server.receive(openRequest, data(1, Buffer.alloc(16_000), 0), data(1, Buffer.alloc(4001), 0))
    expect(server.wrote()).toEqual(['RST_STREAM 1 FLOW_CONTROL_ERROR'])
    expect(server.events).toEqual(['tooLarge 1', 'reset 1 FLOW_CONTROL_ERROR'])
  })

  test('a long body gets its window back', () => {
    const server = new TestServer({ limits: { requestBodyBytesMax: 200_000 } }).open()
    server.receive(openRequest)
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
      server.receive(
        headers(streamId(at), requestBlock(), END_HEADERS),
        data(streamId(at), Buffer.alloc(16_384)),
      )
      updates += server.wrote().filter((line) => line.startsWith('WINDOW_UPDATE 0')).length
    }
    expect(updates).toBe(1)
    expect(server.connection.ended).toBe(false)
  })
})

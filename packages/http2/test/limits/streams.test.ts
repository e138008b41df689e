import { describe, expect, test } from 'vitest'
import {
  block,
  data,
  END_HEADERS,
  headers,
  indexedBlock,
  PREFACE,
  requestBlock,
  settings,
  settingsAck,
  TestServer,
} from '../peer.ts'
import { calm, many, streamId } from './traffic.ts'

describe('streams', () => {
  test('streams above the limit are refused, also before our SETTINGS could arrive', () => {
    const server = new TestServer({ settings: { maxConcurrentStreams: 3 } })
    server.receive(
      PREFACE,
      settings(),
      many(10, (at) => headers(streamId(at), requestBlock())),
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
    server.receive(many(102, (at) => headers(streamId(at), requestBlock())))
    expect(server.events.at(-1)).toBe(calm)
  })

  test('a new limit: higher counts at once, lower from its acknowledgement', () => {
    const server = new TestServer({ settings: { maxConcurrentStreams: 1 } }).open()
    server.connection.setMaxConcurrentStreams(3)
    expect(server.wrote()).toEqual(['SETTINGS'])
    server.receive(many(3, (at) => headers(streamId(at), requestBlock())))
    expect(server.events.length).toBe(3)
    server.receive(settingsAck)
    for (const stream of [1, 3, 5]) server.connection.respond(stream, [':status', '200'])
    server.connection.setMaxConcurrentStreams(1)
    server.receive(many(3, (at) => headers(streamId(at + 3), requestBlock())))
    expect(server.events.length).toBe(6)
    server.receive(settingsAck, headers(99, requestBlock()))
    expect(server.wrote().at(-1)).toBe('RST_STREAM 99 REFUSED_STREAM')
  })

  test('unfinished bodies are bounded over all streams', () => {
    const server = new TestServer({ limits: { gatheredBytesMax: 100_000 } }).open()
    for (let at = 0; at < 40; at += 1) {
      server.receive(
        headers(streamId(at), requestBlock(), END_HEADERS),
        data(streamId(at), Buffer.alloc(5000), 0),
      )
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

import { describe, expect, test } from 'vitest'
import {
  block,
  data,
  frame,
  headers,
  openRequest,
  ping,
  priority,
  requestBlock,
  rst,
  settings,
  TestServer,
  windowUpdate,
} from '../peer.ts'
import { calm, many, streamId } from './traffic.ts'

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
    const server = new TestServer().open().receive(openRequest)
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
      server.receive(headers(streamId(at), requestBlock()), windowUpdate(0, 2), windowUpdate(streamId(at), 2))
    }
    expect(server.connection.ended).toBe(false)
  })

  test('WINDOW_UPDATE for what we sent does not count either when it comes a moment later', () => {
    const server = new TestServer().open()
    server.onRequest = (stream) => server.connection.respond(stream, [':status', '400'], Buffer.from('{}'))
    server.receive(many(1500, (at) => headers(streamId(at), requestBlock())))
    server.now += 1000
    server.receive(many(3000, () => windowUpdate(0, 1)))
    expect(server.connection.ended).toBe(false)
    server.receive(many(2000, () => windowUpdate(0, 1)))
    expect(server.events.at(-1)).toBe(calm)
  })

  test('rapid reset: requests that are cancelled at once', () => {
    const server = new TestServer().open()
    server.receive(
      many(1000, (at) => Buffer.concat([headers(streamId(at), requestBlock()), rst(streamId(at))])),
    )
    expect(server.connection.ended).toBe(false)
    expect(server.connection.openStreams).toBe(0)
    server.receive(
      many(5000, (at) =>
        Buffer.concat([headers(streamId(at + 1000), requestBlock()), rst(streamId(at + 1000))]),
      ),
    )
    expect(server.events.at(-1)).toBe(calm)
    expect(server.events.filter((event) => event.startsWith('request')).length).toBe(1001)
  })

  test('made-you-reset: requests that the peer breaks so that we reset them', () => {
    const server = new TestServer().open()
    server.receive(
      many(5000, (at) =>
        Buffer.concat([headers(streamId(at), requestBlock()), windowUpdate(streamId(at), 0)]),
      ),
    )
    expect(server.events.at(-1)).toBe(calm)
    expect(server.events.filter((event) => event.startsWith('request')).length).toBe(1001)
  })

  test('malformed requests count like resets', () => {
    const server = new TestServer().open()
    server.receive(many(2000, (at) => headers(streamId(at), block(['a', 'b']))))
    expect(server.events).toEqual([calm])
  })

  test('frames for closed streams count like resets', () => {
    const server = new TestServer({ limits: { resetsPerSecondMax: 10 } }).open()
    server.onRequest = (stream) => server.connection.respond(stream, [':status', '200'])
    server.receive(
      many(50, (at) => Buffer.concat([headers(streamId(at), requestBlock()), data(streamId(at), 'late')])),
    )
    expect(server.events.at(-1)).toBe(calm)
  })
})

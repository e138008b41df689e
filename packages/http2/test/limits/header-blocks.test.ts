import { describe, expect, test } from 'vitest'
import { continuation, headers, indexedBlock, requestBlock, TestServer } from '../peer.ts'
import { calm, many, streamId } from './traffic.ts'

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
    for (let at = 0; at < 200; at += 1) server.receive(headers(streamId(at), bomb))
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

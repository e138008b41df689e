import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ClientConnection, ErrorCode, type ServerConnection } from '../src/index.ts'
import {
  block,
  continuation,
  data,
  END_HEADERS,
  frame,
  goaway,
  headers,
  indexedBlock,
  PADDED,
  PREFACE,
  ping,
  priority,
  REQUEST,
  requestBlock,
  responseBlock,
  rst,
  settings,
  settingsAck,
  TestClient,
  TestServer,
  windowUpdate,
} from './peer.ts'

/** Cuts bytes at the given places (taken modulo the length). */
const cut = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const marks = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  const parts: Buffer[] = []
  let from = 0
  for (const mark of [...marks, bytes.length]) {
    // A copy that is wiped after use below: nothing may be kept by reference.
    parts.push(Buffer.from(bytes.subarray(from, mark)))
    from = mark
  }
  return parts
}

const streamId = fc.integer({ min: 0, max: 12 })
const clientId = fc.integer({ min: 0, max: 5 }).map((at) => at * 2 + 1)
const flags = fc.integer({ min: 0, max: 255 })
const blocks = fc.constantFrom(
  requestBlock(),
  requestBlock(['content-length', '3']),
  requestBlock(['X', 'y']),
  Buffer.concat([requestBlock(), indexedBlock(['x-one', 'two'])]),
  Buffer.concat([requestBlock(), Buffer.from([0xbe])]),
  responseBlock(),
  responseBlock(['content-length', '3']),
  block([':status', '103']),
  block(['a', 'b']),
  Buffer.from([0x20]),
  Buffer.from([0x80]),
)
const bodies = fc.constantFrom('', 'abc', 'x'.repeat(100), 'y'.repeat(16_000))

/** Frames that mostly make sense, in an order that mostly does not. */
const frames = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(clientId, blocks, fc.constantFrom(4, 5, 5, 0)).map(([id, b, f]) => headers(id, b, f)),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(clientId, bodies, fc.constantFrom(0, 1, 1)).map(([id, b, f]) => data(id, b, f)),
  },
  fc.tuple(clientId, fc.uint8Array({ minLength: 1, maxLength: 9 })).map(([id, b]) => data(id, b, PADDED)),
  fc.tuple(clientId, blocks).map(([id, b]) => continuation(id, b, END_HEADERS)),
  fc.tuple(clientId, fc.constantFrom(0, 7, 8)).map(([id, code]) => rst(id, code)),
  fc.tuple(streamId, fc.constantFrom(0, 1, 1000, 0x7fffffff)).map(([id, size]) => windowUpdate(id, size)),
  fc
    .tuple(fc.integer({ min: 0, max: 8 }), fc.constantFrom(0, 1, 100, 16_384, 70_000))
    .map(([id, v]) => settings([id, v])),
  streamId.map((id) => priority(id)),
  fc.constant(ping()),
  fc.constant(settingsAck),
  streamId.map((id) => goaway(id)),
  fc
    .tuple(flags, flags, streamId, fc.uint8Array({ maxLength: 20 }))
    .map(([t, f, id, b]) => frame(t % 12, f, id, b)),
)
const streams = fc.array(frames, { maxLength: 40 }).map((list) => Buffer.concat(list))
const places = fc.array(fc.nat(), { maxLength: 30 })

const feed = (connection: ServerConnection | ClientConnection<string>, parts: readonly Buffer[]): void => {
  for (const part of parts) {
    connection.receive(part, 1000)
    part.fill(0xaa)
  }
}

const serve = (parts: readonly Buffer[]): TestServer => {
  const server = new TestServer()
  server.onRequest = (id, list, body) => {
    if (id % 3 === 0) return
    server.connection.respond(id, [':status', '200', 'x-path', list[1]!], Buffer.from(body))
  }
  feed(server.connection, parts)
  return server
}

const request = (parts: readonly Buffer[]): TestClient => {
  const client = new TestClient().open([3, 4])
  for (const context of ['a', 'b', 'c']) client.request(context, context === 'b' ? 'body' : undefined)
  client.wrote()
  feed(client.connection, parts)
  return client
}

test('server: any split of the bytes gives the same events and the same answer', () => {
  fc.assert(
    fc.property(streams, places, (bytes, marks) => {
      const all = Buffer.concat([PREFACE, settings(), settingsAck, bytes])
      const whole = serve([Buffer.from(all)])
      const parts = serve(cut(all, marks))
      expect(parts.events).toEqual(whole.events)
      expect(parts.wrote()).toEqual(whole.wrote())
    }),
    { numRuns: 400 },
  )
})

/** Requests that are all in order, their frames one after the other or in turns. */
const orderly = fc
  .record({
    interleaved: fc.boolean(),
    requests: fc.array(
      fc.record({
        more: fc.array(
          fc.tuple(
            fc.constantFrom('x-one', 'x-two', 'apns-topic'),
            fc.constantFrom('a', 'b', 'c'.repeat(200)),
          ),
          {
            maxLength: 4,
          },
        ),
        indexed: fc.boolean(),
        cutBlock: fc.boolean(),
        parts: fc.array(fc.constantFrom('', 'abc', 'x'.repeat(2000)), { maxLength: 4 }),
        padded: fc.boolean(),
        trailers: fc.boolean(),
        reset: fc.boolean(),
      }),
      { maxLength: 30 },
    ),
  })
  .map(({ interleaved, requests }) => {
    const opening: Buffer[][] = []
    const rest: Buffer[][] = []
    requests.forEach((one, at) => {
      const id = at * 2 + 1
      const bytes = Buffer.concat([requestBlock(), (one.indexed ? indexedBlock : block)(...one.more)])
      const bare = one.parts.length === 0 && !one.trailers
      const half = one.cutBlock ? bytes.length >> 1 : bytes.length
      opening.push([
        headers(id, bytes.subarray(0, half), (bare ? 1 : 0) | (one.cutBlock ? 0 : END_HEADERS)),
        ...(one.cutBlock ? [continuation(id, bytes.subarray(half), END_HEADERS)] : []),
      ])
      const frames = one.parts.map((part, index) => {
        const last = index === one.parts.length - 1 && !one.trailers ? 1 : 0
        return one.padded
          ? data(id, Buffer.concat([Buffer.from([3]), Buffer.from(part), Buffer.alloc(3)]), last | PADDED)
          : data(id, part, last)
      })
      if (one.trailers) frames.push(headers(id, block(['x-sum', '1'])))
      if (one.reset) frames.push(rst(id))
      rest.push(frames)
    })
    const bytes: Buffer[] = []
    if (!interleaved) {
      opening.forEach((frames, at) => {
        bytes.push(...frames, ...rest[at]!)
      })
    } else {
      bytes.push(...opening.flat())
      for (let turn = 0; turn < 8; turn += 1)
        for (const frames of rest) bytes.push(...frames.slice(turn, turn + 1))
    }
    return { requests, bytes: Buffer.concat(bytes) }
  })

test('server: requests in order arrive whole, whatever their frames and the cuts of the bytes', () => {
  fc.assert(
    fc.property(orderly, places, ({ requests, bytes }, marks) => {
      const all = Buffer.concat([PREFACE, settings(), settingsAck, bytes])
      const server = new TestServer()
      const told = new Map<number, string>()
      server.onRequest = (id, list, body) => {
        told.set(id, `${list.slice(8).join(' ')} ${Buffer.from(body).toString()}`)
      }
      feed(server.connection, cut(all, marks))
      expect(server.connection.ended).toBe(false)
      const expected = requests.map(({ more, parts }, at): [number, string] => [
        at * 2 + 1,
        `${more.flat().join(' ')} ${parts.join('')}`,
      ])
      expect([...told].sort(([a], [b]) => a - b)).toEqual(expected)
      expect(server.connection.openStreams).toBe(requests.filter(({ reset }) => !reset).length)
    }),
    { numRuns: 200 },
  )
})

test('client: any split of the bytes gives the same events and the same answer', () => {
  fc.assert(
    fc.property(streams, places, (bytes, marks) => {
      const whole = request([Buffer.from(bytes)])
      const parts = request(cut(bytes, marks))
      const withoutCapacity = (events: string[]) => events.filter((event) => event !== 'capacity')
      expect(withoutCapacity(parts.events)).toEqual(withoutCapacity(whole.events))
      expect(parts.wrote()).toEqual(whole.wrote())
    }),
    { numRuns: 400 },
  )
})

test('client: each request is told exactly once, whatever the server sends and then breaks', () => {
  fc.assert(
    fc.property(streams, (bytes) => {
      const client = request([Buffer.from(bytes)])
      client.connection.transportClosed()
      expect(client.toldRequests()).toEqual(['a', 'b', 'c'])
    }),
    { numRuns: 400 },
  )
})

test('garbage after the opening ends in GOAWAY or is ignored: no throw, no hang, no growth', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }),
      fc.boolean(),
      (chunks, opened) => {
        const server = opened ? new TestServer().open() : new TestServer()
        feed(
          server.connection,
          chunks.map((chunk) => Buffer.from(chunk)),
        )
        server.pass(100_000)
        expect(server.connection.openStreams).toBeLessThanOrEqual(1000)
        expect(server.connection.outputBytes).toBeLessThan(100_000)
        // Whatever came, an opening alone does not live for ever.
        if (!opened) expect(server.connection.ended).toBe(true)
        const client = opened ? new TestClient().open() : new TestClient()
        feed(
          client.connection,
          chunks.map((chunk) => Buffer.from(chunk)),
        )
        expect(client.connection.outputBytes).toBeLessThan(100_000)
      },
    ),
    { numRuns: 300 },
  )
})

const fieldValue = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 300,
})
const exchange = fc.record({
  path: fieldValue,
  topic: fc.constantFrom('com.example.one', 'com.example.two'),
  body: fc.uint8Array({ maxLength: 40_000 }),
  answer: fc.uint8Array({ maxLength: 40_000 }),
})

test('both ends together: every request arrives and is answered, whatever the sizes and the cuts', () => {
  fc.assert(
    fc.property(
      fc.array(exchange, { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      (list, marks) => {
        const server = new TestServer()
        const seen: string[] = []
        server.onRequest = (id, fields, body) => {
          const at = Number(fields[fields.indexOf('x-at') + 1])
          expect(fields).toContain(`/${list[at]!.path}`)
          expect(Buffer.from(body).equals(list[at]!.body)).toBe(true)
          server.connection.respond(id, [':status', '200', 'x-at', String(at)], list[at]!.answer)
        }
        const client = new TestClient({ limits: { responseBodyBytesMax: 100_000 } })
        const todo = list.map((_, at) => at)
        const send = (): void => {
          while (todo.length > 0) {
            const at = todo[0]!
            const { path, topic, body } = list[at]!
            const fields = [...REQUEST.flat()]
            fields[5] = `/${path}`
            fields.push('apns-topic', topic, 'x-at', String(at))
            if (client.connection.request(fields, body, String(at)) < 0) return
            todo.shift()
          }
        }
        client.onCapacity = send
        for (let round = 0; round < 200; round += 1) {
          const up = client.connection.takeOutput()
          if (up !== undefined) feed(server.connection, cut(up, marks))
          const down = server.connection.takeOutput()
          if (down !== undefined) feed(client.connection, cut(down, marks))
          client.connection.setBacklog(0)
          if (up === undefined && down === undefined) break
        }
        for (const event of client.events) if (event.startsWith('response')) seen.push(event.split(' ')[1]!)
        expect(seen.map(Number).sort((a, b) => a - b)).toEqual(list.map((_, at) => at))
        expect(client.connection.openStreams).toBe(0)
        expect(server.connection.openStreams).toBe(0)
        client.connection.goaway(ErrorCode.NO_ERROR)
      },
    ),
    { numRuns: 60 },
  )
})

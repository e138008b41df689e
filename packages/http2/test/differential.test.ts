import { once } from 'node:events'
import * as http2 from 'node:http2'
import { type AddressInfo, createServer, Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Random } from './fuzz/random.ts'
import { recorded } from './fuzz/recorded.ts'
import {
  block,
  continuation,
  data,
  END_HEADERS,
  frame,
  headers,
  indexedBlock,
  PADDED,
  PREFACE,
  PRIORITY,
  ping,
  priority,
  settings,
  settingsAck,
  TestClient,
  TestServer,
  uint32,
  windowUpdate,
} from './peer.ts'

/** What a server made of a request. */
interface Seen {
  readonly path: string
  readonly fields: readonly string[]
  readonly body: string
}

test.each(Object.entries(recorded.clients))(
  'requests recorded from %s mean the same to both servers',
  async (_name, bytes) => {
    const ours = seenByOurs(bytes)
    expect(ours.length).toBeGreaterThan(0)
    expect(ours).toEqual(await seenByNode(bytes, ours.length))
  },
)

test.each(Array.from({ length: 40 }, (_, at) => at + 1))(
  'requests generated from seed %i mean the same to both servers',
  async (seed) => {
    const { bytes, count } = exchange(new Random(seed))
    const ours = seenByOurs(bytes)
    expect(ours).toHaveLength(count)
    expect(ours).toEqual(await seenByNode(bytes, count))
  },
)

test.each(Object.entries(recorded.servers))(
  'answers recorded from %s mean the same to both clients',
  async (_name, bytes) => {
    const client = new TestClient({ streamsBeforeSettings: 3 })
    client.connection.tick(client.now)
    for (const context of ['a', 'b', 'c']) client.request(context, context === 'b' ? 'body' : undefined)
    client.receive(bytes)
    const ours = client.events
      .filter((event) => event.startsWith('response '))
      .map((event) => [event.split(' ')[2], event.slice(event.indexOf('[') + 1, -1)])
    expect(ours).toHaveLength(3)
    expect(ours).toEqual(await answersSeenByNode(bytes))
  },
)

function seenByOurs(bytes: Buffer): Seen[] {
  const server = new TestServer()
  const seen: Seen[] = []
  server.onRequest = (id, list, body) => {
    seen.push(seenOf(list, Buffer.from(body)))
    server.connection.respond(id, [':status', '200'])
  }
  server.connection.tick(server.now)
  server.receive(bytes)
  expect(server.events.filter((event) => event.startsWith('end'))).toEqual([])
  return seen.toSorted(byPath)
}

/** Waits until node:http2 has told so many requests. */
async function seenByNode(bytes: Buffer, count: number): Promise<Seen[]> {
  const seen: Seen[] = []
  const server = http2.createServer()
  const socket = new Socket()
  onTestFinished(() => {
    socket.destroy()
    server.close()
  })
  await new Promise<void>((resolve, reject) => {
    server.on('sessionError', reject)
    server.on('stream', (stream, _headers, _flags, raw) => {
      const parts: Buffer[] = []
      stream.on('error', () => {
        // A recorded client goes on as if it had its answer already; what it asked is what counts.
      })
      stream.on('data', (chunk: Buffer) => parts.push(chunk))
      stream.on('end', () => {
        seen.push(seenOf(raw as unknown as string[], Buffer.concat(parts)))
        stream.respond({ ':status': 200 }, { endStream: true })
        if (seen.length === count) resolve()
      })
    })
    server.listen(0, '127.0.0.1', () => {
      socket.connect((server.address() as AddressInfo).port, '127.0.0.1')
      socket.on('error', reject)
      socket.resume()
      socket.write(bytes)
    })
  })
  return seen.toSorted(byPath)
}

async function answersSeenByNode(bytes: Buffer): Promise<string[][]> {
  const server = createServer((socket) => {
    socket.on('error', () => {
      // The session is destroyed at the end of the test.
    })
    socket.once('data', () => socket.write(bytes))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    session.destroy()
    server.close()
  })
  const answers = ['a', 'b', 'c'].map(
    (name) =>
      new Promise<string[]>((resolve, reject) => {
        const request = session.request({ ':method': 'POST', ':path': '/x' })
        const parts: Buffer[] = []
        let status = ''
        request.on('error', reject)
        request.on('response', (list) => {
          status = String(list[':status'])
        })
        request.on('data', (chunk: Buffer) => parts.push(chunk))
        request.on('end', () => resolve([status, Buffer.concat(parts).toString()]))
        request.end(name === 'b' ? 'body' : undefined)
      }),
  )
  return Promise.all(answers)
}

/** @param list names and values in turn, as both servers give them */
function seenOf(list: readonly string[], body: Buffer): Seen {
  const fields = Array.from({ length: list.length / 2 }, (_, at) => `${list[at * 2]}: ${list[at * 2 + 1]}`)
  return { path: list[list.indexOf(':path') + 1]!, fields: fields.toSorted(), body: body.toString('latin1') }
}

const byPath = (left: Seen, right: Seen): number => (left.path < right.path ? -1 : 1)

/** Requests that are in order, written in the many ways that RFC 9113 allows. */
function exchange(random: Random): { bytes: Buffer; count: number } {
  const count = 1 + random.below(8)
  const parts = [PREFACE, settings([random.below(2) === 0 ? 4 : 0x99, 70_000]), settingsAck]
  for (let at = 0; at < count; at++) {
    const id = at * 2 + 1
    parts.push(...aside(random, id), ...request(random, id, at), ...aside(random, id))
  }
  return { bytes: Buffer.concat(parts), count }
}

/** Frames that mean nothing for the requests around them. */
function aside(random: Random, id: number): Buffer[] {
  const all = [
    () => ping('abcdefgh'),
    () => windowUpdate(0, 1 + random.below(1000)),
    () => priority(id + 100, 0),
    () => frame(0x42, random.below(256), 0, random.bytes(random.below(30))),
    () => settings([4, 65_535 + random.below(1000)]),
  ]
  return random.chance(0.4) ? [random.pick(all)()] : []
}

function request(random: Random, id: number, at: number): Buffer[] {
  const more = random.chance(0.5) ? indexedBlock : block
  const fields: [string, string][] = [['x-at', String(at)]]
  if (random.chance(0.5)) fields.push(['x-long', 'v'.repeat(random.below(3000))])
  const basic = block(
    [':method', 'POST'],
    [':scheme', 'https'],
    [':path', `/${at}`],
    [':authority', 'localhost'],
  )
  const whole = Buffer.concat([
    random.chance(0.1) ? Buffer.from([0x20]) : Buffer.alloc(0),
    basic,
    more(...fields),
  ])
  const bodies = Array.from({ length: random.below(4) }, () => random.bytes(random.below(2000)))
  const hasTrailers = random.chance(0.2)
  const ending = bodies.length === 0 && !hasTrailers ? 1 : 0
  const frames = headerFrames(random, id, whole, ending)
  bodies.forEach((body, index) => {
    const last = index === bodies.length - 1 && !hasTrailers ? 1 : 0
    if (random.chance(0.2)) frames.push(data(id, '', 0))
    const padding = random.below(5)
    frames.push(
      random.chance(0.3)
        ? data(id, Buffer.concat([Buffer.from([padding]), body, Buffer.alloc(padding)]), last | PADDED)
        : data(id, body, last),
    )
  })
  if (hasTrailers) frames.push(headers(id, block(['x-sum', '1'])))
  return frames
}

function headerFrames(random: Random, id: number, whole: Buffer, ending: number): Buffer[] {
  if (random.chance(0.3)) {
    const cut = random.below(whole.length)
    return [headers(id, whole.subarray(0, cut), ending), continuation(id, whole.subarray(cut), END_HEADERS)]
  }
  if (random.chance(0.3)) {
    const prefix = Buffer.concat([uint32(0), Buffer.from([15])])
    return [headers(id, Buffer.concat([prefix, whole]), ending | END_HEADERS | PRIORITY)]
  }
  if (random.chance(0.3)) {
    const padded = Buffer.concat([Buffer.from([4]), whole, Buffer.alloc(4)])
    return [headers(id, padded, ending | END_HEADERS | PADDED)]
  }
  return [headers(id, whole, ending | END_HEADERS)]
}

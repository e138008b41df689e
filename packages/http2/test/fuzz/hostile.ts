import assert from 'node:assert/strict'
import {
  block,
  data,
  frame,
  goaway,
  headers,
  indexedBlock,
  PREFACE,
  ping,
  priority,
  readFrames,
  requestBlock,
  responseBlock,
  rst,
  settings,
  settingsAck,
  TestClient,
  TestServer,
  windowUpdate,
} from '../peer.ts'
import { Random } from './random.ts'
import { recorded } from './recorded.ts'

const clientsBytes = Object.values(recorded.clients)
const serversBytes = Object.values(recorded.servers)

/** What a TestServer or TestClient has come to. */
interface Outcome {
  readonly events: readonly string[]
  readonly wrote: readonly string[]
}

/**
 * A server of ours is sent what real clients sent and frames of all kinds, damaged at random. It must not throw, write
 * broken frames, keep more than it may, or depend on how the bytes were cut; and each request is told once.
 *
 * @throws AssertionError
 */
export function fuzzHostileClient(seed: number): void {
  const random = new Random(seed)
  const start = random.chance(0.5)
    ? random.pick(clientsBytes)
    : Buffer.concat([PREFACE, settings(), settingsAck, frames(random, requestFrames)])
  compareCuts(random, damaged(random, start), (chunks) => {
    const server = new TestServer({ settings: { maxConcurrentStreams: 10 } })
    server.onRequest = (id, _list, body) => {
      if (id % 4 === 3) return
      server.connection.respond(id, [':status', '200', 'apns-id', `${id}`], Buffer.from(body))
    }
    server.connection.tick(server.now)
    for (const chunk of chunks) server.receive(chunk)
    assert.ok(server.connection.openStreams <= 10)
    const requests = server.events
      .filter((event) => event.startsWith('request '))
      .map((event) => event.split(' ')[1])
    assert.equal(new Set(requests).size, requests.length, 'a stream was delivered twice')
    return outcomeOf(server)
  })
}

/** The same for a client of ours that waits for three answers. @throws AssertionError */
export function fuzzHostileServer(seed: number): void {
  const random = new Random(seed)
  const start = random.chance(0.5)
    ? random.pick(serversBytes)
    : Buffer.concat([settings([3, 4]), settingsAck, frames(random, answerFrames)])
  compareCuts(random, damaged(random, start), (chunks) => {
    const client = new TestClient({ streamsBeforeSettings: 3 })
    client.connection.tick(client.now)
    for (const name of ['a', 'b', 'c']) client.request(name, name === 'b' ? 'body' : undefined)
    client.connection.takeOutput()
    for (const chunk of chunks) client.receive(chunk)
    client.connection.transportClosed()
    assert.deepEqual(client.toldRequests(), ['a', 'b', 'c'])
    return outcomeOf(client)
  })
}

/** However the bytes are cut, the same comes of them. */
function compareCuts(random: Random, bytes: Buffer, play: (chunks: readonly Buffer[]) => Outcome): void {
  const whole = play([Buffer.from(bytes)])
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.length(bytes.length)
    chunks.push(Buffer.from(bytes.subarray(at, end)))
    at = end
  }
  assert.deepEqual(play(chunks), whole)
}

function outcomeOf(side: TestServer | TestClient): Outcome {
  assert.ok(side.connection.outputBytes < 1_000_000)
  // Reading them fails where the engine wrote what is no frame.
  const wrote = side
    .frames()
    .map(({ type, flags, id, payload }) => `${type} ${flags} ${id} ${payload.toString('hex')}`)
  for (let at = 0; at < 3; at++) side.pass(120_000)
  assert.ok(readFrames(side.connection.takeOutput() ?? Buffer.alloc(0)).length < 100)
  const events = side.events.filter((event) => event !== 'capacity')
  assert.ok(
    !events.some((event) => event.startsWith('end internalError')),
    `the engine failed: ${events.at(-1)}`,
  )
  assert.ok(events.filter((event) => event.startsWith('end ')).length <= 1)
  return { events, wrote }
}

type MakeFrame = (random: Random, id: number) => Buffer

const common: readonly MakeFrame[] = [
  (random, id) => data(id, random.bytes(random.length(2000)), random.pick([0, 1, 1, 8])),
  (random, id) => rst(id, random.pick([0, 7, 8, 0xffffffff])),
  (random, id) => windowUpdate(random.pick([0, id]), random.pick([0, 1, 1000, 0x7fffffff])),
  (random) => settings([random.below(9), random.pick([0, 1, 100, 16_384, 70_000, 0xffffffff])]),
  () => settingsAck,
  (_random, id) => priority(id, Math.max(0, id - 2)),
  () => ping(),
  (random, id) => goaway(id, random.below(14), 'bye'),
  (random, id) =>
    frame(random.below(14), random.below(256), random.pick([0, id]), random.bytes(random.length(30))),
]
const requestFrames: readonly MakeFrame[] = [
  ...common,
  ...[0, 1, 2, 3].map(
    (): MakeFrame => (random, id) => headers(id, requestBlockOf(random), random.pick([4, 5, 5])),
  ),
]
const answerFrames: readonly MakeFrame[] = [
  ...common,
  ...[0, 1, 2, 3].map(
    (): MakeFrame => (random, id) => headers(id, answerBlockOf(random), random.pick([4, 5, 5])),
  ),
]

function frames(random: Random, makers: readonly MakeFrame[]): Buffer {
  let id = 1
  return Buffer.concat(
    Array.from({ length: random.below(40) }, () => {
      if (random.chance(0.5)) id += 2
      return random.pick(makers)(random, random.chance(0.8) ? id : 1 + random.below(12))
    }),
  )
}

function requestBlockOf(random: Random): Buffer {
  const more = random.pick([
    requestBlock(),
    requestBlock(['content-length', '3']),
    requestBlock(['te', 'trailers']),
  ])
  return random.chance(0.3)
    ? Buffer.concat([more, indexedBlock(['x', 'v'.repeat(random.length(200))])])
    : more
}

function answerBlockOf(random: Random): Buffer {
  return random.pick([
    responseBlock(),
    responseBlock(['content-length', '3']),
    block([':status', '103']),
    Buffer.concat([responseBlock(), indexedBlock(['apns-id', 'a'.repeat(random.length(100))])]),
  ])
}

/** Bytes changed, cut out, doubled or put in, none to a few times. */
function damaged(random: Random, start: Buffer): Buffer {
  let bytes = Buffer.from(start)
  for (let count = random.below(4); count > 0; count--) {
    const at = random.below(bytes.length + 1)
    const end = Math.min(bytes.length, at + 1 + random.length(40))
    const [before, part, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)]
    const changed = Buffer.from(part)
    if (changed.length > 0) changed[random.below(changed.length)]! ^= 1 << random.below(8)
    bytes = Buffer.concat([
      before,
      ...random.pick([[changed], [], [part, part], [part, random.bytes(random.length(20))]]),
      after,
    ])
  }
  return bytes
}

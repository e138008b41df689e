import assert from 'node:assert/strict'
import {
  ClientConnection,
  type EndKind,
  type EndReason,
  ErrorCode,
  type HeaderList,
  ServerConnection,
} from '../../src/index.ts'
import { Random } from './random.ts'

/** How a connection between our own two ends may end: anything else is a fault of the engine. */
const goodEnds: readonly EndKind[] = ['drained', 'closed', 'peerGoaway', 'peerClosed', 'transportError']

type Outcome = 'response' | 'reset' | 'refused' | 'unanswered' | 'cancelled'

/** One request, as the client knows it. */
interface Sent {
  readonly serial: number
  readonly headers: HeaderList
  readonly body: Buffer
  streamId: number
  outcome: Outcome | undefined
}

/** What the server has answered, by the serial of the request. */
interface Answer {
  readonly status: string
  readonly headers: HeaderList
  readonly body: Buffer
}

/**
 * Client and server of ours on one connection whose bytes are cut and delayed at random, both doing at random what
 * their users may do. Every request must have exactly one outcome, arrive unchanged, and get the answer that was given.
 *
 * @throws AssertionError
 */
export function fuzzBothEnds(seed: number): void {
  new BothEnds(new Random(seed)).run()
}

class BothEnds {
  readonly #random: Random
  readonly #client: ClientConnection<Sent>
  readonly #server: ServerConnection
  readonly #up = new Wire()
  readonly #down = new Wire()
  readonly #sent: Sent[] = []
  readonly #answers = new Map<number, Answer>()
  /** Requests that the server has and has not answered: stream id to serial. */
  readonly #waiting = new Map<number, number>()
  readonly #ends: { client?: EndReason; server?: EndReason } = {}
  /** With a window of one byte a large body takes as many rounds as it has bytes. */
  readonly #bodyBytesMax: number
  #now = 1000
  #isCut = false

  constructor(random: Random) {
    this.#random = random
    const sizes = {
      headerTableSize: random.pick([0, 64, 4096, 65_536]),
      initialWindowSize: random.pick([1, 100, 65_535, 1_000_000]),
      maxFrameSize: random.pick([16_384, 16_385, 100_000]),
    }
    this.#bodyBytesMax = Math.min(60_000, sizes.initialWindowSize * 100)
    this.#server = new ServerConnection(
      { settings: { ...sizes, maxConcurrentStreams: random.pick([1, 2, 10, 100]) } },
      {
        onRequest: (streamId, headers, body) => this.#arrived(streamId, headers, body),
        onBodyTooLarge: () => assert.fail('no body here is too large'),
        onRequestReset: (streamId) => void this.#waiting.delete(streamId),
        onEnd: (reason) => {
          assert.equal(this.#ends.server, undefined, 'the server ended twice')
          this.#ends.server = reason
          this.#waiting.clear()
        },
      },
    )
    this.#client = new ClientConnection<Sent>(
      {
        settings: { ...sizes, headerTableSize: random.pick([0, 100, 4096]) },
        streamsBeforeSettings: random.pick([0, 0, 5]),
      },
      {
        onResponse: (sent, status, headers, body) => {
          this.#settle(sent, 'response')
          const answer = this.#answers.get(sent.serial)
          assert.ok(answer, `request ${sent.serial} was answered by nobody`)
          assert.equal(String(status), answer.status)
          assert.deepEqual(headers, answer.headers)
          assert.ok(answer.body.equals(body), `the answer to ${sent.serial} arrived changed`)
        },
        onReset: (sent) => this.#settle(sent, 'reset'),
        onRefused: (sent) => {
          this.#settle(sent, 'refused')
          assert.ok(!this.#answers.has(sent.serial), `request ${sent.serial} was answered and called refused`)
        },
        onCapacity() {
          // Requests are tried at random times anyway.
        },
        onGoaway() {
          // Its consequences are told request by request.
        },
        onEnd: (reason, unanswered) => {
          assert.equal(this.#ends.client, undefined, 'the client ended twice')
          this.#ends.client = reason
          for (const sent of unanswered) this.#settle(sent, 'unanswered')
        },
      },
    )
    this.#client.tick(this.#now)
    this.#server.tick(this.#now)
  }

  run(): void {
    const steps = 50 + this.#random.below(400)
    for (let step = 0; step < steps; step++) this.#step()
    this.#finish()
  }

  #step(): void {
    const random = this.#random
    const dice = random.below(1000)
    if (dice < 250) this.#request()
    else if (dice < 450) this.#answer()
    else if (dice < 680) this.#move(this.#client, this.#up, this.#server)
    else if (dice < 910) this.#move(this.#server, this.#down, this.#client)
    else if (dice < 930) this.#cancel()
    else if (dice < 945) this.#refuseOne()
    else if (dice < 975) this.#pass(random.below(300))
    else if (dice < 982) this.#ping()
    else if (dice < 992)
      this.#pass(1000, () => this.#server.setMaxConcurrentStreams(random.pick([1, 3, 50, 1000])))
    else if (dice < 994) this.#server.drain(Buffer.from('{"reason":"Shutdown"}'))
    else if (dice < 996) this.#client.drain()
    else if (dice < 997) this.#server.goaway(ErrorCode.NO_ERROR)
    else if (dice < 998) this.#client.close()
    else if (dice < 999) this.#cut()
  }

  #request(): void {
    const random = this.#random
    const serial = this.#sent.length
    const headers = [
      ...[':method', 'POST', ':scheme', 'https', ':path', `/${'p'.repeat(random.length(300))}`],
      ...[':authority', 'localhost', 'x-serial', String(serial)],
    ]
    for (let count = random.below(4); count > 0; count--)
      headers.push(random.pick(['x-one', 'apns-topic', 'authorization']), 'v'.repeat(random.length(200)))
    const body = random.bytes(random.length(this.#bodyBytesMax))
    const sent: Sent = { serial, headers, body, streamId: 0, outcome: undefined }
    sent.streamId = this.#client.request(headers, body, sent)
    if (sent.streamId > 0) this.#sent.push(sent)
  }

  #arrived(streamId: number, headers: HeaderList, body: Uint8Array): void {
    const serial = Number(headers[headers.indexOf('x-serial') + 1])
    const sent = this.#sent[serial]
    assert.ok(sent, 'a request arrived that nobody sent')
    assert.deepEqual(headers, sent.headers)
    assert.ok(sent.body.equals(body), `the body of ${serial} arrived changed`)
    assert.ok(!this.#waiting.has(streamId), `stream ${streamId} was delivered twice`)
    this.#waiting.set(streamId, serial)
    if (this.#random.chance(0.3)) this.#answer(streamId)
  }

  #answer(streamId: number | undefined = this.#anyWaiting()): void {
    if (streamId === undefined) return
    const random = this.#random
    const headers = [':status', random.pick(['200', '400', '410'])]
    if (random.chance(0.5)) headers.push('apns-id', 'i'.repeat(random.length(100)))
    const body = random.bytes(random.chance(0.5) ? 0 : random.length(this.#bodyBytesMax))
    this.#answers.set(this.#waiting.get(streamId)!, { status: headers[1]!, headers, body })
    this.#waiting.delete(streamId)
    assert.ok(this.#server.respond(streamId, headers, body), `stream ${streamId} takes no answer`)
  }

  #refuseOne(): void {
    const streamId = this.#anyWaiting()
    if (streamId === undefined) return
    this.#waiting.delete(streamId)
    this.#server.reset(streamId, this.#random.pick([ErrorCode.REFUSED_STREAM, ErrorCode.CANCEL, 0x77]))
  }

  #cancel(): void {
    const open = this.#sent.filter(({ outcome }) => outcome === undefined)
    if (open.length === 0) return
    const sent = this.#random.pick(open)
    this.#client.cancel(sent.streamId)
    sent.outcome = 'cancelled'
  }

  #ping(): void {
    let isAnswered = false
    this.#random.pick([this.#client, this.#server]).ping(() => {
      assert.ok(!isAnswered, 'a PING was answered twice')
      isAnswered = true
    })
  }

  #anyWaiting(): number | undefined {
    return this.#waiting.size === 0 ? undefined : this.#random.pick([...this.#waiting.keys()])
  }

  /** Some of what one end has written reaches the other. */
  #move(
    from: ServerConnection | ClientConnection<Sent>,
    wire: Wire,
    to: ServerConnection | ClientConnection<Sent>,
  ): void {
    if (this.#isCut) return
    wire.load(from)
    const bytes = wire.take(
      this.#random.chance(0.3) ? 1 + this.#random.below(20) : this.#random.length(50_000),
    )
    from.setBacklog(wire.length)
    if (bytes.length === 0) return
    to.receive(bytes, this.#now)
    // Nothing of it may be kept by reference.
    bytes.fill(0xaa)
  }

  #pass(milliseconds: number, then?: () => void): void {
    this.#now += milliseconds
    this.#client.tick(this.#now)
    this.#server.tick(this.#now)
    then?.()
  }

  /** The transport breaks. */
  #cut(): void {
    this.#isCut = true
    this.#client.transportClosed(new Error('cut'))
    this.#server.transportClosed()
  }

  /** All bytes arrive, everything is answered, then both ends close: nothing may be left. */
  #finish(): void {
    for (let round = 0; round < 5000 && !this.#isQuiet(); round++) {
      this.#move(this.#client, this.#up, this.#server)
      this.#move(this.#server, this.#down, this.#client)
      this.#answer()
      if (round % 50 === 49) this.#pass(10)
    }
    if (this.#ends.client === undefined && this.#ends.server === undefined) {
      for (const { serial, outcome } of this.#sent)
        assert.ok(outcome !== undefined, `request ${serial} has no outcome although all is answered`)
      assert.equal(this.#client.openStreams, 0)
    }
    this.#client.transportClosed()
    this.#server.transportClosed()
    for (const { serial, outcome } of this.#sent)
      assert.ok(outcome !== undefined, `request ${serial} was forgotten`)
    for (const end of [this.#ends.client, this.#ends.server])
      assert.ok(end && goodEnds.includes(end.kind), `ended as ${end?.kind}: ${end?.message}`)
  }

  #isQuiet(): boolean {
    if (this.#isCut || (this.#client.ended && this.#server.ended)) return true
    const bytes = this.#up.length + this.#down.length + this.#client.outputBytes + this.#server.outputBytes
    return bytes === 0 && this.#waiting.size === 0
  }

  #settle(sent: Sent, outcome: Outcome): void {
    assert.equal(sent.outcome, undefined, `request ${sent.serial} has a second outcome, ${outcome}`)
    sent.outcome = outcome
  }
}

/** Bytes on their way. */
class Wire {
  #bytes = Buffer.alloc(0)

  get length(): number {
    return this.#bytes.length
  }

  load(from: ServerConnection | ClientConnection<Sent>): void {
    for (let chunk = from.takeOutput(); chunk !== undefined; chunk = from.takeOutput()) {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      from.recycle(chunk)
    }
  }

  /** A copy of at most so many of them. */
  take(count: number): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, count))
    this.#bytes = this.#bytes.subarray(taken.length)
    return taken
  }
}

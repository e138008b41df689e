import { once } from 'node:events'
import { constants } from 'node:http2'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import type { FaultRuleInput } from '../../src/faults/fault-rule.ts'
import { Faults } from '../../src/faults/faults.ts'
import { GatewayWorld, payload, token } from '../gateway/gateway-world.ts'
import type { Answer, Provider } from '../gateway/provider.ts'
import { bundleId, keyId } from '../memory-authority.ts'

const worlds: GatewayWorld[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop()
})

/** A gateway with these rules, and what controls them. */
async function withFaults(...rules: FaultRuleInput[]) {
  const faults = new Faults({ now: () => Date.now(), plan: { rules } })
  const world = await GatewayWorld.start({ faults })
  worlds.push(world)
  // What stands still on purpose must not keep the gateway open.
  const stop = world.stop.bind(world)
  world.stop = async () => {
    faults.close()
    await stop()
  }
  return { world, faults }
}

/** One provider token for all: signing anew each time would be an update each time. */
const headersOf = new WeakMap<GatewayWorld, Record<string, string>>()

function push(world: GatewayWorld, provider: Provider, more: Record<string, string | undefined> = {}) {
  const headers = headersOf.get(world) ?? world.headers()
  headersOf.set(world, headers)
  return provider.send({ ...headers, ...more }, payload)
}

/** How a request ended: `200`, `400 BadTopic`, or the code of the stream's error. */
async function outcome(answer: Promise<Answer>): Promise<string> {
  try {
    const { status, reason } = await answer
    return reason === undefined ? String(status) : `${status} ${reason}`
  } catch (error) {
    return (error as NodeJS.ErrnoException & { code: string }).code
  }
}

describe('answers', () => {
  test('a burst of 503 with retry-after, then all is well', async () => {
    const { world, faults } = await withFaults({
      id: 'burst',
      match: { times: 3 },
      fault: { kind: 'answer', reason: 'ServiceUnavailable', retryAfter: 7 },
    })
    const provider = await world.provider()
    const apnsId = '11111111-2222-3333-4444-555555555555'
    const first = await push(world, provider, { 'apns-id': apnsId })
    expect(first).toMatchObject({
      status: 503,
      reason: 'ServiceUnavailable',
      headers: { 'retry-after': '7', 'apns-id': apnsId, 'content-type': 'application/json' },
    })
    const outcomes = [await outcome(push(world, provider)), await outcome(push(world, provider))]
    expect(outcomes).toEqual(['503 ServiceUnavailable', '503 ServiceUnavailable'])
    expect(world.delivery.accepted).toHaveLength(0)
    expect(await outcome(push(world, provider))).toBe('200')
    expect(faults.get('burst').counters).toMatchObject({ seen: 4, hits: 3 })
  })

  test('a status and a text of its own, as a proxy on the way would say', async () => {
    const { world } = await withFaults({
      id: 'proxy',
      fault: { kind: 'answer', status: 502, body: '<h1>Bad Gateway</h1>' },
    })
    const stream = (await world.provider()).session.request(world.headers())
    stream.end(payload)
    const [headers] = await once(stream, 'response')
    let body = ''
    for await (const text of stream.setEncoding('utf8')) body += text
    expect([headers[':status'], body]).toEqual([502, '<h1>Bad Gateway</h1>'])
  })

  test('a 410 with its timestamp, for one token only', async () => {
    const at = Date.UTC(2026, 0, 1)
    const fault = { kind: 'answer', reason: 'Unregistered', timestamp: at } as const
    const { world } = await withFaults({ id: 'gone', match: { token }, fault })
    const other = 'cd'.repeat(32)
    world.addToken(other)
    const provider = await world.provider()
    expect(await push(world, provider)).toMatchObject({ status: 410, reason: 'Unregistered', timestamp: at })
    expect(await outcome(push(world, provider, { ':path': `/3/device/${other}` }))).toBe('200')
  })

  test('rules look at app, topic, key and team of the request', async () => {
    const fault = { kind: 'answer', reason: 'TooManyRequests' } as const
    const { world, faults } = await withFaults()
    const provider = await world.provider()
    const rules: [FaultRuleInput['match'], string][] = [
      [{ app: bundleId }, '429 TooManyRequests'],
      [{ app: 'com.example.other' }, '200'],
      [{ topic: bundleId, keyId }, '429 TooManyRequests'],
      [{ keyId: 'KEY0000009' }, '200'],
      [{ clientAddress: '127.0.0.1' }, '429 TooManyRequests'],
      [{ clientAddress: '10.0.0.1' }, '200'],
    ]
    for (const [match, expected] of rules) {
      faults.set({ rules: [{ id: 'limit', match, fault }] })
      expect([match, await outcome(push(world, provider))]).toEqual([match, expected])
    }
    faults.clear()
    expect(await outcome(push(world, provider))).toBe('200')
  })

  test('the first connection is the first, though another one is the first to ask for something', async () => {
    const fault = { kind: 'answer', reason: 'TooManyRequests' } as const
    const { world } = await withFaults({ id: 'first', match: { connection: 1 }, fault })
    const first = await world.provider()
    const second = await world.provider()
    expect(await outcome(push(world, second))).toBe('200')
    expect(await outcome(push(world, first))).toBe('429 TooManyRequests')
  })

  test('latency holds back the answer, not the notification', async () => {
    const { world } = await withFaults({ id: 'late', fault: { kind: 'latency', ms: 300 } })
    const provider = await world.provider()
    const accepted = world.delivery.next()
    const started = performance.now()
    let isAnswered = false
    const answer = push(world, provider).then((told) => {
      isAnswered = true
      return told
    })
    await accepted
    expect(isAnswered).toBe(false)
    expect((await answer).status).toBe(200)
    expect(performance.now() - started).toBeGreaterThan(290)
  })

  test('the same seed gives the same answers to the same requests', async () => {
    const rule: FaultRuleInput = {
      id: 'some',
      match: { probability: 0.5 },
      fault: { kind: 'answer', reason: 'InternalServerError' },
    }
    const { world, faults } = await withFaults()
    const provider = await world.provider()
    const run = async (seed: number) => {
      faults.set({ seed, rules: [rule] })
      const outcomes: string[] = []
      for (let index = 0; index < 24; index++) outcomes.push(await outcome(push(world, provider)))
      return outcomes.join()
    }
    const first = await run(7)
    expect(first).toContain('500')
    expect(first).toContain('200')
    expect(await run(7)).toBe(first)
    expect(await run(8)).not.toBe(first)
  })
})

describe('connections that end', () => {
  test('GOAWAY after so many requests: those are answered, the rest is not processed', async () => {
    const { world } = await withFaults({
      id: 'away',
      match: { after: 5, perConnection: true },
      fault: { kind: 'goaway', reason: 'Shutdown' },
    })
    const provider = await world.provider()
    const goaway = once(provider.session, 'goaway')
    const outcomes = Promise.all(Array.from({ length: 8 }, () => outcome(push(world, provider))))
    const [code, lastStreamId, debugData] = await goaway
    expect([code, lastStreamId, String(debugData)]).toEqual([0, 9, '{"reason":"Shutdown"}'])
    const told = await outcomes
    expect(told.slice(0, 5)).toEqual(new Array(5).fill('200'))
    expect(told.slice(5)).not.toContain('200')
    expect(world.delivery.accepted).toHaveLength(5)
    // A new connection begins to count anew.
    expect(await outcome(push(world, await world.provider()))).toBe('200')
  })

  test('GOAWAY that cuts at once: requests under way get no answer', async () => {
    const { world } = await withFaults({
      id: 'away',
      match: { after: 2 },
      fault: { kind: 'goaway', code: 'INTERNAL_ERROR', finishes: false },
    })
    world.delivery.outcome = 'later'
    const provider = await world.provider()
    const goaway = once(provider.session, 'goaway')
    const outcomes = Promise.all(Array.from({ length: 3 }, () => outcome(push(world, provider))))
    const [code, lastStreamId] = await goaway
    expect([code, lastStreamId]).toEqual([constants.NGHTTP2_INTERNAL_ERROR, 3])
    expect(await outcomes).not.toContain('200')
    expect(world.delivery.accepted).toHaveLength(2)
  })

  test.each([
    ['after accepting: the notification counts', {}, 'afterAccepting', 1],
    ['before accepting, by topic', { topic: bundleId }, 'beforeAccepting', 0],
  ] as const)('closed without an answer %s', async (_when, match, when, accepted) => {
    const { world } = await withFaults({ id: 'lost', match, fault: { kind: 'close', when } })
    const provider = await world.provider()
    const closed = once(provider.session, 'close')
    expect(await outcome(push(world, provider))).not.toBe('200')
    await closed
    expect(world.delivery.accepted).toHaveLength(accepted)
  })

  test('a request that is refused is answered, although accepted ones would not be', async () => {
    const { world } = await withFaults({ id: 'lost', fault: { kind: 'close', when: 'afterAccepting' } })
    const provider = await world.provider()
    expect(await outcome(push(world, provider, { 'apns-priority': '11' }))).toBe('400 BadPriority')
  })

  test('every second connection is closed before its handshake', async () => {
    const { world } = await withFaults({ id: 'shut', match: { every: 2 }, fault: { kind: 'close' } })
    expect(await outcome(push(world, await world.provider()))).toBe('200')
    const second = world.dial()
    await new Promise((resolve) => second.session.once('close', resolve))
    expect(await outcome(push(world, await world.provider()))).toBe('200')
  })
})

describe('streams', () => {
  test.each(['REFUSED_STREAM', 'INTERNAL_ERROR', 'CANCEL'] as const)('RST_STREAM(%s)', async (code) => {
    const { world } = await withFaults({
      id: 'reset',
      match: { times: 2 },
      fault: { kind: 'resetStream', code },
    })
    const { session } = await world.provider()
    const codes: number[] = []
    for (let index = 0; index < 3; index++) {
      const stream = session.request(world.headers())
      stream.on('error', () => {})
      stream.resume().end(payload)
      await new Promise((resolve) => stream.once('close', resolve))
      codes.push(stream.rstCode)
    }
    const expected = constants[`NGHTTP2_${code}`]
    expect(codes).toEqual([expected, expected, 0])
    expect(world.delivery.accepted).toHaveLength(1)
  })

  test('RST_STREAM after accepting: the notification counts', async () => {
    const fault = { kind: 'resetStream', code: 'INTERNAL_ERROR', when: 'afterAccepting' } as const
    const { world } = await withFaults({ id: 'reset', fault })
    expect(await outcome(push(world, await world.provider()))).toBe('ERR_HTTP2_STREAM_ERROR')
    expect(world.delivery.accepted).toHaveLength(1)
  })

  test('small windows and no table: a push arrives all the same', async () => {
    const { world } = await withFaults({
      id: 'small',
      fault: { kind: 'settings', initialWindowSize: 10, maxConcurrentStreams: 3, headerTableSize: 0 },
    })
    const provider = await world.provider()
    expect(provider.session.remoteSettings).toMatchObject({ initialWindowSize: 10, headerTableSize: 0 })
    const answers = Array.from({ length: 9 }, () => outcome(push(world, provider)))
    expect(await Promise.all(answers)).toEqual(new Array(9).fill('200'))
    expect(provider.session.remoteSettings.maxConcurrentStreams).toBe(3)
    expect(Buffer.from(world.delivery.accepted[0]!.payload).toString()).toBe(payload)
  })

  test('a PING without an answer; requests are answered still', async () => {
    const { world, faults } = await withFaults({ id: 'deaf', fault: { kind: 'pingUnanswered' } })
    const provider = await world.provider()
    let pongs = 0
    provider.session.ping(() => pongs++)
    expect(await outcome(push(world, provider))).toBe('200')
    expect(await outcome(push(world, provider))).toBe('200')
    expect(pongs).toBe(0)
    faults.clear()
    const other = await world.provider()
    await new Promise((resolve) => other.session.ping(resolve))
  })
})

describe('transports', () => {
  test('half-open: no answer, no FIN, no RST', async () => {
    const match = { connection: 1, topic: bundleId, after: 1 }
    const { world } = await withFaults({
      id: 'dead',
      match,
      fault: { kind: 'halfOpen', when: 'afterAccepting' },
    })
    const provider = await world.provider()
    expect(await outcome(push(world, provider))).toBe('200')
    const events: string[] = []
    for (const event of ['goaway', 'close', 'error']) provider.session.on(event, () => events.push(event))
    const accepted = world.delivery.next()
    void outcome(push(world, provider)).then((told) => events.push(told))
    await accepted
    provider.session.ping(() => events.push('pong'))
    // Another connection is served many times: by then the dead one would have had its answers.
    const other = await world.provider()
    for (let index = 0; index < 10; index++) expect(await outcome(push(world, other))).toBe('200')
    expect(events).toEqual([])
  })

  test('a slow writer: the answer comes in small pieces', async () => {
    const { world } = await withFaults({
      id: 'slow',
      match: { topic: bundleId },
      fault: { kind: 'slowWriter', bytesPerSecond: 400 },
    })
    const provider = await world.provider()
    const started = performance.now()
    expect(await outcome(push(world, provider, { 'apns-priority': '11' }))).toBe('400 BadPriority')
    expect(performance.now() - started).toBeGreaterThan(100)
  })

  test('a slow reader: requests arrive late and whole', async () => {
    const { world } = await withFaults({ id: 'slow', fault: { kind: 'slowReader', bytesPerSecond: 2000 } })
    const provider = await world.provider()
    const started = performance.now()
    const answers = Array.from({ length: 5 }, () => outcome(push(world, provider)))
    expect(await Promise.all(answers)).toEqual(new Array(5).fill('200'))
    expect(performance.now() - started).toBeGreaterThan(200)
    expect(world.delivery.accepted.map((one) => Buffer.from(one.payload).toString())).toEqual(
      new Array(5).fill(payload),
    )
  })

  test('an expired certificate for one connection, the usual one for the next', async () => {
    const { world, faults } = await withFaults()
    const day = 86_400_000
    const expired = await world.ca.server({ notBefore: Date.now() - 2 * day, notAfter: Date.now() - day })
    const { certPem, keyPem } = expired
    faults.add({ id: 'old', match: { times: 1 }, fault: { kind: 'expiredCertificate', certPem, keyPem } })
    const dial = () =>
      connectTls({ port: world.gateway.port, host: 'localhost', ca: world.ca.caPem, ALPNProtocols: ['h2'] })
    const [error] = await once(dial(), 'error')
    expect(error.code).toBe('CERT_HAS_EXPIRED')
    const socket = dial()
    await once(socket, 'secureConnect')
    socket.destroy()
    expect(await outcome(push(world, await world.provider()))).toBe('200')
  })
})

describe('what the service believes', () => {
  test('a clock that is an hour ahead finds good tokens expired; one that is behind, future ones', async () => {
    const { world, faults } = await withFaults({ id: 'skew', fault: { kind: 'clockSkew', seconds: 3700 } })
    expect(await outcome(push(world, await world.provider()))).toBe('403 ExpiredProviderToken')
    faults.set({ rules: [{ id: 'skew', fault: { kind: 'clockSkew', seconds: -3700 } }] })
    expect(await outcome(push(world, await world.provider()))).toBe('403 InvalidProviderToken')
    faults.clear()
    expect(await outcome(push(world, await world.provider()))).toBe('200')
  })
})

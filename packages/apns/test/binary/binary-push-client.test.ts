import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Issued } from '../../../service/test/certificates.ts'
import { PortsWorld } from '../../../service/test/legacy/ports-world.ts'
import { BinaryPushClient, type BinaryPushClientOptions, type BinaryPushResult } from '../../src/index.ts'
import { CuttingProxy } from './cutting-proxy.ts'

let world: PortsWorld
let certificate: Issued
let proxy: CuttingProxy
let deviceToken: string
const nobody = '00'.repeat(32)
const clients: BinaryPushClient[] = []

beforeAll(async () => {
  world = await PortsWorld.start()
  ;[deviceToken = ''] = await world.tokens(1)
})
afterAll(() => world.close())
beforeEach(async () => {
  certificate = await world.certificate()
  proxy = await CuttingProxy.start(() => world.binaryPort)
  world.accepted.length = 0
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  proxy.close()
})

function clientFor(changes: Partial<BinaryPushClientOptions> = {}): BinaryPushClient {
  const { limits, ...rest } = changes
  const client = new BinaryPushClient({
    auth: { type: 'certificate', cert: certificate.certPem, key: certificate.keyPem },
    environment: 'sandbox',
    ...{ host: 'localhost', port: proxy.port, ca: world.ca.caPem },
    // So that nothing here waits for a clock.
    limits: {
      quietMs: Number.POSITIVE_INFINITY,
      reconnectMsMax: 1,
      connectsPerMinuteMax: 100_000,
      ...limits,
    },
    ...rest,
  })
  clients.push(client)
  return client
}

/** The numbers of the notifications that the service took, in order. */
const taken = () =>
  world.accepted.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()).n as number)

const sendNumbers = (client: BinaryPushClient, count: number, isBad: (n: number) => boolean = () => false) =>
  Array.from({ length: count }, (_, n) =>
    client.send({ deviceToken: isBad(n) ? nobody : deviceToken, payload: { n }, expiration: 2_000_000_000 }),
  )

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('sends', () => {
  test.each([0, 1, 2] as const)('by command %i; a flush tells that all were accepted', async (command) => {
    const client = clientFor({ command })
    const payload = { n: 0 }
    const sent = numbers(100).map(() => client.send({ deviceToken, payload }))
    await client.flush()
    expect(await Promise.all(sent)).toEqual(Array(100).fill({ ok: true, outcome: 'accepted' }))
    expect(world.accepted).toHaveLength(100)
  })

  test('expiration and priority', async () => {
    const client = clientFor()
    const before = Math.floor(Date.now() / 1000)
    void client.send({ deviceToken, payload: '{"aps":{}}', expiration: 0, priority: 5 })
    void client.send({ deviceToken, payload: Buffer.from('{}'), expiration: new Date(2_000_000_000_500) })
    void client.send({ deviceToken, payload: {} })
    await client.flush()
    expect(world.accepted.map(({ expiration, priority }) => [expiration, priority])).toEqual([
      [0, 5],
      [2_000_000_000, 10],
      [expect.any(Number), 10],
    ])
    expect(world.accepted[2]?.expiration).toBeGreaterThanOrEqual(before + 30 * 24 * 60 * 60)
  })

  test('and asks by itself when nothing more was sent for a while', async () => {
    const client = clientFor({ limits: { quietMs: 1 } })
    expect(await client.send({ deviceToken, payload: {} })).toEqual({ ok: true, outcome: 'accepted' })
  })

  test('more than the history holds: it asks in between, and nothing is forgotten', async () => {
    const client = clientFor({ limits: { historyMax: 64 } })
    const sent = sendNumbers(client, 1000)
    await client.flush()
    expect((await Promise.all(sent)).every(({ ok }) => ok)).toBe(true)
    expect(taken()).toEqual(numbers(1000))
    expect(proxy.connections).toBe(16)
  })

  test('close() flushes; afterwards nothing is sent', async () => {
    const client = clientFor()
    const sent = sendNumbers(client, 10)
    await client.close()
    expect((await Promise.all(sent)).every(({ ok }) => ok)).toBe(true)
    expect(await client.send({ deviceToken, payload: {} })).toMatchObject({
      outcome: 'unsent',
      reason: 'ClientClosed',
    })
    expect(taken()).toEqual(numbers(10))
  })
})

describe('an error packet', () => {
  test('tells which one is bad, and what followed is sent again', async () => {
    const client = clientFor()
    const sent = sendNumbers(client, 50, (n) => n === 20)
    await client.flush()
    const results = await Promise.all(sent)
    expect(results[20]).toEqual({
      ok: false,
      outcome: 'rejected',
      status: 8,
      reason: 'invalidToken',
      hint: expect.any(String),
    })
    expect(results.filter(({ ok }) => ok)).toHaveLength(49)
    expect(taken()).toEqual(numbers(50).filter((n) => n !== 20))
    expect(proxy.connections).toBe(2)
  })

  test('wherever there are any: each good one arrives exactly once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 400 }),
        fc.array(fc.nat(399), { maxLength: 12 }),
        fc.integer({ min: 1, max: 300 }),
        async (count, bad, historyMax) => {
          world.accepted.length = 0
          const client = clientFor({ limits: { historyMax } })
          const isBad = (n: number) => bad.includes(n)
          const sent = sendNumbers(client, count, isBad)
          await client.close()
          const results = await Promise.all(sent)
          expect(taken()).toEqual(numbers(count).filter((n) => !isBad(n)))
          expect(results.map(({ outcome }) => outcome)).toEqual(
            numbers(count).map((n) => (isBad(n) ? 'rejected' : 'accepted')),
          )
        },
      ),
      { numRuns: 20 },
    )
  })

  test('of a service that stops: what it did not take is sent to the next one, nothing twice', async () => {
    const client = clientFor()
    const sent = sendNumbers(client, 3000)
    await world.acceptedCount(1)
    await world.stop()
    await world.open()
    await client.flush()
    expect((await Promise.all(sent)).every(({ ok }) => ok)).toBe(true)
    expect(taken()).toEqual(numbers(3000))
  })

  test('does not come for command 0: then nobody knows', async () => {
    const client = clientFor({ command: 0 })
    const sent = [deviceToken, nobody].map((to) => client.send({ deviceToken: to, payload: {} }))
    expect(await Promise.all(sent)).toMatchObject([
      { outcome: 'ambiguous', reason: 'ConnectionLost' },
      { outcome: 'ambiguous', reason: 'ConnectionLost' },
    ])
  })
})

describe('a connection that is cut', () => {
  /** Cuts the first connections after random numbers of bytes; the handshake takes about two thousand. */
  const cuts = fc.array(fc.integer({ min: 3000, max: 60_000 }), { maxLength: 5 })

  test('nothing arrives twice, and every result is true', async () => {
    await fc.assert(
      fc.asyncProperty(cuts, fc.array(fc.nat(599), { maxLength: 4 }), async (places, bad) => {
        world.accepted.length = 0
        const first = proxy.connections
        proxy.bytesUntilCut = (connection) => places[connection - first] ?? Number.POSITIVE_INFINITY
        const client = clientFor()
        const sent = sendNumbers(client, 600, (n) => bad.includes(n))
        await client.close()
        const results = await Promise.all(sent)
        const arrived = taken()
        expect(new Set(arrived).size).toBe(arrived.length)
        const is = (outcome: BinaryPushResult['outcome']) =>
          numbers(600).filter((n) => results[n]?.outcome === outcome)
        expect(arrived).toEqual(expect.arrayContaining(is('accepted')))
        for (const n of [...is('rejected'), ...is('unsent')]) expect(arrived).not.toContain(n)
        for (const n of is('rejected')) expect(bad).toContain(n)
      }),
      { numRuns: 15 },
    )
  })

  test('with `resend` nothing is missing', async () => {
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        world.accepted.length = 0
        const first = proxy.connections
        proxy.bytesUntilCut = (connection) => places[connection - first] ?? Number.POSITIVE_INFINITY
        const client = clientFor({ whenAmbiguous: 'resend' })
        const sent = sendNumbers(client, 600)
        await client.close()
        expect((await Promise.all(sent)).every(({ ok }) => ok)).toBe(true)
        expect([...new Set(taken())].toSorted((a, b) => a - b)).toEqual(numbers(600))
      }),
      { numRuns: 15 },
    )
  })
})

describe('says what is wrong', () => {
  test('a certificate of an unknown authority: at once, for all that wait', async () => {
    const other = await PortsWorld.start()
    try {
      const client = clientFor({ ca: other.ca.caPem })
      const results = await Promise.all(sendNumbers(client, 3))
      expect(results).toMatchObject(Array(3).fill({ outcome: 'unsent', reason: 'ConnectFailed' }))
      expect(results[0]).toMatchObject({ hint: expect.stringContaining('`ca`') })
    } finally {
      await other.close()
    }
  })

  test('a certificate that the service refuses', async () => {
    world.authority.setCertificate(certificate.serial, 'revoked')
    const [sent] = sendNumbers(clientFor(), 1)
    expect(await sent).toMatchObject({ outcome: 'ambiguous', hint: expect.stringContaining('certificate') })
  })

  test('a queue that is full', async () => {
    const client = clientFor({ limits: { queuedMax: 2 } })
    const results = sendNumbers(client, 3)
    expect(await results[2]).toMatchObject({ outcome: 'unsent', reason: 'QueueFull' })
  })

  test('what no service would take is not sent', async () => {
    const client = clientFor()
    const results = await Promise.all([
      client.send({ deviceToken: 'xyz', payload: {} }),
      client.send({ deviceToken, payload: '' }),
      client.send({ deviceToken, payload: 'x'.repeat(5000) }),
      client.send({ deviceToken, payload: {}, priority: 7 as never }),
    ])
    expect(results.map((result) => !result.ok && result.status)).toEqual([5, 4, 7, 1])
    expect(proxy.connections).toBe(0)
  })

  test('mistakes in the program', async () => {
    const auth = { type: 'token', keyId: 'A', teamId: 'B', privateKey: '' } as never
    expect(() => clientFor({ auth })).toThrow(/auth/)
    expect(() => clientFor({ command: 3 as never })).toThrow(/command/)
    expect(() => clientFor({ limits: { historyMax: 0 } })).toThrow(/limits.historyMax/)
    expect(() => clientFor({ limits: { depth: 1 } as never })).toThrow(/limits.depth/)
    const client = clientFor({ command: 1 })
    await expect(client.send({ deviceToken, payload: {}, priority: 5 })).rejects.toThrow(/priority/)
    await expect(client.send({ deviceToken: 5 as never, payload: {} })).rejects.toThrow(/deviceToken/)
  })
})

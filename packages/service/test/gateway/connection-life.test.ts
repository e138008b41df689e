import { DEFAULT_LIMITS } from '@carillon/http2'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConnectionTable, type TabledConnection } from '../../src/gateway/connection-table.ts'
import { GatewayConnection } from '../../src/gateway/gateway-connection.ts'
import { limits } from '../../src/limits.ts'
import { bundleId, newKey, signToken } from '../memory-authority.ts'
import { GatewayWorld, payload, token } from './gateway-world.ts'
import type { Provider } from './provider.ts'

let world: GatewayWorld
beforeEach(async () => {
  world = await GatewayWorld.start()
})
afterEach(() => world.stop())

test('a PING is answered, also before any request', async () => {
  const provider = await world.provider()
  const [error] = await new Promise<unknown[]>((resolve) => {
    provider.session.ping((...answer) => resolve(answer))
  })
  expect(error).toBeNull()
})

describe('an idle connection', () => {
  /** The connection of a client that shook hands and said no more, after so many milliseconds. */
  function after(idleMs: number, prepare: (connection: GatewayConnection) => void = () => {}) {
    const connection = new GatewayConnection(world.shared(), undefined)
    const { http2 } = connection
    http2.tick(0)
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])
    const acknowledged = Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0])
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    http2.receive(Buffer.concat([preface, settings, acknowledged, acknowledged]), 1)
    prepare(connection)
    http2.takeOutput()
    http2.tick(idleMs)
    const output = http2.takeOutput()?.toString('latin1') ?? ''
    return { isEnded: http2.ended, output }
  }

  test('is ended with GOAWAY and IdleTimeout, soon where it has shown nothing', () => {
    expect(after(limits.unprovenIdleMsMax)).toMatchObject({ isEnded: false })
    const { isEnded, output } = after(limits.unprovenIdleMsMax + 2)
    expect(isEnded).toBe(true)
    expect(output).toContain('{"reason":"IdleTimeout"}')
  })

  test('lives for an hour once it has shown a provider token', () => {
    const prove = (connection: GatewayConnection) => {
      connection.onRequest(1, Object.entries(world.headers()).flat(), Buffer.from(payload))
    }
    // The first token raises the number of streams, which this client never acknowledges within its time.
    const acknowledge = (connection: GatewayConnection) => {
      prove(connection)
      connection.http2.receive(Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]), 2)
    }
    expect(after(3_600_000, acknowledge)).toMatchObject({ isEnded: false })
    expect(after(3_600_003, acknowledge)).toMatchObject({ isEnded: true })
  })
})

describe('connections that have shown nothing', () => {
  class Silent implements TabledConnection {
    readonly openedAtMs: number
    isDismissed = false
    constructor(openedAtMs: number) {
      this.openedAtMs = openedAtMs
    }
    onAuthorityChange(): void {}
    dismiss(): void {
      this.isDismissed = true
    }
    describe(): never {
      throw new Error('nobody asks')
    }
  }

  function crowd(table: ConnectionTable, count: number, openedAtMs: number): Silent[] {
    return Array.from({ length: count }, () => {
      const connection = new Silent(openedAtMs)
      table.add(connection)
      table.addUnproven(connection, openedAtMs)
      return connection
    })
  }

  test('of too many, the oldest makes room once it has had its time', () => {
    const table = new ConnectionTable()
    const [first, second] = crowd(table, limits.unprovenProvidersMax, 0)
    const [late] = crowd(table, 1, limits.unprovenProviderMsMin)
    expect([first!.isDismissed, second!.isDismissed, late!.isDismissed]).toEqual([true, false, false])
    expect(table.unprovenCount).toBe(limits.unprovenProvidersMax)
  })

  test('of too many at once, those that came first stay', () => {
    const table = new ConnectionTable()
    const [first] = crowd(table, limits.unprovenProvidersMax, 0)
    const [late] = crowd(table, 1, limits.unprovenProviderMsMin - 1)
    expect([first!.isDismissed, late!.isDismissed]).toEqual([false, true])
  })

  test('one that shows a token or a certificate is not counted any more', async () => {
    const shared = world.shared()
    const connection = new GatewayConnection(shared, undefined)
    expect(shared.connections.unprovenCount).toBe(1)
    connection.onRequest(1, Object.entries(world.headers()).flat(), Buffer.from(payload))
    expect(shared.connections).toMatchObject({ size: 1, unprovenCount: 0 })
    connection.http2.transportClosed()
    expect(shared.connections.size).toBe(0)
  })

  test('what their unfinished requests hold is counted together, until they show who they are', () => {
    const shared = world.shared()
    const [first, second] = [1, 2].map(() => new GatewayConnection(shared, undefined))
    // :method POST, :scheme https, and :path /x as a literal; the body does not come.
    const head = Buffer.from([0x83, 0x87, 0x04, 2, 0x2f, 0x78])
    const request = Buffer.concat([Buffer.from([0, 0, head.length, 1, 4, 0, 0, 0, 1]), head])
    const hello = Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
    ])
    for (const connection of [first!, second!]) connection.http2.receive(Buffer.concat([hello, request]), 1)
    const both = shared.unprovenBudget.bytes
    expect(both).toBeGreaterThan(100)
    first!.onRequest(3, Object.entries(world.headers()).flat(), Buffer.from(payload))
    expect(shared.unprovenBudget.bytes).toBe(both / 2)
    second!.http2.transportClosed()
    expect(shared.unprovenBudget.bytes).toBe(0)
  })
})

test.each([
  [false, limits.unprovenOutputBytesMax],
  [true, DEFAULT_LIMITS.outputBytesMax],
])('answers that nobody reads end a connection (shown who it is: %s) at %d bytes', (isProven, bytesMax) => {
  const connection = new GatewayConnection(world.shared(), undefined)
  const { http2 } = connection
  // :method POST, :scheme https, :path / of the static table: answered BadPath.
  const head = Buffer.from([0x83, 0x87, 0x84])
  const request = (at: number) => {
    const frame = Buffer.from([0, 0, head.length, 1, 5, 0, 0, 0, 0])
    frame.writeUInt32BE(2 * at + 1, 5)
    return Buffer.concat([frame, head])
  }
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])
  // Without it the client's window would hold the bodies back, and further streams would be refused.
  const wideWindow = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0x40, 0, 0, 0])
  http2.receive(Buffer.concat([preface, settings, wideWindow]), 1)
  if (isProven) connection.onRequest(1, Object.entries(world.headers()).flat(), Buffer.from(payload))
  let most = 0
  for (let sent = 1; sent < 200_000 && !http2.ended; sent++) {
    http2.receive(request(sent), 1)
    if (!http2.ended) most = http2.outputBytes
  }
  expect(http2.abandoned).toBe(true)
  expect(most).toBeGreaterThan(bytesMax / 2)
  expect(most).toBeLessThanOrEqual(bytesMax)
})

describe('a certificate that ends', () => {
  const request = { ':method': 'POST', ':path': `/3/device/${token}`, 'apns-topic': bundleId }

  test('by revocation: the connections that use it end, others do not', async () => {
    const [one, two] = await Promise.all([
      world.ca.push('sandbox', bundleId),
      world.ca.push('sandbox', bundleId),
    ])
    for (const { serial } of [one, two]) world.authority.setCertificate(serial, 'good')
    const [ended, other] = [await world.provider(one), await world.provider(two)]
    for (const each of [ended, other])
      expect(await each.send(request, payload)).toMatchObject({ status: 200 })
    const told = ended.goaway()
    world.authority.setCertificate(one.serial, 'revoked')
    expect(await told).toMatchObject({ reason: 'BadCertificate' })
    expect(await other.send(request, payload)).toMatchObject({ status: 200 })
  })

  test('by its date: the next request is answered BadCertificate, and then the connection ends', async () => {
    const brief = await world.ca.push('sandbox', bundleId, { notAfter: world.nowMs + 1000 * 3600 })
    world.authority.setCertificate(brief.serial, 'good')
    const provider = await world.provider(brief)
    expect(await provider.send(request, payload)).toMatchObject({ status: 200 })
    const told = provider.goaway()
    world.nowMs += 2 * 3600 * 1000
    expect(await provider.send(request, payload)).toMatchObject({ status: 403, reason: 'BadCertificate' })
    expect(await told).toMatchObject({ reason: 'BadCertificate' })
  })

  test('a certificate that was never good keeps its connection, and is told with each answer', async () => {
    const unknown = await world.ca.push('sandbox', bundleId)
    const provider = await world.provider(unknown)
    for (let sent = 0; sent < 3; sent++) {
      expect(await provider.send(request, payload)).toMatchObject({ reason: 'BadCertificate' })
    }
  })
})

describe('the app of a certificate that another team took over', () => {
  test('is not allowed any more', async () => {
    const certificate = await world.ca.push('sandbox', bundleId)
    world.authority.setCertificate(certificate.serial, 'good')
    const provider = await world.provider(certificate)
    const request = { ':method': 'POST', ':path': `/3/device/${token}`, 'apns-topic': bundleId }
    expect(await provider.send(request, payload)).toMatchObject({ status: 200 })
    world.authority.setApp(bundleId, { teamId: 'TEAM000002' })
    expect(await provider.send(request, payload)).toMatchObject({ reason: 'TopicDisallowed' })
  })
})

describe('keys for topics', () => {
  const [first, second, third] = [newKey(), newKey(), newKey()]
  const bearerOf = (key: ReturnType<typeof newKey>, kid: string) =>
    `bearer ${signToken(key.privateKey, Math.floor(world.nowMs / 1000), { header: { kid } })}`
  const push = (provider: Provider, authorization: string, topic = bundleId) =>
    provider.send({ ...world.headers(), authorization, 'apns-topic': topic }, payload)

  beforeEach(() => {
    world.authority.setApp('com.example.other')
    const topics = [bundleId]
    world.authority.setKey('KEYTOPIC01', first.publicKey, { topics, relatedKeyId: 'KEYTOPIC02' })
    world.authority.setKey('KEYTOPIC02', second.publicKey, { topics, relatedKeyId: 'KEYTOPIC01' })
    world.authority.setKey('KEYTOPIC03', third.publicKey, { topics })
  })

  test('a related key may follow on the connection, an unrelated one may not', async () => {
    const provider = await world.provider()
    expect(await push(provider, bearerOf(first, 'KEYTOPIC01'))).toMatchObject({ status: 200 })
    expect(await push(provider, bearerOf(second, 'KEYTOPIC02'))).toMatchObject({ status: 200 })
    expect(await push(provider, bearerOf(third, 'KEYTOPIC03'))).toMatchObject({
      status: 403,
      reason: 'UnrelatedKeyIdInToken',
    })
    expect(await push(provider, bearerOf(first, 'KEYTOPIC01'))).toMatchObject({ status: 200 })
  })

  test('a topic that the key is not for is TopicDisallowed', async () => {
    const provider = await world.provider()
    expect(await push(provider, bearerOf(first, 'KEYTOPIC01'), 'com.example.other')).toMatchObject({
      status: 400,
      reason: 'TopicDisallowed',
    })
  })

  test('the key of another environment is told as such, whatever the connection is bound to', async () => {
    world.authority.setKey('KEYTOPIC03', third.publicKey, { topics: [bundleId], environment: 'production' })
    const provider = await world.provider()
    expect(await push(provider, world.bearer())).toMatchObject({ status: 200 })
    expect(await push(provider, bearerOf(third, 'KEYTOPIC03'))).toMatchObject({
      status: 403,
      reason: 'BadEnvironmentKeyInToken',
    })
  })
})

import { randomUUID } from 'node:crypto'
import { apnsIdBytes, courierReports } from '@carillon/wire'
import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/service-error.ts'
import { bundleId } from '../memory-authority.ts'
import { AdminWorld } from './admin-world.ts'

describe('where is my notification?', () => {
  test('offline, stored, replaced, sent, acknowledged, shown, opened: every step is in its trace', async () => {
    const world = await AdminWorld.start()
    const device = await world.devices.device('phone-1')
    const first = await world.connect(device)
    const token = Buffer.from(await first.register(bundleId)).toString('hex')
    await first.leave()
    await offline(world, token)

    const [old, latest] = [randomUUID(), randomUUID()]
    expect((await world.push(token, old)).status).toBe(200)
    const { uniqueId } = await world.push(token, latest)
    const phone = await world.connect(device)
    await phone.register(bundleId)
    const { id, tracingId } = await phone.hear('notification')
    expect(Buffer.from(tracingId!).toString('hex')).toBe(latest.replaceAll('-', ''))
    const about = { tracingId: apnsIdBytes(latest)!, token: Buffer.from(token, 'hex') }
    phone.say(
      { type: 'ack', id, status: 0, token: about.token },
      { type: 'tracingAck', ...about, status: 0, report: courierReports.shown },
      { type: 'tracingAck', ...about, status: 0, report: courierReports.opened },
    )
    const stream = await world.stream(`/v1/traces/stream?apnsId=${latest}&after=0.0`)
    const live = await stream.atLeast(6)

    const replaced = await world.get(`/v1/traces/${old}`)
    expect(replaced.body.traces).toMatchObject([
      {
        ...{ apnsId: old, token, topic: bundleId, app: bundleId, pushType: 'alert', priority: 10 },
        state: 'replaced',
        events: [
          { stage: 'received' },
          { stage: 'stored', why: 'offline' },
          { stage: 'replaced', by: latest },
        ],
      },
    ])
    const stages = ['received', 'stored', 'sent', 'acknowledged', 'shown', 'opened']
    expect(live.map(({ event }) => event)).toEqual(stages)
    const byUniqueId = async (stage: string) =>
      (await world.get(`/v1/traces?uniqueId=${uniqueId}${stage}`)).body.events.length
    expect([
      await byUniqueId(''),
      await byUniqueId('&stage=received'),
      await byUniqueId('&stage=shown'),
    ]).toEqual([1, 1, 0])
    for (const id of [latest, uniqueId]) {
      const { traces } = (await world.get(`/v1/traces/${id}`)).body
      expect(traces).toHaveLength(1)
      expect(traces[0]).toMatchObject({ apnsId: latest, uniqueId, state: 'opened' })
      expect(traces[0].events.map(({ stage }: { stage: string }) => stage)).toEqual(stages)
      const [received, , sent, acknowledged] = traces[0].events
      expect([received.uniqueId, sent.fromStorage, acknowledged.status]).toEqual([uniqueId, true, 0])
      const times = traces[0].events.map(({ at }: { at: string }) => Date.parse(at))
      expect(times.toSorted()).toEqual(times)
    }
    const byToken = await world.get(`/v1/traces?token=${token.toUpperCase()}&limit=2`)
    expect(byToken.body.events.map(({ stage }: { stage: string }) => stage)).toEqual(['opened', 'shown'])
    const older = await world.get(`/v1/traces?token=${token}&cursor=${byToken.body.nextCursor}&stage=sent`)
    expect(older.body.events).toMatchObject([{ stage: 'sent', apnsId: latest }])
    expect(older.body.nextCursor).toBeUndefined()
  })

  test('a rejected push has its reason', async () => {
    const world = await AdminWorld.start()
    const apnsId = randomUUID()
    expect((await world.push('ee'.repeat(32), apnsId)).status).toBe(400)
    const { body } = await world.get(`/v1/traces?app=${bundleId}`)
    expect(body.events).toMatchObject([
      { stage: 'rejected', apnsId, token: 'ee'.repeat(32), topic: bundleId, reason: 'BadDeviceToken' },
    ])
  })

  test('of what never was, nothing is known', async () => {
    const world = await AdminWorld.start()
    const { status, body } = await world.get(`/v1/traces/${randomUUID()}`)
    expect([status, body.code]).toEqual([404, 'NOT_FOUND'])
  })

  test('reports about tokens of others, or without an id, are not believed', async () => {
    const world = await AdminWorld.start()
    const [alice, bob] = [await world.devices.device('alice'), await world.devices.device('bob')]
    const alices = await (await world.connect(alice)).register(bundleId)
    const phone = await world.connect(bob)
    const bobs = await phone.register(bundleId)
    const tracingId = apnsIdBytes(randomUUID())!
    phone.say(
      { type: 'tracingAck', tracingId, token: alices, report: courierReports.opened },
      { type: 'tracingAck', token: bobs, report: courierReports.opened },
      { type: 'tracingAck', tracingId, token: bobs },
      { type: 'tracingAck', tracingId, token: bobs, report: 77 },
      { type: 'tracingAck', tracingId, token: bobs, report: courierReports.opened },
    )
    const stream = await world.stream('/v1/traces/stream?stage=opened&after=0.0')
    await stream.atLeast(1)
    const { body } = await world.get('/v1/traces?stage=opened')
    expect(body.events.map(({ token }: { token: string }) => token)).toEqual([
      Buffer.from(bobs).toString('hex'),
    ])
  })
})

describe('receipts', () => {
  test('are read on by cursor across a restart, each once and without a gap', async () => {
    const world = await AdminWorld.start()
    const device = await world.devices.device('phone-1')
    const seen: string[] = []
    const sent: string[] = []
    let cursor = '0.0'
    for (let run = 0; run < 3; run++) {
      const phone = await world.connect(device)
      const token = Buffer.from(await phone.register(bundleId)).toString('hex')
      for (let number = 1; number <= 5; number++) {
        const apnsId = randomUUID()
        sent.push(apnsId)
        const pushed = world.push(token, apnsId)
        phone.say({ type: 'ack', id: (await phone.hear('notification', number)).id, status: 0 })
        expect((await pushed).status).toBe(200)
      }
      // In the first runs a part is left for the next process.
      for (let more = true; more && seen.length < (run + 1) * 4; ) {
        const { body } = await world.get(`/v1/receipts?after=${cursor}&type=delivered&limit=2`)
        expect(body.gap).toBe(false)
        seen.push(...body.receipts.map(({ apnsId }: { apnsId: string }) => apnsId))
        cursor = body.cursor
        more = body.more
      }
      await phone.leave()
      await world.restart()
    }
    const stream = await world.stream('/v1/receipts/stream?type=delivered', { 'last-event-id': cursor })
    const rest = await stream.atLeast(sent.length - seen.length)
    seen.push(...rest.map(({ data }) => data.apnsId))
    expect(seen).toEqual(sent)
    expect(rest.map(({ event }) => event)).not.toContain('gap')
  })

  test('tell what expired, was replaced and of tokens that are dead, per app', async () => {
    const world = await AdminWorld.start()
    const device = await world.devices.device('phone-1')
    const phone = await world.connect(device)
    const token = Buffer.from(await phone.register(bundleId)).toString('hex')
    const gone = randomUUID()
    const pushed = world.push(token, gone)
    phone.say({ type: 'ack', id: (await phone.hear('notification')).id, status: 2 })
    await pushed
    const stream = await world.stream(`/v1/receipts/stream?app=${bundleId}`)
    const told = await stream.atLeast(2)
    expect(told.map(({ event }) => event).toSorted()).toEqual(['discarded', 'tokenInactive'])
    expect(told.find(({ event }) => event === 'tokenInactive')?.data).toMatchObject({ token, app: bundleId })
    expect(told.find(({ event }) => event === 'discarded')?.data).toMatchObject({
      ...{ apnsId: gone, why: 'unregistered' },
    })
    const others = await world.get('/v1/receipts?app=com.example.other')
    expect(others.body).toMatchObject({ receipts: [], gap: false, more: false })
    const tokens = await world.get(`/v1/tokens/${token}`)
    expect(tokens.body).toMatchObject({ active: false, online: true, app: bundleId, stored: 0 })
  })

  test('a cursor that is not known any more begins at what is kept, and says that there is a gap', async () => {
    const world = await AdminWorld.start()
    const { body } = await world.get('/v1/receipts?after=1.5')
    expect(body).toMatchObject({ receipts: [], gap: true })
  })
})

describe('metrics', () => {
  test('count what happened, and know it after a restart', async () => {
    const world = await AdminWorld.start()
    const device = await world.devices.device('phone-1')
    const away = await world.connect(device)
    const token = Buffer.from(await away.register(bundleId)).toString('hex')
    await away.leave()
    await offline(world, token)
    await world.push(token, randomUUID())
    await world.push(token, randomUUID(), { 'apns-priority': '5' })
    await world.push('ee'.repeat(32), randomUUID())
    const phone = await world.connect(device)
    await phone.register(bundleId)
    phone.say({ type: 'ack', id: (await phone.hear('notification')).id, status: 0 })
    const delivered = await world.stream('/v1/receipts/stream?type=delivered')
    await delivered.atLeast(1)
    const numbers = {
      ...{ received: 2, storedOffline: 2, replaced: 1, sent: 1, deliveredFromStorage: 1, delivered: 0 },
      rejected: { BadDeviceToken: 1 },
    }
    const text = (await world.get('/metrics')).body as string
    expect(text).toContain(
      `carillon_notifications_total{app="${bundleId}",push_type="alert",priority="5",event="deliveredFromStorage"} 1`,
    )
    expect(text).toContain(`carillon_rejections_total{app="${bundleId}",reason="BadDeviceToken"} 1`)
    expect(text).toContain('carillon_devices_online 1')
    for (const kind of ['binary', 'feedback']) {
      expect(text).toContain(`carillon_connections{kind="${kind}"} 0`)
    }
    for (const name of [
      'process_open_fds',
      'nodejs_eventloop_delay_seconds',
      'carillon_store_commits_total',
    ]) {
      expect(text).toMatch(new RegExp(`^${name}[ {]`, 'm'))
    }
    for (let run = 0; run < 2; run++) {
      const { body } = await world.get('/v1/metrics')
      expect(body.total).toMatchObject(numbers)
      expect(body.hours.length).toBeGreaterThan(0)
      const high = (await world.get('/v1/metrics?priority=10&pushType=alert')).body
      expect(high.total).toMatchObject({ received: 1, replaced: 1, deliveredFromStorage: 0 })
      expect((await world.get('/v1/metrics?app=com.example.other')).body.rows).toEqual([])
      await world.restart()
    }
  })
})

describe('who is connected', () => {
  test('providers with their key and team, devices with their certificate', async () => {
    const world = await AdminWorld.start()
    const device = await world.devices.device('phone-1')
    const phone = await world.connect(device)
    const token = Buffer.from(await phone.register(bundleId)).toString('hex')
    const pushed = world.push(token, randomUUID())
    phone.say({ type: 'ack', id: (await phone.hear('notification')).id, status: 0 })
    await pushed
    const { body } = await world.get('/v1/connections')
    expect(body).toMatchObject({
      providers: {
        count: 1,
        connections: [{ teamId: 'TEAM000001', keyId: 'KEY0000001', address: '127.0.0.1', accepted: 1 }],
      },
      devices: {
        count: 1,
        connections: [
          { deviceId: 'phone-1', certificateSerial: device.serial, notifications: 1, framing: 'tlv' },
        ],
      },
    })
    const onlyDevices = await world.get('/v1/connections?kind=device&limit=1')
    expect(onlyDevices.body.providers).toEqual({ count: 1, connections: [] })
    const counted = { count: 1, connections: [] }
    expect((await world.get('/v1/connections?limit=0')).body).toEqual({
      providers: counted,
      devices: counted,
    })
    const listed = (await world.get('/v1/devices')).body.devices
    expect(listed).toMatchObject([{ deviceId: 'phone-1', online: true }])
    expect((await world.get(`/v1/devices?after=${listed[0].device}`)).body.devices).toEqual([])
    expect((await world.get('/v1/devices/phone-1')).body).toMatchObject({
      tokens: [{ token, topic: bundleId, active: true, online: true, stored: 0 }],
    })
    const missing = [await world.get('/v1/devices/phone-2'), await world.get(`/v1/tokens/${'00'.repeat(32)}`)]
    expect(missing.map(({ status, body }) => [status, body.code])).toEqual([
      [404, 'NOT_FOUND'],
      [404, 'NOT_FOUND'],
    ])
  })
})

describe('the API itself', () => {
  test.each([
    '/v1/traces',
    '/v1/traces/stream',
    '/v1/receipts',
    '/v1/metrics',
    '/metrics',
    '/v1/connections',
  ])('%s wants the key', async (path) => {
    const world = await AdminWorld.start()
    for (const authorization of ['', 'Bearer wrong', 'Basic dGhlOmtleQ==']) {
      const { status, type, body } = await world.get(path, { authorization })
      expect([status, type, body.code]).toEqual([401, 'application/problem+json', 'UNAUTHORIZED'])
    }
  })

  test.each([
    ['/v1/traces?limit=1&limit=2', 'limit: may be given once.'],
    ['/v1/traces?color=red', 'There is no "color" here; see /openapi.json.'],
    [
      '/v1/receipts?type=letter',
      'type: must be one or more of delivered, shown, opened, expired, replaced, discarded, tokenInactive.',
    ],
  ])('%s is answered: %s', async (path, sentence) => {
    const world = await AdminWorld.start()
    expect((await world.get(path)).body.detail).toBe(sentence)
  })

  test.each([
    ['/v1/traces?apnsId=none', 'apnsId'],
    ['/v1/traces?token=12', 'token'],
    ['/v1/traces?channel=12', 'channel'],
    ['/v1/traces?limit=0', 'limit'],
    ['/v1/traces?limit=x', 'limit'],
    ['/v1/traces?from=yesterday', 'from'],
    ['/v1/traces?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z', 'from: must be before to.'],
    ['/v1/metrics?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z', 'from: must be before to.'],
    ['/v1/traces?cursor=1', 'cursor'],
    ['/v1/traces?stage=lunch', 'stage'],
    ['/v1/traces?color=red', 'color'],
    ['/v1/traces/none', 'id'],
    ['/v1/traces/stream?after=x', 'after'],
    ['/v1/receipts?after=x', 'after'],
    ['/v1/receipts?type=letter', 'type'],
    ['/v1/receipts/stream?limit=3', 'limit'],
    ['/v1/metrics?to=1x', 'to'],
    ['/v1/metrics?priority=11', 'priority'],
    ['/v1/connections?kind=cousin', 'kind'],
    ['/v1/devices?after=-1', 'after'],
    ['/v1/tokens/zz', 'token'],
  ])('%s is told what is wrong with %s', async (path, field) => {
    const world = await AdminWorld.start()
    const { status, body } = await world.get(path)
    expect([status, body.code]).toEqual([400, 'INVALID_REQUEST'])
    expect(body.detail).toContain(field)
  })

  test('describes itself, and names what it does not have', async () => {
    const world = await AdminWorld.start()
    const { body } = await world.get('/openapi.json', { authorization: '' })
    expect(body.openapi).toBe('3.1.0')
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        ...['/v1/traces', '/v1/traces/{id}', '/v1/traces/stream', '/v1/receipts', '/v1/receipts/stream'],
        ...['/healthz', '/metrics', '/v1/metrics', '/v1/connections', '/v1/devices', '/v1/tokens/{token}'],
      ]),
    )
    const { status, body: problem } = await world.get('/v1/nothing')
    expect([status, problem.detail]).toEqual([404, 'There is no GET /v1/nothing; see /openapi.json.'])
  })

  test('streams end when the service stops', async () => {
    const world = await AdminWorld.start()
    const streams = [await world.stream('/v1/traces/stream'), await world.stream('/v1/receipts/stream')]
    await world.service.close()
    await Promise.all(streams.map((stream) => stream.ended()))
  })

  test('where tracing is off, it says so', async () => {
    const world = await AdminWorld.start({ trace: { enabled: false } })
    for (const path of ['/v1/traces', '/v1/traces/stream', '/v1/receipts']) {
      const { status, body } = await world.get(path)
      expect([status, body.detail]).toEqual([409, 'Notifications are not traced; set trace.enabled to true.'])
    }
    expect((await world.get('/v1/metrics')).status).toBe(200)
  })

  test('a port without a key is refused at the start', async () => {
    const world = await AdminWorld.start()
    const started = world.restart({ admin: { key: '' } })
    await expect(started).rejects.toThrow(ServiceError)
    await expect(started).rejects.toMatchObject({ code: 'ADMIN_KEY_MISSING' })
  })
})

/** Resolves when the service knows that the device of a token is away. */
async function offline(world: AdminWorld, token: string): Promise<void> {
  while ((await world.get(`/v1/tokens/${token}`)).body.online) {
    // Each question takes a round trip, in which the service hears of the end of the connection.
  }
}

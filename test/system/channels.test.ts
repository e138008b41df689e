import { writeFile } from 'node:fs/promises'
import apn from '@parse/node-apn'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type JsonLine, Place, type Run } from './run-carillon.ts'
import { bundleId, pushCertificate, type RunningApp, startApp, startDevice } from './running-app.ts'

const place = new Place()
let app: RunningApp
let phone: Run

beforeAll(async () => {
  app = await startApp(place, 'sandbox', ['--broadcast', 'on'])
  phone = app.device
})
afterAll(() => place.close())

const unknown = Buffer.alloc(16, 9).toString('base64')
const inAnHour = () => String(Math.floor(Date.now() / 1000) + 3600)

/** `carillon channel …` for the app. */
function channelCommand(what: string, ...more: string[]): string[] {
  const of = ['--data', place.data, '--environment', 'sandbox', '--app', bundleId]
  return ['channel', what, ...of, ...app.auth, ...more]
}

function channel(what: string, ...more: string[]): Promise<JsonLine> {
  return place.line(...channelCommand(what, ...more))
}

async function created(storage: 'none' | 'latest'): Promise<string> {
  return (await channel('create', '--storage', storage)).channelId
}

function broadcast(channelId: string, home: number, ...more: string[]): Promise<JsonLine> {
  return channel('broadcast', '--channel', channelId, '--state', JSON.stringify({ home }), ...more)
}

/** The same device again, listening to these channels. */
async function restarted(...channelIds: string[]): Promise<Run> {
  await phone.end()
  phone = startDevice(
    place,
    app.profile,
    undefined,
    channelIds.flatMap((id) => ['--channel', id]),
  )
  await phone.event('connected')
  await Promise.all(channelIds.map((id) => phone.event('subscribed', ({ channelId }) => channelId === id)))
  return phone
}

const shown = (run: Run, home: number) =>
  run.event('broadcast', ({ payload }) => payload.aps['content-state'].home === home)
const countOf = (run: Run, channelId: string) =>
  run.lines.filter((line) => line.event === 'broadcast' && line.channelId === channelId).length

describe('from the command line', () => {
  test('a channel is created, listed, shown and deleted', async () => {
    const id = await created('latest')
    expect(await channel('show', '--channel', id)).toMatchObject({ ok: true, storage: 'latest' })
    expect((await channel('list')).channelIds).toContain(id)
    expect(await channel('delete', '--channel', id)).toMatchObject({ ok: true })
    expect((await channel('list')).channelIds).not.toContain(id)
    const ended = await place.carillon(...channelCommand('show', '--channel', id))
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain('400 ChannelNotRegistered')
  })

  test('a device that listens shows a broadcast, and one that was not there the last one that is stored', async () => {
    const [live, stored] = [await created('none'), await created('latest')]
    await restarted(live, stored)
    expect(await broadcast(live, 1, '--alert', 'Goal')).toMatchObject({ ok: true })
    expect(await shown(phone, 1)).toMatchObject({
      bundleId,
      channelId: live,
      shown: { kind: 'activity', body: 'Goal' },
    })
    await broadcast(stored, 2, '--expiration', inAnHour())
    await shown(phone, 2)

    await phone.end()
    await broadcast(live, 3)
    await broadcast(stored, 4, '--expiration', inAnHour())
    await broadcast(stored, 5, '--expiration', inAnHour())
    const back = await restarted(live, stored)
    await shown(back, 5)
    await broadcast(live, 6)
    await shown(back, 6)
    expect([countOf(back, live), countOf(back, stored)]).toEqual([1, 1])

    // What it has seen does not come again.
    const again = await restarted(live, stored)
    await broadcast(live, 7)
    await shown(again, 7)
    expect(countOf(again, stored)).toBe(0)
  })

  test('a broadcast is traced under its request id: to how many devices, kept or not, or why it was rejected', async () => {
    const id = await created('latest')
    await restarted(id)
    const { requestId } = await broadcast(id, 8, '--expiration', inAnHour())
    await shown(phone, 8)
    const trace = await place.line('trace', requestId, '--data', place.data)
    expect(trace).toMatchObject({ environment: 'sandbox', apnsId: requestId, channel: id, state: 'sent' })
    expect(trace.events.map(({ stage, devices }: JsonLine) => [stage, devices])).toEqual([
      ['received', undefined],
      ['stored', undefined],
      ['sent', 1],
    ])
    const { stdout } = await place.carillon('trace', requestId, '--data', place.data)
    expect(stdout).toContain(`  channel    ${id}\n`)
    expect(stdout).toContain('sent to one device')

    const rejected = await place.carillon(
      ...channelCommand('broadcast', '--channel', unknown, '--end', '--json'),
    )
    const refused = await place.line('trace', JSON.parse(rejected.stdout).requestId, '--data', place.data)
    expect(refused).toMatchObject({
      channel: unknown,
      state: 'rejected',
      events: [{ reason: 'BadChannelId' }],
    })
  })

  test('a Live Activity that is started by a push listens to its channel, until a broadcast ends it', async () => {
    const id = await created('latest')
    await phone.end()
    phone = startDevice(place, app.profile, undefined, ['--push-type', 'liveactivity'])
    const topic = `${bundleId}.push-type.liveactivity`
    const { deviceToken } = await phone.event('registered', (line) => line.topic === topic)
    const start = place.path('start.json')
    const timestamp = Math.floor(Date.now() / 1000) - 60
    const aps = {
      ...{ timestamp, event: 'start', 'input-push-channel': id },
      ...{ 'content-state': { home: 0 }, 'attributes-type': 'Match', attributes: { teams: 'A, B' } },
      alert: { title: 'Kick-off', body: 'A against B' },
    }
    await writeFile(start, JSON.stringify({ aps }))
    const to = ['--topic', topic, '--token', deviceToken, '--push-type', 'liveactivity']
    await app.push(...to, '--payload', start)
    await phone.event('subscribed', ({ channelId }) => channelId === id)
    await broadcast(id, 1)
    await shown(phone, 1)
    // The device comes back to its activity without being told of the channel.
    await phone.end()
    await broadcast(id, 2, '--expiration', inAnHour())
    phone = startDevice(place, app.profile, undefined, ['--push-type', 'liveactivity'])
    await shown(phone, 2)
    await broadcast(id, 3, '--end')
    await shown(phone, 3)
    await broadcast(id, 4)
    const ended = phone
    await restarted()
    await broadcast(id, 5)
    await restarted()
    expect(
      [...ended.lines, ...phone.lines].filter(({ payload }) => payload?.aps['content-state']?.home > 3),
    ).toEqual([])
  })

  test('a channel that does not exist is said', async () => {
    await phone.end()
    phone = startDevice(place, app.profile, undefined, ['--channel', unknown])
    const ended = await phone.ended
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain('CHANNEL_UNKNOWN')
    phone = startDevice(place, app.profile)
    await phone.event('connected')
  })

  test('switching the capability off deletes the channels', async () => {
    const id = await created('latest')
    await restarted(id)
    const set = (to: string) =>
      place.line('portal', 'app', 'update', '--data', place.data, '--bundle-id', bundleId, '--broadcast', to)
    expect(await set('off')).toMatchObject({ broadcast: false })
    expect(await set('on')).toMatchObject({ broadcast: true })
    expect((await channel('list')).channelIds).toEqual([])
    // The device is told when it comes back.
    await phone.end()
    phone = startDevice(place, app.profile)
    await phone.event('channelGone', ({ channelId }) => channelId === id)
  })
})

test('kill -9: a channel and its message that were answered are there when the system comes back', async () => {
  const ids = await Promise.all([created('latest'), created('none'), created('latest')])
  await broadcast(ids[0]!, 41, '--expiration', inAnHour())
  const last = await created('latest')
  app.up.run.child.kill('SIGKILL')
  await app.up.run.ended
  const { endpoints } = await place.up()
  app = { ...app, gateway: endpoints.environments.sandbox.http2 }
  expect((await channel('list')).channelIds).toEqual(expect.arrayContaining([...ids, last]))
  await restarted(ids[0]!)
  await shown(phone, 41)
})

describe('@parse/node-apn', () => {
  type Credentials = () => apn.ProviderOptions | Promise<apn.ProviderOptions>
  const ways: [string, Credentials][] = [
    [
      'a provider token',
      () => ({ token: { key: app.key.file, keyId: app.key.keyId, teamId: app.key.teamId } }),
    ],
    [
      'a push certificate',
      async () => {
        const { certFile, keyFile } = await pushCertificate(place, 'universal', '--key-type', 'rsa')
        return { cert: certFile, key: keyFile }
      },
    ],
  ]

  test.each(ways)('with %s: channels are managed and a broadcast is shown', async (_name, credentials) => {
    const provider = new apn.Provider({
      ...(await credentials()),
      ...{ address: 'localhost', port: app.gateway.port, ca: [app.caFile], requestTimeout: 60_000 },
      ...{ manageChannelsAddress: 'localhost', manageChannelsPort: app.gateway.port },
    })
    const notification = (fields: Partial<apn.Notification> = {}) =>
      Object.assign(new apn.Notification(), fields)
    const call = async (action: apn.ChannelAction, fields: Partial<apn.Notification> = {}) => {
      const { sent, failed } = await provider.manageChannels(notification(fields), bundleId, action)
      return (sent[0] ?? failed[0]) as JsonLine
    }
    try {
      const made = await call('create', { payload: { 'message-storage-policy': 1 } })
      const channelId: string = made['apns-channel-id']
      expect(channelId).toMatch(/^[A-Za-z0-9+/]{22}==$/)
      expect(await call('read', { channelId })).toMatchObject({
        'message-storage-policy': 1,
        'push-type': 'LiveActivity',
      })
      expect((await call('readAll')).channels).toContain(channelId)

      await restarted(channelId)
      const home = 17
      const update = notification({
        channelId,
        pushType: 'liveactivity',
        expiry: Number(inAnHour()),
        rawPayload: {
          aps: { timestamp: Math.floor(Date.now() / 1000), event: 'update', 'content-state': { home } },
        },
      })
      const { sent, failed } = await provider.broadcast(update, bundleId)
      expect(failed).toEqual([])
      expect(sent[0]).toHaveProperty('apns-request-id')
      await shown(phone, home)

      expect(await call('delete', { channelId })).toHaveProperty('apns-request-id')
      expect(await call('read', { channelId })).toMatchObject({
        status: 400,
        response: { reason: 'ChannelNotRegistered' },
      })
      expect(await call('delete', { channelId })).toMatchObject({ status: 404 })
      const rejected = await provider.broadcast(
        notification({ channelId, pushType: 'liveactivity' }),
        bundleId,
      )
      expect(rejected.failed[0]).toMatchObject({ status: 400, response: { reason: 'BadExpirationDate' } })
    } finally {
      await provider.shutdown()
    }
  })
})

import { channelsPath, checkChannelTarget, isReason } from '@carillon/wire'
import { describe, expect, test } from 'vitest'
import { broadcastActivity, type PushClientOptions } from '../src/index.ts'
import { clientOf, push, ScriptedService, type SeenRequest } from './support/service.ts'

const bundleId = 'com.example.app'
const channelId = 'AAECAwQFBgcICQoLDA0ODw=='

/** Answers as Apple's documents say; the first answers may be others. */
const channelService = (...first: ((request: SeenRequest) => void)[]) => {
  const seen: SeenRequest[] = []
  const service = new ScriptedService({
    onRequest(request) {
      seen.push(request)
      const scripted = first[request.number]
      if (scripted !== undefined) return scripted(request)
      const { ':method': method = '', ':path': path = '', 'apns-request-id': id = '' } = request.headers
      const target = checkChannelTarget(method, path)
      if (isReason(target)) return request.accept()
      const answers = {
        create: [201, ['apns-channel-id', channelId], ''],
        read: [200, [], '{"message-storage-policy":1,"push-type":"LiveActivity"}'],
        list: [200, [], `{"channels":["${channelId}"]}`],
        delete: [204, [], ''],
        broadcast: [200, [], ''],
      } as const
      const [status, more, body] = answers[target.operation]
      request.link.server.respond(
        request.streamId,
        [':status', String(status), 'apns-request-id', id, ...more],
        body === '' ? undefined : Buffer.from(body),
      )
    },
  })
  return { service, seen }
}
const asked = async <T>(
  { service }: ReturnType<typeof channelService>,
  act: (client: ReturnType<typeof clientOf>) => Promise<T>,
  options: Partial<PushClientOptions> = {},
): Promise<T> => service.world.until(act(clientOf(service, options)))

describe('management', () => {
  test('create, read, list, delete', async () => {
    const peer = channelService()
    const requestId = expect.stringMatching(/^[0-9a-f-]{36}$/)
    const done = { ok: true, outcome: 'accepted', requestId }
    expect(await asked(peer, (client) => client.channels.create(bundleId, 'latest'))).toEqual({
      ...done,
      channelId,
    })
    expect(await asked(peer, ({ channels }) => channels.read(bundleId, channelId))).toEqual({
      ...done,
      storage: 'latest',
    })
    expect(await asked(peer, ({ channels }) => channels.list(bundleId))).toEqual({
      ...done,
      channelIds: [channelId],
    })
    expect(await asked(peer, ({ channels }) => channels.delete(bundleId, channelId))).toEqual(done)

    const [create, read, list, remove] = peer.seen
    expect(create?.body).toBe('{"message-storage-policy":1,"push-type":"LiveActivity"}')
    expect(create?.headers).toEqual({
      ':method': 'POST',
      ':scheme': 'https',
      ':authority': 'push.test',
      ':path': channelsPath(bundleId),
      'apns-request-id': requestId,
      authorization: expect.stringMatching(/^bearer /),
    })
    expect(read?.headers).toMatchObject({ ':method': 'GET', 'apns-channel-id': channelId })
    expect(list?.headers).toMatchObject({ ':method': 'GET', ':path': `/1/apps/${bundleId}/all-channels` })
    expect(remove?.headers).toMatchObject({ ':method': 'DELETE', 'apns-channel-id': channelId })
  })

  test('rejections are data', async () => {
    const peer = channelService((request) => request.reject(400, { reason: 'BroadcastFeatureNotEnabled' }))
    const result = await asked(peer, ({ channels }) => channels.create(bundleId, 'none'))
    expect(result).toMatchObject({ ok: false, outcome: 'rejected', status: 400, retryable: false })
    expect(result).toMatchObject({
      reason: 'BroadcastFeatureNotEnabled',
      hint: expect.stringMatching(/capability/),
    })
    expect(result).not.toHaveProperty('apnsId')
    expect(result).not.toHaveProperty('tokenIsDead')
  })

  test('a lost answer: reading asks again, creating does not', async () => {
    const cut = (request: SeenRequest) => request.link.cut()
    expect(await asked(channelService(cut), ({ channels }) => channels.list(bundleId))).toMatchObject({
      ok: true,
    })
    const created = await asked(channelService(cut), ({ channels }) => channels.create(bundleId, 'none'))
    expect(created).toMatchObject({ ok: false, outcome: 'ambiguous', ambiguous: true })
  })

  test('throttling is waited for', async () => {
    const peer = channelService((request) => request.reject(429, { reason: 'TooManyRequests' }))
    expect(await asked(peer, ({ channels }) => channels.create(bundleId, 'none'))).toMatchObject({ ok: true })
    expect(peer.seen).toHaveLength(2)
  })

  test.each([
    ['list', '<html>'],
    ['read', '{"channels":[]}'],
  ] as const)('a success of %s that is none', async (operation, body) => {
    const peer = channelService(
      ({ link, streamId }) => void link.server.respond(streamId, [':status', '200'], Buffer.from(body)),
    )
    const result = await asked<object>(peer, ({ channels }) =>
      operation === 'list' ? channels.list(bundleId) : channels.read(bundleId, channelId),
    )
    expect(result).toMatchObject({ ok: false, reason: 'UnreadableAnswer' })
  })

  test('has a connection of its own where it is at another address, closed with the client', async () => {
    const { service } = channelService()
    const client = clientOf(service, { channels: { port: 2196 } })
    expect(await service.world.until(client.send(push()))).toMatchObject({ ok: true })
    expect(await service.world.until(client.channels.list(bundleId))).toMatchObject({ ok: true })
    expect(service.world.links.length).toBe(2)
    await service.world.until(client.close())
    await service.world.pass(100)
    expect(service.world.links.every(({ isCut }) => isCut)).toBe(true)
    expect(await client.channels.list(bundleId)).toMatchObject({ reason: 'ClientClosed' })
  })

  test('shares the connection of the pushes where the address is the same', async () => {
    const { service } = channelService()
    const client = clientOf(service)
    await service.world.until(client.send(push()))
    await service.world.until(client.channels.list(bundleId))
    expect(service.world.links.length).toBe(1)
  })

  test('a signal takes a request back', async () => {
    const { service } = channelService(() => {})
    const client = clientOf(service)
    const stop = new AbortController()
    const result = client.channels.list(bundleId, { signal: stop.signal })
    await service.world.pass(20)
    stop.abort()
    expect(await result).toMatchObject({ reason: 'Aborted', outcome: 'ambiguous' })
  })

  test('arguments', async () => {
    const { channels } = clientOf(channelService().service)
    await expect(channels.create(bundleId, 'some' as 'none')).rejects.toThrow(/^storage: /)
    await expect(channels.read(bundleId, 'not base64')).rejects.toThrow(/^channelId: /)
    await expect(channels.list('')).rejects.toThrow(/^bundleId: /)
  })

  test('a signal that is none holds up no close', async () => {
    const { service } = channelService()
    const client = clientOf(service)
    const signal = {} as AbortSignal
    await expect(client.channels.list(bundleId, { signal })).rejects.toThrow(/^signal: /)
    await expect(client.broadcast({ bundleId, channelId, payload: {}, signal })).rejects.toThrow(/^signal: /)
    expect(() => client.sendMany([], { signal })).toThrow(/^signal: /)
    expect(() => client.sendMany(push(), [], { signal })).toThrow(/^signal: /)
    await client.close()
  })

  test('a channel that is not there is said in its words', async () => {
    const peer = channelService(({ link, streamId }) => {
      const body = Buffer.from('{"reason":"BadPath"}')
      void link.server.respond(streamId, [':status', '404'], body)
    })
    const result = await asked(peer, ({ channels }) => channels.delete(bundleId, channelId))
    expect(result).toMatchObject({
      reason: 'BadPath',
      hint: expect.stringMatching(/^There is no such channel/),
    })
  })
})

describe('broadcasts', () => {
  const update = broadcastActivity.update({
    bundleId,
    channelId,
    contentState: { score: 3 },
    timestamp: 1_800_000_000,
  })

  test('a broadcast as Apple wants it', async () => {
    const peer = channelService()
    const requestId = '00000000-0000-4000-8000-000000000001'
    const result = await asked(peer, (client) => client.broadcast({ ...update, requestId, priority: 5 }))
    expect(result).toEqual({ ok: true, outcome: 'accepted', requestId })
    expect(peer.seen[0]?.headers).toMatchObject({
      ':method': 'POST',
      ':path': `/4/broadcasts/apps/${bundleId}`,
      'apns-request-id': requestId,
      'apns-channel-id': channelId,
      'apns-push-type': 'liveactivity',
      'apns-expiration': '0',
      'apns-priority': '5',
    })
    expect(peer.seen[0]?.headers).not.toHaveProperty('apns-topic')
    expect(JSON.parse(peer.seen[0]?.body ?? '')).toEqual(update.payload)
  })

  test('lost answers are sent again, where it may be stored', async () => {
    const cut = (request: SeenRequest) => request.link.cut()
    const later = { ...update, expiration: 1_900_000_000 }
    expect(await asked(channelService(cut), (client) => client.broadcast(later))).toMatchObject({ ok: true })
    const report = { ...later, whenAmbiguous: 'report' as const }
    expect(await asked(channelService(cut), (client) => client.broadcast(report))).toMatchObject({
      outcome: 'ambiguous',
    })
  })

  test.each([
    ['BadMessageId', { requestId: 'one' }],
    ['BadExpirationDate', { expiration: -1 }],
    ['BadPriority', { priority: 7 as 5 }],
    ['PayloadEmpty', { payload: '' }],
    ['PayloadTooLarge', { payload: { text: 'x'.repeat(5120) } }],
  ])('%s is found before sending', async (reason, more) => {
    const peer = channelService()
    const result = await asked(peer, (client) => client.broadcast({ ...update, ...more }))
    expect(result).toMatchObject({ outcome: 'rejected', reason, sent: false })
    expect(peer.seen).toEqual([])
  })

  test('a payload of the wrong type is a mistake, and no broadcast at all', async () => {
    const { service } = channelService()
    await expect(clientOf(service).broadcast(undefined as never)).rejects.toThrow(/^broadcast: /)
    const broadcast = clientOf(service).broadcast({ ...update, payload: 5 as never })
    await expect(broadcast).rejects.toThrow(/^payload: /)
  })
})

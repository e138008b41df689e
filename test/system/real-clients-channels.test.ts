import { randomUUID } from 'node:crypto'
import apn from '@parse/node-apn'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleId, type LocalApp, startLocalApp } from './support/local-app.ts'

let app: LocalApp
let certificate: { certFile: string; keyFile: string }
beforeAll(async () => {
  app = await startLocalApp()
  certificate = await app.certificate()
})
afterAll(() => app.close())

const token = () => ({ token: { key: app.key.file, keyId: app.key.keyId, teamId: app.key.teamId } })
const byCertificate = () => ({ cert: certificate.certFile, key: certificate.keyFile })

/** Management is served on the port of pushes, and on those of the original protocol, as with Apple. */
const managementPorts: [string, () => number][] = [
  ['the port of pushes', () => app.gateway.port],
  ['the binary port', () => app.endpoints.binary!.port],
  ['the feedback port', () => app.endpoints.feedback!.port],
]

async function withProvider<T>(
  work: (provider: apn.Provider) => Promise<T>,
  port = app.gateway.port,
  credentials: apn.ProviderOptions = token(),
): Promise<T> {
  const provider = new apn.Provider({
    ...credentials,
    ...{ address: 'localhost', port: app.gateway.port, ca: [app.caFile], requestTimeout: 60_000 },
    ...{ manageChannelsAddress: 'localhost', manageChannelsPort: port },
  })
  try {
    return await work(provider)
  } finally {
    await provider.shutdown()
  }
}

function request(fields: Partial<apn.Notification> = {}): apn.Notification {
  return Object.assign(new apn.Notification(), fields)
}

describe('channels with @parse/node-apn', () => {
  test.each(managementPorts)('made, read, listed and deleted on %s', async (_name, port) => {
    await withProvider(async (provider) => {
      const requestId = randomUUID()
      const create = request({ requestId })
      create.payload = { 'message-storage-policy': 1 }
      const made = await provider.manageChannels(create, bundleId, 'create')
      expect(made.failed).toEqual([])
      const channelId = made.sent[0]!['apns-channel-id'] as string
      expect(made.sent[0]).toMatchObject({ 'apns-request-id': requestId })
      expect(Buffer.from(channelId, 'base64')).toHaveLength(16)

      const read = await provider.manageChannels(request({ channelId }), bundleId, 'read')
      expect(read.sent[0]).toMatchObject({ 'message-storage-policy': 1 })
      const all = await provider.manageChannels(request(), bundleId, 'readAll')
      expect(all.sent[0]!.channels).toContain(channelId)

      expect((await provider.manageChannels(request({ channelId }), bundleId, 'delete')).failed).toEqual([])
      const gone = await provider.manageChannels(request({ channelId }), bundleId, 'read')
      expect(gone.failed[0]).toMatchObject({ status: 400, response: { reason: 'ChannelNotRegistered' } })
    }, port())
  })

  test.each([
    ['a provider token', token],
    ['a push certificate', byCertificate],
  ])('a broadcast with %s reaches the device that listens', async (_name, credentials) => {
    await withProvider(
      async (provider) => {
        const create = request()
        create.payload = { 'message-storage-policy': 0 }
        const made = await provider.manageChannels(create, bundleId, 'create')
        const channelId = made.sent[0]!['apns-channel-id'] as string
        await app.app.channels.subscribe(channelId)
        const update = new Promise((resolve) => {
          const stop = app.app.channels.onUpdate((told) => {
            if (told.channelId !== channelId) return
            stop()
            resolve(told)
          })
        })
        const notification = request({ channelId, priority: 10, pushType: 'liveactivity', expiry: 0 })
        const aps = {
          timestamp: Math.floor(Date.now() / 1000),
          event: 'update',
          'content-state': { score: 4 },
        }
        notification.rawPayload = { aps }
        const { sent, failed } = await provider.broadcast(notification, bundleId)
        expect(failed).toEqual([])
        expect(sent).toHaveLength(1)
        expect(await update).toMatchObject({ channelId, payload: { aps } })
      },
      app.gateway.port,
      credentials(),
    )
  })

  test.each([
    ['no channel', {}, 400, 'MissingChannelId'],
    ['a channel that never was', { channelId: Buffer.alloc(16).toString('base64') }, 400, 'BadChannelId'],
    ['an expiration, where nothing is stored', { expiry: 2_000_000_000 }, 400, 'BadExpirationDate'],
    ['another push type', { pushType: 'alert' as const }, 400, 'InvalidPushType'],
  ])('a broadcast to %s is among the failed ones', async (_name, fields, status, reason) => {
    await withProvider(async (provider) => {
      const create = request()
      create.payload = { 'message-storage-policy': 0 }
      const made = await provider.manageChannels(create, bundleId, 'create')
      const channelId = made.sent[0]!['apns-channel-id'] as string
      const own = _name === 'no channel' ? {} : { channelId }
      const notification = request({ ...own, priority: 10, pushType: 'liveactivity', expiry: 0, ...fields })
      notification.rawPayload = { aps: { event: 'update', 'content-state': {}, timestamp: 1 } }
      const { failed } = await provider.broadcast(notification, bundleId)
      expect(failed[0]).toMatchObject({ status, response: { reason } })
    })
  })
})

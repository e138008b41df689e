import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  createBroadcastChannel,
  deleteBroadcastChannel,
  readAllBroadcastChannels,
  readBroadcastChannel,
} from 'hapns/channels/broadcast'
import { CertificateConnector } from 'hapns/connectors/certificate'
import { TokenConnector } from 'hapns/connectors/token'
import { AlertNotification } from 'hapns/notifications/AlertNotification'
import { LiveActivityNotification } from 'hapns/notifications/LiveActivityNotification'
import { send } from 'hapns/send'
import { Device } from 'hapns/targets/device'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleId, type LocalApp } from './support/local-app.ts'
import { startRedirectedApp } from './support/redirect-apple.ts'

let app: LocalApp

beforeAll(async () => {
  app = await startRedirectedApp()
})
afterAll(() => app.close())

const byToken = () =>
  TokenConnector({
    key: readFileSync(app.key.file),
    keyId: app.key.keyId,
    teamIdentifier: app.key.teamId,
  })

const alert = (body: string, topic = bundleId) =>
  AlertNotification(topic, {
    payload: { alert: { title: 'hapns', body } },
    priority: 10,
    expiration: later(),
  })
const later = () => Math.floor(Date.now() / 1000) + 3600

describe('hapns', () => {
  test('with a provider token (Bearer, with a capital): the device shows the notification', async () => {
    const apnsId = randomUUID()
    const answer = await send(byToken(), alert('by token'), Device(app.deviceToken), { apnsId })
    expect(answer).toEqual({ apnsId, apnsUniqueId: undefined })
    const { shown } = await app.waitFor((one) => one.apnsId === apnsId)
    expect(shown).toMatchObject({ title: 'hapns', body: 'by token' })
  })

  test('with a push certificate', async () => {
    const { certFile, keyFile } = await app.certificate()
    const connector = CertificateConnector({ cert: readFileSync(certFile), key: readFileSync(keyFile) })
    const { apnsId } = await send(connector, alert('by certificate'), Device(app.deviceToken))
    await app.waitFor((one) => one.apnsId === apnsId)
  })

  test('without an expiration it says 0: now or never, and the device is there', async () => {
    const notification = AlertNotification(bundleId, { payload: { alert: { body: 'now' } } })
    const { apnsId } = await send(byToken(), notification, Device(app.deviceToken))
    await app.waitFor((one) => one.apnsId === apnsId)
  })

  test.each([
    ['BadDeviceToken', 400, () => send(byToken(), alert('x'), Device('ab'.repeat(32)))],
    [
      'TopicDisallowed',
      400,
      () => send(byToken(), alert('x', 'com.example.unknown'), Device(app.deviceToken)),
    ],
    ['PayloadTooLarge', 413, () => send(byToken(), alert('x'.repeat(5000)), Device(app.deviceToken))],
    ['BadMessageId', 400, () => send(byToken(), alert('x'), Device(app.deviceToken), { apnsId: 'mine' })],
    [
      'InvalidProviderToken',
      403,
      () => {
        const { teamId } = app.key
        const key = readFileSync(app.key.file)
        const wrong = TokenConnector({ key, keyId: 'ZZZZZZZZZZ', teamIdentifier: teamId })
        return send(wrong, alert('x'), Device(app.deviceToken))
      },
    ],
  ] as const)('%s is thrown as an error of its own', async (reason, statusCode, act) => {
    await expect(act()).rejects.toMatchObject({ name: `${reason}Error`, statusCode })
  })

  test('channels are made, read, listed and deleted, and a broadcast reaches who listens', async () => {
    const connector = byToken()
    const channel = await createBroadcastChannel(connector, { bundleId, messageStoragePolicy: 1 })
    expect(await readBroadcastChannel(connector, channel)).toEqual({
      messageStoragePolicy: 1,
      pushType: expect.stringMatching(/^liveactivity$/i),
    })
    const all = await readAllBroadcastChannels(connector, bundleId)
    expect(all.map(({ channelId }) => channelId)).toContain(channel.channelId)

    await app.app.channels.subscribe(channel.channelId)
    const update = new Promise((resolve) => app.app.channels.onUpdate(resolve))
    const notification = LiveActivityNotification(bundleId, {
      payload: { event: 'update', contentState: { score: 3 } },
      expiration: later(),
      priority: 10,
    })
    await send(connector, notification, channel)
    expect(await update).toMatchObject({
      channelId: channel.channelId,
      payload: { aps: { event: 'update', 'content-state': { score: 3 } } },
    })

    const apnsRequestId = randomUUID()
    expect(await deleteBroadcastChannel(connector, channel, { apnsRequestId })).toEqual({
      success: true,
      apnsRequestId,
    })
    await expect(readBroadcastChannel(connector, channel)).rejects.toThrow()
  })
})

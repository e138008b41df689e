import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import apn from '@parse/node-apn'
import { Notification as Apns2Notification, ApnsClient, Errors } from 'apns2'
import { TokenConnector } from 'hapns/connectors/token'
import { AlertNotification } from 'hapns/notifications/AlertNotification'
import { send as hapnsSend } from 'hapns/send'
import { Device } from 'hapns/targets/device'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { describeFrame, readFrames } from '../../packages/http2/test/peer.ts'
import { bundleId, type LocalApp } from './support/local-app.ts'
import { startRedirectedApp } from './support/redirect-apple.ts'

// Reasons that a request of these clients cannot bring about, or not at will, are told on purpose: what counts here
// is what each client makes of them.

let app: LocalApp
beforeAll(async () => {
  app = await startRedirectedApp()
})
afterEach(() => app.system.faults.production.clear())
afterAll(() => app.close())

const told = [
  [400, 'BadCollapseId'],
  [400, 'BadDeviceToken'],
  [400, 'DeviceTokenNotForTopic'],
  [400, 'DuplicateHeaders'],
  [400, 'IdleTimeout'],
  [400, 'MissingTopic'],
  [400, 'TopicDisallowed'],
  [403, 'BadCertificate'],
  [403, 'InvalidProviderToken'],
  [404, 'BadPath'],
  [405, 'MethodNotAllowed'],
  [410, 'Unregistered'],
  [413, 'PayloadTooLarge'],
] as const

function tellNext(reason: string, times: number, retryAfter?: number): void {
  const timestamp = reason === 'Unregistered' ? 1_700_000_000_000 : undefined
  app.system.faults.production.set({
    rules: [
      {
        id: 'told',
        match: { times },
        fault: {
          kind: 'answer',
          reason,
          ...(timestamp === undefined ? {} : { timestamp }),
          ...(retryAfter === undefined ? {} : { retryAfter }),
        },
      },
    ],
  })
}

describe('@parse/node-apn', () => {
  async function push() {
    const provider = new apn.Provider({
      token: { key: app.key.file, keyId: app.key.keyId, teamId: app.key.teamId },
      ...{ address: 'localhost', port: app.gateway.port, ca: [app.caFile], requestTimeout: 60_000 },
    })
    try {
      const notification = new apn.Notification({ topic: bundleId, pushType: 'alert', alert: 'Hello' })
      return await provider.send(notification, app.deviceToken)
    } finally {
      await provider.shutdown()
    }
  }

  test.each(told)('%i %s is among the failed ones, with status and reason', async (status, reason) => {
    tellNext(reason, 1)
    const { sent, failed } = await push()
    expect(sent).toEqual([])
    expect(failed).toMatchObject([{ device: app.deviceToken, status, response: { reason } }])
    if (reason === 'Unregistered') expect(failed[0]?.response?.timestamp).toBe(1_700_000_000_000)
  })

  test.each(['TooManyRequests', 'InternalServerError', 'ServiceUnavailable'])(
    '%s once: it tries again by itself',
    async (reason) => {
      tellNext(reason, 1)
      expect((await push()).sent).toHaveLength(1)
    },
  )
})

describe('apns2', () => {
  async function push() {
    const { keyId, teamId: team, pem: signingKey } = app.key
    const client = new ApnsClient({ team, keyId, signingKey, defaultTopic: bundleId, keepAlive: false })
    client.on(Errors.error, () => {})
    try {
      return await client.send(new Apns2Notification(app.deviceToken, { alert: 'Hello' }))
    } finally {
      await client.close()
    }
  }

  test.each([
    ...told,
    [429, 'TooManyRequests'],
    [500, 'InternalServerError'],
    [503, 'ServiceUnavailable'],
  ] as const)('%i %s is thrown', async (statusCode, reason) => {
    // The token that it believes to be wrong it makes anew for the next push, so one answer is enough.
    tellNext(reason, 10)
    await expect(push()).rejects.toMatchObject({ statusCode, reason })
  })
})

describe('hapns', () => {
  const push = () => {
    const { file, keyId, teamId: teamIdentifier } = app.key
    const connector = TokenConnector({ key: readFileSync(file), keyId, teamIdentifier })
    const notification = AlertNotification(bundleId, { payload: { alert: { body: 'Hello' } }, priority: 10 })
    return hapnsSend(connector, notification, Device(app.deviceToken))
  }

  test.each([...told, [429, 'TooManyRequests'], [503, 'ServiceUnavailable']] as const)(
    '%i %s is thrown',
    async (statusCode, reason) => {
      tellNext(reason, 1)
      await expect(push()).rejects.toMatchObject({ name: `${reason}Error`, statusCode })
    },
  )
})

test('a client that does not speak HTTP/2 is let go with a reason', async () => {
  const socket = connect({ host: 'localhost', port: app.gateway.port, ca: app.caPem })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('secureConnect', () => socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'))
  await new Promise((resolve) => socket.once('close', resolve))
  const frames = readFrames(Buffer.concat(chunks)).map(describeFrame)
  expect([frames[0], frames.at(-1)]).toEqual(['SETTINGS', 'GOAWAY 0 PROTOCOL_ERROR'])
})

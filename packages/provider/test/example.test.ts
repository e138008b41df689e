import { expect, test } from 'vitest'
import { startProvider } from '../src/index.ts'
import { credentials, PushServiceDouble, temporaryDirectory, token } from './support/world.ts'

test('the example of the README', async () => {
  const dataDir = temporaryDirectory()
  const service = new PushServiceDouble()
  const apiKey = 'f3b1c0a8d2e94765'
  const connectPushClient = service.connect

  const provider = await startProvider({ dataDir, apiKeys: [apiKey], port: 0, connectPushClient })

  const call = async (method: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
    const response = await fetch(provider.url + path, { method, headers, body: JSON.stringify(body) })
    return (await response.json()) as { id: string }
  }
  // Once for each app: its auth key from the developer portal (or a certificate), for one environment or both.
  await call('POST', '/v1/apps', {
    bundleId: 'com.example.app',
    environments: { sandbox: { credentials } },
  })
  // What your back end does with the device token that the app hands over, after each start of the app.
  await call('PUT', `/v1/devices/${token}`, { bundleId: 'com.example.app', environment: 'sandbox' })
  // On disk when the answer comes; sent at once, and again until it succeeds, is refused for good, or expires.
  const { id } = await call('POST', '/v1/messages', {
    message: { token, notification: { title: 'Your table is ready' }, data: { order: '17' } },
  })

  await service.received(1)
  expect(service.pushes[0]!.apnsId).toBe(id)
  await provider.close()
})

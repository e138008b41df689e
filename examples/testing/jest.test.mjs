import { startTestService } from '@carillon/testing'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

let service
beforeAll(async () => {
  service = await startTestService({ bundleId: 'com.example.shop' })
})
afterAll(() => service.close())

test('a phone without the app makes its token dead', async () => {
  const { client, device } = service
  await device.removeApp()
  const push = {
    deviceToken: device.deviceToken,
    topic: 'com.example.shop',
    payload: { aps: { alert: 'x' } },
  }
  let result = await client.send(push)
  // The first push teaches the service that the app is gone.
  while (result.ok) result = await client.send(push)
  expect(result.reason).toBe('Unregistered')
})

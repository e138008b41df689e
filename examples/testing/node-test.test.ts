import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestService, type TestService } from '@carillon/testing'

let service: TestService
before(async () => {
  service = await startTestService({ bundleId: 'com.example.shop' })
})
after(() => service.close())

test('an order that is on its way rings the phone', async () => {
  const { client, device, bundleId: topic } = service
  // In your suite this is your own code, given service.url, service.ca and service.key.
  await client.send({
    deviceToken: device.deviceToken,
    topic,
    payload: { aps: { alert: { title: 'On its way', body: 'Order 17' }, sound: 'default' } },
  })
  const { shown } = await device.nextNotification()
  assert.equal(shown.title, 'On its way')
})

import { startTestService, type TestService } from '@carillon/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

let service: TestService
beforeAll(async () => {
  service = await startTestService({ bundleId: 'com.example.shop' })
})
afterAll(() => service.close())

const send = (alert: string, expiration?: number) =>
  service.client.send({
    deviceToken: service.device.deviceToken,
    topic: 'com.example.shop',
    payload: { aps: { alert } },
    ...(expiration === undefined ? {} : { expiration }),
  })

test('what comes too late for a phone that is away is not shown', async () => {
  const { device, clock } = service
  await device.goOffline()
  await send('Sale ends in an hour', Math.floor(clock.now() / 1000) + 3600)
  clock.advance(2 * 3600_000)
  await device.goOnline()
  expect(device.notifications).toEqual([])
})

test('a service that is busy for a moment is asked again', async () => {
  const { device, faults } = service
  const busy = { kind: 'answer', reason: 'TooManyRequests', retryAfter: 0 } as const
  faults.set({ rules: [{ id: 'busy', where: 'http2', match: { times: 2 }, fault: busy }] })
  expect(await send('Third time lucky')).toMatchObject({ ok: true })
  expect((await device.nextNotification()).shown.body).toBe('Third time lucky')
})

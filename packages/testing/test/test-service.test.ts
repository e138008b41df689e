import { expect, onTestFinished, test } from 'vitest'
import { startTestService, TestingError, type TestServiceOptions } from '../src/index.ts'

async function started(options: TestServiceOptions = {}) {
  const service = await startTestService(options)
  onTestFinished(() => service.close())
  const { client, device, bundleId: topic } = service
  const push = (alert: string, more: object = {}) =>
    client.send({ deviceToken: device.deviceToken, topic, payload: { aps: { alert } }, ...more })
  return { service, device, push }
}

test('a push is accepted and shown on the phone', async () => {
  const { device, push } = await started()
  const result = await push('Hello')
  expect(result).toMatchObject({ ok: true })
  const { apnsId, shown } = await device.nextNotification()
  expect(shown.body).toBe('Hello')
  expect(apnsId).toBe(result.apnsId)
})

test('what was sent while the phone was away comes when it is back, in order', async () => {
  const { device, push } = await started({ inboxMax: 3 })
  await device.goOffline()
  for (const alert of ['one', 'two', 'three']) expect(await push(alert)).toMatchObject({ ok: true })
  expect(device.notifications).toEqual([])
  await device.goOnline()
  expect(device.notifications.map(({ shown }) => shown.body)).toEqual(['one', 'two', 'three'])
})

test('a removed app makes its token answer 410, once a push has told the service', async () => {
  const { device, push } = await started()
  await device.removeApp()
  // The phone refuses what it gets; the service learns of it and answers the next one so.
  let result = await push('to nobody')
  expect(result).toMatchObject({ ok: true })
  while (result.ok) result = await push('again')
  expect(result).toMatchObject({ status: 410, reason: 'Unregistered', tokenIsDead: true })
})

test('the clock is that of everybody: what expires while a phone is away is never shown', async () => {
  const { service, device, push } = await started({ inboxMax: 5 })
  await device.goOffline()
  const nowSeconds = Math.floor(service.clock.now() / 1000)
  await push('short', { expiration: nowSeconds + 60 })
  await push('long', { expiration: nowSeconds + 7200 })
  service.clock.advance(3600_000)
  await device.goOnline()
  expect(device.notifications.map(({ shown }) => shown.body)).toEqual(['long'])
  // The client's token is an hour old by now; it made a new one.
  expect(await push('now')).toMatchObject({ ok: true })
})

test('faults come and go while the service runs', async () => {
  const { service, push } = await started()
  const client = service.createClient({ retry: false })
  const send = () =>
    client.send({
      deviceToken: service.device.deviceToken,
      topic: service.bundleId,
      payload: { aps: { alert: 'x' } },
    })
  service.faults.set({
    rules: [{ id: 'busy', where: 'http2', fault: { kind: 'answer', reason: 'TooManyRequests' } }],
  })
  expect(await send()).toMatchObject({ ok: false, status: 429, reason: 'TooManyRequests' })
  service.faults.clear()
  expect(await push('through')).toMatchObject({ ok: true })
})

test('a certificate of the app opens a connection, too', async () => {
  const { service, device } = await started({ environment: 'production' })
  const { certPem, keyPem } = await service.createCertificate()
  const client = service.createClient({ auth: { type: 'certificate', cert: certPem, key: keyPem } })
  const { deviceToken } = device
  await client.send({ deviceToken, topic: service.bundleId, payload: { aps: { alert: 'by certificate' } } })
  expect((await device.nextNotification()).shown.body).toBe('by certificate')
})

test('several phones, each with a token of its own', async () => {
  const { service, device } = await started()
  const other = await service.addDevice()
  expect(other.deviceToken).not.toBe(device.deviceToken)
  const payload = { aps: { alert: 'to the other' } }
  await service.client.send({ deviceToken: other.deviceToken, topic: service.bundleId, payload })
  await other.waitFor(({ shown }) => shown.body === 'to the other')
  expect(device.notifications).toEqual([])
})

test('who waits in vain is told what for', async () => {
  const { device } = await started()
  const waiting = device.nextNotification({ withinMs: 50 })
  await expect(waiting).rejects.toThrow(TestingError)
  await expect(waiting).rejects.toThrow('The phone did not get a notification within 50 ms.')
})

test('what comes after somebody waited in vain is given to the next who waits, in order', async () => {
  const { device, push } = await started({ inboxMax: 3 })
  await expect(device.nextNotification({ withinMs: 20 })).rejects.toThrow(TestingError)
  const both = [device.nextNotification(), device.nextNotification()]
  await push('first')
  await push('second')
  expect((await Promise.all(both)).map(({ shown }) => shown.body)).toEqual(['first', 'second'])
})

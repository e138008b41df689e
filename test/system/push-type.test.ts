import { afterEach, expect, test } from 'vitest'
import { Place } from './run-carillon.ts'
import { bundleId, startApp } from './running-app.ts'

let place: Place
afterEach(() => place.close())

test('device run --push-type voip: a token of its own, and pushes of that type arrive', async () => {
  place = new Place()
  const { device, push } = await startApp(place, 'sandbox', [], ['--push-type', 'voip', 'complication'])
  const topic = `${bundleId}.voip`
  const { deviceToken } = await device.event('registered', (line) => line.topic === topic)
  await device.event('registered', (line) => line.topic === `${bundleId}.complication`)
  const to = ['--topic', topic, '--token', deviceToken, '--push-type', 'voip']
  expect(await push(...to, '--alert', 'a call')).toMatchObject({ ok: true })
  await device.event('notification', ({ payload }) => payload.aps.alert === 'a call')
})

import { afterEach, expect, test } from 'vitest'
import { Place } from './run-carillon.ts'
import { startApp } from './running-app.ts'

let place: Place
afterEach(() => place.close())

test('a device comes back by itself to a system that was killed and started again on other ports', async () => {
  place = new Place()
  const { up, device, push, gateway } = await startApp(place)
  up.run.child.kill('SIGKILL')
  await up.run.ended
  await device.event('disconnected')

  const { endpoints } = await place.up()
  expect(endpoints.environments.sandbox.http2).not.toEqual(gateway)
  await device.waitFor('a second connection', ({ lines }) =>
    lines.filter(({ event }) => event === 'connected').length > 1 ? true : undefined,
  )
  await push('--alert', 'Back again')
  const shown = await device.event('notification', ({ payload }) => payload.aps.alert === 'Back again')
  expect(shown.shown.body).toBe('Back again')
})

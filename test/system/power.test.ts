import { afterEach, expect, test } from 'vitest'
import { Place } from './run-carillon.ts'
import { type RunningApp, startApp, startDevice } from './running-app.ts'

let place: Place
afterEach(() => place.close())

async function push(app: RunningApp, alert: string, ...more: string[]): Promise<string> {
  const { ok, apnsId } = await app.push('--alert', alert, ...more)
  expect(ok).toBe(true)
  return apnsId
}

const low = ['--priority', '5']

test('a device on battery gets what can wait together with what cannot, and all at once when it is plugged in', async () => {
  place = new Place()
  const app = await startApp(place, 'sandbox', ['--inbox', '10'], ['--power', 'battery', '--screen', 'off'])
  const first = await push(app, 'This can wait', ...low)
  const second = await push(app, 'So can this', ...low, '--expiration', '4000000000')
  const urgent = await push(app, 'This cannot')
  await app.device.event('notification', (line) => line.apnsId === urgent)
  const shown = () => app.device.lines.filter(({ event }) => event === 'notification')
  expect(shown().map(({ apnsId }) => apnsId)).toEqual([first, second, urgent])

  const waiting = await push(app, 'Until it is plugged in', ...low)
  await app.device.end()
  const plugged = startDevice(place, app.profile, undefined, ['--power', 'plugged'])
  await plugged.event('notification', (line) => line.apnsId === waiting)
  const now = await push(app, 'At once', ...low)
  await plugged.event('notification', (line) => line.apnsId === now)
})

test('a device that says nothing of its power gets everything at once', async () => {
  place = new Place()
  const app = await startApp(place)
  const lowest = await push(app, 'Lowest priority', '--priority', '1')
  await app.device.event('notification', (line) => line.apnsId === lowest)
})

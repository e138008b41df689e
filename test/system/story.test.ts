import { existsSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { type JsonLine, Place } from './run-carillon.ts'

let place: Place
afterEach(() => place.close())

describe('npm start -- --once', () => {
  test('confirms every step, in the order of the picture, and exits 0', async () => {
    place = new Place()
    const lines = await place.lines('start', '--once')
    expect(lines.map(({ event, party }) => (event === 'step' ? party : event))).toEqual([
      ...['portal', 'portal', 'provider', 'portal', 'portal', 'portal'],
      ...['service', 'provider', 'device', 'app', 'app', 'provider', 'device', 'app'],
      'done',
    ])
  })

  test('draws the banner for a person', async () => {
    place = new Place()
    const { code, stdout, stderr } = await place.carillon('start', '--once')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/│ Hello from your own push service +│/)
    expect(stdout).toMatch(/│ While you were away \(2\) +│/)
    expect(stdout).not.toContain('While you were away (1)')
    expect(stdout).toMatch(/All 14 steps were confirmed\.\n$/)
  })

  test('exits 1 and names the step that failed', async () => {
    place = new Place()
    // No place for a throw-away directory's portal: its path runs through a file.
    const file = place.path('file')
    await place.exec('sh', ['-c', `: > ${file}`])
    const { code, stderr } = await place.carillon('start', '--data', file, '--ports', 'auto', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stderr).error.message).toContain(file)
  })
})

test('a second start on the same directory finds the work of the first one done', async () => {
  place = new Place()
  for (let round = 0; round < 2; round++) {
    const run = place.startCarillon('start', '--data', place.data, '--ports', 'auto', '--json')
    await run.event('ready')
    expect(existsSync(place.path('data', 'endpoints.json'))).toBe(true)
    expect((await run.end()).code).toBe(0)
    expect(existsSync(place.path('data', 'endpoints.json'))).toBe(false)
  }
  const apps = await place.lines('portal', 'app', 'list', '--data', place.data)
  expect(apps.map((app: JsonLine) => app.bundleId)).toEqual(['dev.carillon.example'])
})

test('what start leaves behind works with the commands that it prints', async () => {
  place = new Place()
  const run = place.startCarillon('start', '--data', place.data, '--ports', 'auto')
  const printed = await run.waitFor('the commands', ({ stdout }) =>
    stdout.includes('(TOKEN is')
      ? stdout.slice(stdout.indexOf('Try next')).replaceAll('\\\n', '')
      : undefined,
  )
  const [deviceRun = '', push = '', trace = '', appCreate = ''] = [
    ...printed.matchAll(/npx carillon (.*)/g),
  ].map((match) => match[1])
  const device = place.startCarillon(...words(deviceRun), '--json')
  const { deviceToken } = await device.event('registered')
  const { code } = await place.carillon(...words(push.replace('TOKEN', deviceToken)))
  expect(code).toBe(0)
  const shown = await device.event('notification', ({ payload }) => payload.aps.alert === 'Hello')
  expect(shown.shown.body).toBe('Hello')
  const traced = await place.carillon(...words(trace.replace('TOKEN', deviceToken)))
  expect(traced.stdout).toContain('received from the provider')
  expect((await place.carillon(...words(appCreate))).code).toBe(0)
  const key = words(push)[words(push).indexOf('--key') + 1] ?? ''
  expect(readFileSync(key, 'utf8')).toContain('PRIVATE KEY')
})

/** A command line as a shell would split it; quotes are taken off. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')
}

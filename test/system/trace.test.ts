import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonLines, Place } from './run-carillon.ts'
import { bundleId, type RunningApp, startApp } from './running-app.ts'

describe('carillon trace', () => {
  const place = new Place()
  let app: RunningApp
  beforeAll(async () => {
    app = await startApp(place, 'sandbox', [], ['--opens'])
  })
  afterAll(() => place.close())

  const on = ['--data', place.data]
  const push = (apnsId: string) => app.push('--alert', 'Hello', '--push-type', 'alert', '--apns-id', apnsId)
  /** The trace once it has this state. */
  const traced = async (id: string, state: string) => {
    for (;;) {
      const { code, stdout, stderr } = await place.carillon('trace', id, ...on, '--json')
      expect([code, stderr]).toEqual([0, ''])
      const lines = jsonLines(stdout)
      if (lines[0]?.state === state) return lines
    }
  }

  test('tells the way of a push from the provider to the hand of the user', async () => {
    const apnsId = randomUUID()
    await push(apnsId)
    await app.device.event('notification', (event) => event.apnsId === apnsId)
    const [trace, ...others] = await traced(apnsId, 'opened')
    expect(others).toEqual([])
    expect(trace).toMatchObject({
      ...{ environment: 'sandbox', apnsId, token: app.deviceToken, topic: bundleId, pushType: 'alert' },
    })
    const stages = ['received', 'sent', 'acknowledged', 'shown', 'opened']
    expect(trace!.events.map(({ stage }: { stage: string }) => stage)).toEqual(stages)
    expect(await traced(trace!.uniqueId, 'opened')).toEqual([trace])
    const { code, stdout } = await place.carillon('trace', apnsId, ...on)
    expect(code).toBe(0)
    expect(stdout.split('\n')[0]).toBe(`${apnsId} (sandbox): opened`)
    expect(stdout).toContain('opened by the user')
  })

  test('of a device token it tells the last notifications, the newest first', async () => {
    const ids = [randomUUID(), randomUUID()]
    for (const id of ids) {
      await push(id)
      await traced(id, 'opened')
    }
    const lines = await traced(app.deviceToken, 'opened')
    expect(lines.slice(0, 2).map(({ apnsId }) => apnsId)).toEqual(ids.toReversed())
  })

  test('carillon top tells what happens', async () => {
    const running = place.carillon('top', ...on, '--every', '1', '--count', '2', '--json')
    await push(randomUUID())
    const { code, stdout, stderr } = await running
    expect([code, stderr]).toEqual([0, ''])
    const lines = jsonLines(stdout)
    expect(lines).toHaveLength(2)
    expect(lines[1]!.environments).toMatchObject([
      { environment: 'sandbox', devices: 1, perSecond: { received: expect.any(Number) } },
      { environment: 'production', devices: 0 },
    ])
    const table = await place.carillon('top', ...on, '--every', '1', '--count', '1')
    expect(table.stdout).toMatch(/\nsandbox +\d+ +1 /)
    expect(await place.carillon('top', ...on, '--every', '0')).toMatchObject({ code: 2, stdout: '' })
  })

  test('what it does not find, and what is no id, it says in one sentence', async () => {
    const id = randomUUID()
    const unknown = await place.carillon('trace', id, ...on)
    expect(unknown).toMatchObject({ code: 1, stdout: '' })
    expect(unknown.stderr).toMatch(
      new RegExp(`^Nothing is known of ${id}\\. Traces are kept for a time: .*\\n$`),
    )
    const elsewhere = await place.carillon('trace', id, ...on, '--environment', 'production', '--json')
    expect(elsewhere.code).toBe(1)
    expect(JSON.parse(elsewhere.stderr).error).toMatchObject({ code: 'NOT_FOUND' })
    const wrong = await place.carillon('trace', 'yesterday', ...on)
    expect(wrong).toMatchObject({ code: 2, stdout: '' })
    expect(wrong.stderr).toMatch(/^"yesterday" is no UUID and no device token\. .*\n$/)
    const nowhere = await place.carillon('trace', id, '--data', place.path('nothing'))
    expect(nowhere).toMatchObject({ code: 1, stdout: '' })
    expect(nowhere.stderr).toMatch(/^No system runs on /)
  })
})

import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleId } from '../running-app.ts'
import { type Case, expectFailure } from './case.ts'
import { onTheDevice } from './device.ts'
import { inFeedback } from './feedback.ts'
import { atThePortal } from './portal.ts'
import { type PreparedPlace, preparePlace } from './prepared-place.ts'
import { inPushes } from './push.ts'
import { rejectedPushes } from './rejected-pushes.ts'
import { onSystems } from './systems.ts'
import { wrongUsage } from './usage.ts'

// One system for all: what is wrong leaves no trace on it, as the last test shows.
let prepared: PreparedPlace
beforeAll(async () => {
  prepared = await preparePlace()
})
afterAll(() => prepared?.close())

describe.each<[name: string, exit: number, cases: readonly Case[]]>([
  ['systems and data directories', 1, onSystems],
  ['portal', 1, atThePortal],
  ['device', 1, onTheDevice],
  ['push', 1, inPushes],
  ['feedback', 1, inFeedback],
  ['wrong usage', 2, wrongUsage],
])('%s: one clear sentence and exit %i', (_name, exit, cases) => {
  test.concurrent.each(cases)('%s', (...of) => expectFailure(prepared, exit, of))
})

test.concurrent.each(rejectedPushes)(
  'push, %s: exit 1 with the reason',
  async (_what, command, status, reason) => {
    const [plain, json] = await Promise.all([
      prepared.place.carillon(...prepared.words(command)),
      prepared.place.carillon(...prepared.words(command), '--json'),
    ])
    expect(plain).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(reason) })
    expect(plain.stderr).toMatch(/^.*\.\n$/)
    expect(json).toMatchObject({ code: 1, stderr: '' })
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, status, reason })
  },
)

test('nothing is lost by any of it: the system, its device and its files are as they were', async () => {
  const { place, app, words } = prepared
  // Whatever the other tests did until now was wrong; this one is right.
  const { apnsId } = await place.line(...words('push $data $sandbox $token $key --alert Still-here'))
  await app.device.event('notification', (line) => line.apnsId === apnsId)
  expect(app.up.run.lines).toHaveLength(1)
  expect(app.up.run.stderr).toBe('')
  const endpoints = JSON.parse(await readFile(place.path('data', 'endpoints.json'), 'utf8'))
  expect(endpoints).toEqual(app.up.endpoints)
  const apps = await place.lines('portal', 'app', 'list', '--data', place.data)
  expect(apps.map((one) => one.bundleId)).toEqual([bundleId])
})

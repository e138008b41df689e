import { mkdir, writeFile } from 'node:fs/promises'
import { openPortal } from '@carillon/portal'
import { expect, test } from 'vitest'
import { Place } from '../run-carillon.ts'
import { bundleId } from '../running-app.ts'

test('an expired profile is refused with the day it expired', async () => {
  const place = new Place()
  try {
    const twoYearsMs = 2 * 365 * 86_400_000
    const dataDir = place.path('data', 'portal')
    await mkdir(place.data)
    const portal = await openPortal({ dataDir, now: () => Date.now() - twoYearsMs })
    await portal.apps.create({ bundleId, name: 'Example' })
    const { deviceId } = await portal.devices.add({ name: 'Phone' })
    const profile = await portal.profiles.create({ bundleId, kind: 'development', deviceIds: [deviceId] })
    await portal.close()
    await writeFile(place.path('old.mobileprovision'), profile.der)
    await place.up()
    const where = ['--data', place.data, '--state', place.path('phone'), '--app', bundleId]
    const run = await place.carillon(
      'device',
      'run',
      ...where,
      '--profile',
      place.path('old.mobileprovision'),
      '--json',
    )
    expect(run).toMatchObject({ code: 1, stdout: '' })
    const day = new Date(profile.expiresAt).toISOString().slice(0, 10)
    expect(JSON.parse(run.stderr)).toEqual({
      error: {
        code: 'PROFILE_EXPIRED',
        message: expect.stringContaining(`expired on ${day}`),
        fix: expect.stringContaining('profile create'),
      },
    })
  } finally {
    await place.close()
  }
})

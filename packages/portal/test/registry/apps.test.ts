import { describe, expect, test } from 'vitest'
import type { PortalChange } from '../../src/index.ts'
import { rejection, temporaryDirectory, temporaryPortal } from '../support/temporary-portal.ts'

describe('App IDs', () => {
  test('are created, listed, changed and there after reopening', async () => {
    const dataDir = await temporaryDirectory()
    const portal = await temporaryPortal({ dataDir })
    const app = await portal.apps.create({ bundleId: 'com.example.b', name: '  Bells ' })
    expect(app).toMatchObject({
      bundleId: 'com.example.b',
      name: 'Bells',
      teamId: portal.team.teamId,
      appId: `${portal.team.teamId}.com.example.b`,
      push: true,
      inboxMax: 1,
      broadcast: false,
    })
    await portal.apps.create({ bundleId: 'com.example.a', name: 'A', push: false, inboxMax: 20 })
    await portal.apps.update('com.example.b', { inboxMax: 5 })
    await portal.apps.update('com.example.b', { push: false })
    expect(portal.lookup.app('com.example.b')).toMatchObject({ name: 'Bells', inboxMax: 5, push: false })

    await portal.close()
    const again = await temporaryPortal({ dataDir })
    const list = await again.apps.list()
    expect(list.map(({ bundleId }) => bundleId)).toEqual(['com.example.a', 'com.example.b'])
    expect(list[1]).toEqual({ ...app, inboxMax: 5, push: false })
    expect(again.team).toEqual(portal.team)
  })

  test('two changes at the same moment both hold', async () => {
    const portal = await temporaryPortal()
    await portal.apps.create({ bundleId: 'a.b', name: 'A' })
    await Promise.all([
      portal.apps.update('a.b', { inboxMax: 7 }),
      portal.apps.update('a.b', { push: false }),
      portal.apps.update('a.b', { name: 'B' }),
    ])
    expect(await portal.apps.get('a.b')).toMatchObject({ name: 'B', inboxMax: 7, push: false })
  })

  test('two creations of one bundle id at the same moment give one App ID', async () => {
    const portal = await temporaryPortal()
    const create = () => portal.apps.create({ bundleId: 'a.b', name: 'A' })
    const [first, second] = await Promise.allSettled([create(), create()])
    expect([first.status, second.status].sort()).toEqual(['fulfilled', 'rejected'])
    expect(await portal.apps.list()).toHaveLength(1)
  })

  test('an inbox longer than the push service keeps is refused, not cut short later', async () => {
    const portal = await temporaryPortal()
    await portal.apps.create({ bundleId: 'a.b', name: 'A', inboxMax: 1000 })
    const refused = { code: 'REQUEST_INVALID', message: 'An inbox cannot keep 1001 notifications.' }
    expect(await rejection(portal.apps.update('a.b', { inboxMax: 1001 }))).toMatchObject(refused)
  })

  test('a wildcard App ID is allowed without push only', async () => {
    const portal = await temporaryPortal()
    expect(await portal.apps.create({ bundleId: 'com.example.*', name: 'Wild' })).toMatchObject({
      push: false,
    })
    expect(await portal.apps.create({ bundleId: '*', name: 'All' })).toMatchObject({ push: false })
    const refused = { code: 'APP_WILDCARD_NO_PUSH', message: expect.stringContaining('"com.example.*"') }
    expect(await rejection(portal.apps.update('com.example.*', { push: true }))).toMatchObject(refused)
    const created = portal.apps.create({ bundleId: 'org.example.*', name: 'W', push: true })
    expect(await rejection(created)).toMatchObject({ code: 'APP_WILDCARD_NO_PUSH' })
  })

  test.each([
    ['', 'BUNDLE_ID_INVALID'],
    ['com..example', 'BUNDLE_ID_INVALID'],
    ['.com', 'BUNDLE_ID_INVALID'],
    ['com.exämple', 'BUNDLE_ID_INVALID'],
    ['com.example.app\n', 'BUNDLE_ID_INVALID'],
    ['com.*.app', 'BUNDLE_ID_INVALID'],
    ['com.exam*', 'BUNDLE_ID_INVALID'],
    ['a'.repeat(156), 'BUNDLE_ID_INVALID'],
  ])('the bundle id %j is refused', async (bundleId, code) => {
    const portal = await temporaryPortal()
    expect(await rejection(portal.apps.create({ bundleId, name: 'A' }))).toMatchObject({ code })
  })

  test('names and inbox sizes are checked, unknown App IDs are named', async () => {
    const portal = await temporaryPortal()
    for (const name of ['', '  ', 'x'.repeat(201), 'a\u0000b', 'a\ud800', 'a\ufffe']) {
      expect(await rejection(portal.apps.create({ bundleId: 'a.b', name }))).toMatchObject({
        code: 'NAME_INVALID',
      })
    }
    for (const inboxMax of [0, -1, 1.5, Number.NaN, 10_001]) {
      const refused = portal.apps.create({ bundleId: 'a.b', name: 'A', inboxMax })
      expect(await rejection(refused)).toMatchObject({ code: 'REQUEST_INVALID' })
    }
    expect(await rejection(portal.apps.get('a.b'))).toMatchObject({
      code: 'APP_UNKNOWN',
      message: 'There is no App ID "a.b" in this portal.',
      fix: 'Create it first: carillon portal app create --bundle-id a.b --name NAME',
    })
    expect(await rejection(portal.apps.update('a.b', {}))).toMatchObject({ code: 'APP_UNKNOWN' })
  })
})

test('the change feed tells every change once it is on disk, and a failing listener harms nobody', async () => {
  const failures: unknown[] = []
  const portal = await temporaryPortal({ onListenerFailed: (error) => failures.push(error) })
  const heard: PortalChange[] = []
  portal.onChange(() => {
    throw new Error('listener')
  })
  const stop = portal.onChange((change) => heard.push(change))
  await portal.apps.create({ bundleId: 'a.b', name: 'A' })
  await portal.apps.update('a.b', { inboxMax: 2 })
  const { keyId } = await portal.keys.create({ name: 'K' })
  await portal.keys.revoke(keyId)
  await portal.keys.revoke(keyId)
  const { serial } = await portal.certificates.create({ bundleId: 'a.b', kind: 'sandbox' })
  await portal.certificates.revoke(serial)
  const { deviceId, udid } = await portal.devices.add({ name: 'D' })
  await portal.devices.disable(deviceId)
  stop()
  await portal.apps.update('a.b', { inboxMax: 3 })
  expect(heard).toEqual([
    { type: 'app', bundleId: 'a.b' },
    { type: 'app', bundleId: 'a.b' },
    { type: 'key', keyId, status: 'active' },
    { type: 'key', keyId, status: 'revoked' },
    { type: 'certificate', serial, status: 'active' },
    { type: 'certificate', serial, status: 'revoked' },
    { type: 'device', deviceId, udid, status: 'disabled' },
  ])
  expect(failures).toHaveLength(heard.length + 1)
})

describe('the broadcast capability', () => {
  test('is off until it is switched on, needs push, and goes with it', async () => {
    const portal = await temporaryPortal()
    expect(await portal.apps.create({ bundleId: 'a.b', name: 'A' })).toMatchObject({ broadcast: false })
    expect(await portal.apps.update('a.b', { broadcast: true })).toMatchObject({ broadcast: true })
    expect(await portal.apps.update('a.b', { name: 'B' })).toMatchObject({ broadcast: true })
    expect(await portal.apps.update('a.b', { push: false })).toMatchObject({ push: false, broadcast: false })
    const refused = { code: 'APP_PUSH_OFF' }
    expect(await rejection(portal.apps.update('a.b', { broadcast: true }))).toMatchObject(refused)
    const both = { bundleId: 'c.d', name: 'C', push: false, broadcast: true }
    expect(await rejection(portal.apps.create(both))).toMatchObject(refused)
  })

  test('is there after the portal was opened again', async () => {
    const dataDir = await temporaryDirectory()
    const portal = await temporaryPortal({ dataDir })
    await portal.apps.create({ bundleId: 'a.b', name: 'A', broadcast: true })
    await portal.apps.create({ bundleId: 'c.d', name: 'C', broadcast: true })
    await portal.apps.update('c.d', { push: false })
    await portal.close()
    const again = await temporaryPortal({ dataDir })
    expect(again.lookup.app('a.b')).toMatchObject({ broadcast: true })
    expect(again.lookup.app('c.d')).toMatchObject({ push: false, broadcast: false })
  })
})

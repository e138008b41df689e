import { readFile } from 'node:fs/promises'
import { hexText, topicHash } from '@carillon/wire'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type DeviceEvent, startDevice } from '../../src/index.ts'
import { limits } from '../../src/limits.ts'
import { Registrations } from '../../src/registration/registrations.ts'
import { DeviceState } from '../../src/state/device-state.ts'
import { randomWithBackOff } from '../support/back-off-random.ts'
import { SessionWorld } from '../support/session-world.ts'
import { rejection, temporaryDirectory, temporaryFiles } from '../support/temporary.ts'
import { appToken, TestCourier } from '../support/test-courier.ts'
import { bundleId, type Phone, startPhone } from '../support/test-phone.ts'
import { type TestPortal, testPortal } from '../support/test-portal.ts'

const tokenText = hexText(appToken)
const otherToken = new Uint8Array(32).fill(0xc1)

let portal: TestPortal
let profile: Uint8Array
let development: Uint8Array
/** The device that the development profile names. */
let udid: string
beforeAll(async () => {
  portal = await testPortal()
  await portal.apps.create({ bundleId, name: 'Bells' })
  udid = (await portal.devices.add({ name: 'Kiosk' })).udid
  profile = (await portal.profiles.create({ bundleId, kind: 'inhouse' })).der
  const request = { bundleId, kind: 'development', deviceIds: [udid] } as const
  development = (await portal.profiles.create(request)).der
  return () => portal.close()
})

let courier: TestCourier
beforeEach(async () => {
  courier = await TestCourier.start(portal)
})

async function phone(options: Parameters<typeof startPhone>[1] = {}): Promise<Phone> {
  return startPhone(portal, { couriers: { production: courier.address }, ...options })
}

describe('register', () => {
  test('before there is a connection, and twice: one request, both get the token', async () => {
    const { device, log } = await phone()
    const app = await device.install({ bundleId, profile })
    const both = [app.register(), app.register()]
    const connection = await courier.connection()
    await connection.accept()
    const request = await connection.issue()
    expect(request.topicHash).toEqual(topicHash(bundleId))
    expect(request.installation).toHaveLength(8)
    expect(await Promise.all(both)).toEqual([tokenText, tokenText])
    // The token first, then the filter that lets notifications come.
    await connection.hear('filter')
    const types = connection.heard.map(({ type }) => type)
    expect(types.filter((type) => type === 'appTokenRequest')).toHaveLength(1)
    expect(types.indexOf('appTokenRequest')).toBeLessThan(types.lastIndexOf('filter'))
    expect(log.all('registered')).toEqual([
      { event: 'registered', bundleId, deviceToken: tokenText, environment: 'production' },
    ])
  })

  test('while the connection is made anew', async () => {
    const { device, log } = await phone()
    const app = await device.install({ bundleId, profile })
    const first = await courier.connection()
    await first.accept()
    await first.issue()
    await log.next('registered')
    const registered = app.register()
    await first.hear('appTokenRequest', 2)
    first.socket.destroy()
    const second = await courier.connection(2)
    await second.accept()
    await second.issue()
    expect(await registered).toBe(tokenText)
  })

  test('the token is on disk before the app hears of it, and is kept by a later process', async () => {
    const stateDir = await temporaryDirectory()
    const kept: string[] = []
    const { device } = await phone({ stateDir })
    const app = await device.install({ bundleId, profile })
    const connection = await courier.connection()
    await connection.accept()
    void connection.issue()
    await app.register()
    kept.push(await readFile(`${stateDir}/state.json`, 'utf8'))
    expect(kept[0]).toContain(tokenText)
    await device.close()

    const later = await phone({ stateDir })
    await later.device.install({ bundleId, profile })
    const again = await courier.connection(2)
    await again.accept()
    await again.hear('filter')
    expect(again.all('appTokenRequest')).toEqual([])
  })

  test('refused by the courier', async () => {
    const { device } = await phone()
    const app = await device.install({ bundleId, profile })
    const registered = rejection(app.register())
    const connection = await courier.connection()
    await connection.accept()
    const { topicHash: hash } = await connection.hear('appTokenRequest')
    connection.say({ type: 'appTokenReply', status: 2, topicHash: hash })
    expect(await registered).toMatchObject({
      code: 'REGISTRATION_REFUSED',
      message: `The app ${bundleId} got no device token: the push service knows no such app.`,
    })
    // Asked again, the courier is asked again.
    const again = app.register()
    await connection.issue(appToken, 2)
    expect(await again).toBe(tokenText)
  })

  test('a foreign courier, which agrees to no extension, gets no installation id', async () => {
    const { device, stateDir } = await phone()
    const app = await device.install({ bundleId, profile })
    const registered = app.register()
    const connection = await courier.connection()
    await connection.hear('connect')
    connection.say({ type: 'connected', status: 0, token: appToken })
    expect((await connection.issue()).installation).toBeUndefined()
    await registered
    const { apps } = JSON.parse(await readFile(`${stateDir}/state.json`, 'utf8'))
    expect(Buffer.concat(connection.bytes).toString('hex')).not.toContain(apps[0].installation)
  })
})

test('another base token voids the device token, and the app gets a new one', async () => {
  const { device, log } = await phone()
  await device.install({ bundleId, profile })
  const first = await courier.connection()
  await first.accept()
  await first.issue()
  await log.next('registered')
  first.socket.destroy()
  const second = await courier.connection(2)
  await second.accept({ token: new Uint8Array(32).fill(0xa1) })
  await second.issue(otherToken)
  expect((await log.next('registered', 2)).deviceToken).toBe(hexText(otherToken))
  expect((await second.hear('appTokenRequest')).baseToken).toEqual(new Uint8Array(32).fill(0xa1))
})

describe('an app that is removed', () => {
  test('while it registers: told at once, and the late answer is for nobody', async () => {
    const { device, log } = await phone()
    const app = await device.install({ bundleId, profile })
    const registered = rejection(app.register())
    const connection = await courier.connection()
    await connection.accept()
    const { topicHash: hash } = await connection.hear('appTokenRequest')
    await device.uninstall(bundleId)
    expect(await registered).toMatchObject({ message: expect.stringContaining('it was removed') })
    expect(await rejection(app.register())).toMatchObject({
      message: expect.stringContaining('not installed'),
    })

    // Installed anew before the courier answered: that answer is for what was there before.
    const again = await device.install({ bundleId, profile })
    const second = again.register()
    const request = await connection.hear('appTokenRequest', 2)
    connection.say({ type: 'appTokenReply', status: 0, topicHash: hash, token: appToken })
    connection.say({ type: 'appTokenReply', status: 0, topicHash: hash, token: otherToken })
    expect(await second).toBe(hexText(otherToken))
    expect(log.all('registered')).toHaveLength(1)
    expect(request.installation).not.toEqual((await connection.hear('appTokenRequest', 1)).installation)
  })

  test('stays wanted, and its notifications are answered with "no recipient", after a restart too', async () => {
    const stateDir = await temporaryDirectory()
    const { device, log } = await phone({ stateDir })
    await device.install({ bundleId, profile })
    const first = await courier.connection()
    await first.accept()
    await first.issue()
    await log.next('registered')
    await device.uninstall(bundleId)
    first.notify(bundleId, 1)
    expect(await first.hear('ack')).toMatchObject({ id: 1, status: 2, token: appToken })
    await device.close()
    // The courier may never have heard that: another app brings the device back, and it says so again.
    const other = 'com.example.other'
    await portal.apps.create({ bundleId: other, name: 'Other' })
    const otherProfile = (await portal.profiles.create({ bundleId: other, kind: 'inhouse' })).der
    const later = await phone({ stateDir })
    await later.device.install({ bundleId: other, profile: otherProfile })
    const second = await courier.connection(2)
    await second.accept()
    const { enabled } = await second.hear('filter')
    expect(enabled).toEqual([topicHash(other), topicHash(bundleId)])
    second.notify(bundleId, 1)
    expect(await second.hear('ack')).toMatchObject({ id: 1, status: 2 })
    expect([...log.shown, ...later.log.shown]).toEqual([])
  })
})

test('an app that moves to the other environment is gone in the old one', async () => {
  const sandbox = await TestCourier.start(portal)
  const couriers = { production: courier.address, sandbox: sandbox.address }
  const { device } = await phone({ couriers, udid })
  const app = await device.install({ bundleId, profile })
  const old = await courier.connection()
  await old.accept()
  await old.issue()
  await old.hear('filter')
  await device.install({ bundleId, profile: development })
  const registered = app.register()
  const now = await sandbox.connection()
  await now.accept()
  await now.issue(otherToken)
  expect(await registered).toBe(hexText(otherToken))
  old.notify(bundleId, 1)
  expect(await old.hear('ack')).toMatchObject({ status: 2 })
})

describe('without a courier', () => {
  async function registrations() {
    const state = await DeviceState.open(await temporaryFiles())
    await state.addApp({ bundleId, environment: 'sandbox', installation: '0102030405060708' })
    const timers: { ms: number; callback: () => void; stopped: boolean }[] = []
    const told: DeviceEvent[] = []
    const world = SessionWorld.connected()
    const under = new Registrations({
      state,
      session: () => world.session,
      after: (ms, callback) => {
        const timer = { ms, callback, stopped: false }
        timers.push(timer)
        return () => {
          timer.stopped = true
        }
      },
      tell: (event) => void told.push(event),
      failed: (error) => {
        throw error
      },
    })
    return { under, timers, told, world, state }
  }

  test('whoever waited too long is told so, whoever came later waits on', async () => {
    const { under, timers, world, told } = await registrations()
    const early = rejection(under.register(bundleId))
    const late = under.register(bundleId)
    expect(timers.map(({ ms }) => ms)).toEqual([limits.registerMsMax, limits.registerMsMax])
    timers[0]?.callback()
    expect(await early).toMatchObject({ code: 'REGISTRATION_UNANSWERED' })
    const [request] = world.sent
    if (request?.type !== 'appTokenRequest') throw new Error('nothing was asked')
    const asked = { topicHash: request.topicHash, installation: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }
    under.arrived('sandbox', asked, appToken)
    expect(await late).toBe(tokenText)
    expect(timers[1]?.stopped).toBe(true)
    expect(told).toHaveLength(1)
  })

  test('a token that was voided while it was written is not told', async () => {
    const { under, told, state } = await registrations()
    await state.setBaseToken('sandbox', appToken)
    const asked = { topicHash: topicHash(bundleId), installation: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }
    under.arrived('sandbox', asked, appToken)
    await state.setBaseToken('sandbox', otherToken)
    expect(told).toEqual([])
    expect(state.app(bundleId)?.deviceToken).toBeUndefined()
  })
})

describe('a device', () => {
  test('that is closed registers nothing, and tells those who wait', async () => {
    const { device } = await phone()
    const app = await device.install({ bundleId, profile })
    const registered = rejection(app.register())
    await Promise.all([device.close(), device.close()])
    expect(await registered).toMatchObject({ code: 'DEVICE_CLOSED' })
    for (const call of [app.register(), device.install({ bundleId, profile }), device.uninstall(bundleId)])
      expect(await rejection(call)).toMatchObject({ code: 'DEVICE_CLOSED' })
  })

  test('that is closed while it installs does not connect afterwards', async () => {
    const { device, log, stateDir } = await phone()
    const installed = rejection(device.install({ bundleId, profile }))
    await device.close()
    expect(await installed).toMatchObject({ code: 'DEVICE_CLOSED' })
    expect(log.events).toEqual([])
    // And its directory is free.
    const again = await phone({ stateDir })
    await again.device.install({ bundleId, profile })
    await (await courier.connection()).accept()
  })

  test('works on its directory alone', async () => {
    const { stateDir } = await phone()
    const second = startDevice({
      stateDir,
      caPem: portal.ca.rootPem,
      couriers: {},
      activate: portal.activate,
      now: Date.now,
      random: randomWithBackOff(),
      onEvent: () => {},
    })
    expect(await rejection(second)).toMatchObject({ code: 'STATE_IN_USE' })
  })

  test('with its clock turned beyond the profile’s end refuses the app', async () => {
    const { device } = await phone({ now: () => Date.now() + 366 * 24 * 3600_000 })
    expect(await rejection(device.install({ bundleId, profile }))).toMatchObject({
      code: 'PROFILE_EXPIRED',
    })
  })

  test('knows no courier of the environment', async () => {
    const { device } = await phone({ couriers: {} })
    expect(await rejection(device.install({ bundleId, profile }))).toMatchObject({
      code: 'ENVIRONMENT_UNKNOWN',
    })
  })

  test('installs many apps at once and is activated once', async () => {
    let activated = 0
    const { device } = await phone({
      activate: (request) => {
        activated++
        return portal.activate(request)
      },
    })
    const installs = [1, 2, 3].map(() => device.install({ bundleId, profile }))
    const apps = new Set(await Promise.all(installs))
    expect([apps.size, activated]).toEqual([1, 1])
    const connection = await courier.connection()
    await connection.accept()
    await connection.hear('filter')
    expect(connection.all('appTokenRequest')).toHaveLength(1)
  })

  test('is the one that its profile names, and no other afterwards', async () => {
    const sandbox = await TestCourier.start(portal)
    const { device } = await phone({ couriers: { sandbox: sandbox.address } })
    expect(device.udid).toBeUndefined()
    await device.install({ bundleId, profile: development })
    expect(device.udid).toBe(udid)
    const other = await portal.devices.add({ name: 'Other' })
    const request = { bundleId, kind: 'development', deviceIds: [other.udid] } as const
    const { der } = await portal.profiles.create(request)
    expect(await rejection(device.install({ bundleId, profile: der }))).toMatchObject({
      code: 'PROFILE_OTHER_DEVICE',
    })
  })
})

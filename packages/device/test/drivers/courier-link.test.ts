import { once } from 'node:events'
import { createServer } from 'node:net'
import { decodeNonce } from '@carillon/wire'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { randomWithBackOff } from '../support/back-off-random.ts'
import { afterTest } from '../support/temporary.ts'
import { apnsIdOf, baseToken, notification, TestCourier } from '../support/test-courier.ts'
import { bundleId, type Phone, startPhone } from '../support/test-phone.ts'
import { type AppPortal, portalWithApp, testPortal } from '../support/test-portal.ts'

let portal: AppPortal
beforeAll(async () => {
  portal = await portalWithApp(bundleId)
  return () => portal.close()
})

let courier: TestCourier
beforeEach(async () => {
  courier = await TestCourier.start(portal)
})

async function phone(options: Parameters<typeof startPhone>[1] = {}): Promise<Phone> {
  const started = await startPhone(portal, { couriers: { production: courier.address }, ...options })
  await started.device.install({ bundleId, profile: portal.profile })
  return started
}

describe('a lost connection', () => {
  test('is made anew with the base token, and the app keeps its device token', async () => {
    const { log, device } = await phone()
    const first = await courier.connection()
    expect((await first.accept()).token).toBeUndefined()
    await first.issue()
    await log.next('registered')
    first.socket.destroy()
    expect(await log.next('disconnected')).toMatchObject({ environment: 'production', retryMs: 0 })

    const second = await courier.connection(2)
    expect((await second.accept()).token).toEqual(baseToken)
    await second.hear('filter')
    // Nothing to ask for: token and app are as they were.
    expect(second.heard.map(({ type }) => type)).toEqual(['connect', 'state', 'keepAlive', 'filter'])
    expect(device.app(bundleId)).toBeDefined()
  })

  test('waits by back-off; going online dials at once', async () => {
    const { log, device } = await phone({ random: randomWithBackOff(0xff) })
    const first = await courier.connection()
    await first.accept()
    first.socket.destroy()
    const { retryMs = 0 } = await log.next('disconnected')
    expect(retryMs).toBeGreaterThan(900)
    expect(retryMs).toBeLessThan(1_000)
    device.goOnline()
    await (await courier.connection(2)).accept()
    await log.next('connected', 2)
    expect(courier.connections).toHaveLength(2)
  })

  test('a courier that is away is found when it is back', async () => {
    const { port } = courier.address
    const { log } = await phone()
    await (await courier.connection()).accept()
    await courier.stop()
    const { reason } = await log.next('disconnected', 2)
    expect(reason).toBe(`127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`)
    const again = await TestCourier.start(portal, port)
    await (await again.connection()).accept()
    await log.next('connected', 2)
  })

  test('garbage closes it, and the device comes again', async () => {
    const { log } = await phone()
    const first = await courier.connection()
    await first.accept()
    first.socket.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect((await log.next('disconnected')).reason).toContain('cannot be read')
    await courier.connection(2)
  })
})

test('a burst that is larger than what may be under way is shown and acknowledged whole', async () => {
  const { log } = await phone()
  const connection = await courier.connection()
  await connection.accept()
  await connection.hear('filter')
  const count = limits.arrivingMax * 5
  const burst = Array.from({ length: count }, (_, n) => notification(bundleId, n))
  connection.say(...burst, { type: 'noStorage' })
  await connection.hear('ack', count)
  await log.next('storageEmpty')
  expect(log.shown).toEqual(burst.map(({ id }) => apnsIdOf(id)))
  expect(connection.all('ack').every(({ status }) => status === 0)).toBe(true)
})

describe('redirect', () => {
  test.each(['in the answer', 'later on'])(
    '%s: the other courier is dialled, then home again',
    async (when) => {
      const other = await TestCourier.start(portal)
      const { log } = await phone()
      const first = await courier.connection()
      const host = `localhost:${other.address.port}`
      if (when === 'later on') {
        await first.accept()
        first.say({ type: 'redirect', host })
      } else await first.accept({ redirectHost: host })
      expect((await log.next('disconnected')).reason).toBe(`redirected to ${host}`)
      const redirected = await other.connection()
      expect((await redirected.accept()).redirectCount).toBe(1)
      redirected.socket.destroy()
      expect((await (await courier.connection(2)).accept()).redirectCount).toBeUndefined()
    },
  )

  test.each(['', '127.0.0.1:99999', 'no host', '[::1'])('to nowhere (%j): home again', async (host) => {
    const { log } = await phone()
    const first = await courier.connection()
    await first.accept()
    first.say({ type: 'redirect', host })
    await log.next('disconnected')
    await (await courier.connection(2)).accept()
    await log.next('connected', 2)
  })
})

describe('refusal', () => {
  test('a wrong clock: once more at once by the courier’s clock, then by back-off', async () => {
    const hourMs = 3_600_000
    const { log } = await phone({ random: randomWithBackOff(0xff) })
    const says = async (count: number) => {
      const connection = await courier.connection(count)
      const { nonce } = await connection.hear('connect')
      connection.say({ type: 'connected', status: 2, nonceTimeMs: Date.now() + hourMs })
      return decodeNonce(nonce ?? new Uint8Array()).timeMs - Date.now()
    }
    expect(Math.abs(await says(1))).toBeLessThan(hourMs / 2)
    expect(Math.abs((await says(2)) - hourMs)).toBeLessThan(hourMs / 2)
    const [first, second] = [await log.next('disconnected', 1), await log.next('disconnected', 2)]
    expect(first).toMatchObject({ reason: "the device's clock is wrong", retryMs: 0 })
    expect(second.retryMs).toBeGreaterThan(1_000)
  })

  test('status 2: again without the base token, then with it again', async () => {
    const { log } = await phone()
    await (await courier.connection()).accept()
    await log.next('connected')
    ;(await courier.connection()).socket.destroy()
    const presented: boolean[] = []
    for (const count of [2, 3, 4]) {
      const { token } = await (await courier.connection(count)).accept({ status: 2 })
      presented.push(token !== undefined)
      await log.next('disconnected', count)
    }
    expect(presented).toEqual([true, false, true])
    expect(log.all('disconnected')[1]?.reason).toBe('the courier refused the device (status 2)')
  })

  test('a courier of another authority hears nothing of the device', async () => {
    const stranger = await testPortal()
    afterTest(() => stranger.close())
    const false_ = await TestCourier.start(stranger)
    const { log } = await phone({ couriers: { production: false_.address } })
    expect((await log.next('disconnected')).reason).toContain('certificate')
    expect(false_.connections.flatMap(({ heard }) => heard)).toEqual([])
  })
})

describe('offline', () => {
  test('says goodbye and stays away', async () => {
    const { log, device } = await phone()
    const first = await courier.connection()
    await first.accept()
    await log.next('connected')
    await device.goOffline()
    expect(log.all('disconnected')).toEqual([
      { event: 'disconnected', environment: 'production', reason: 'the device went offline' },
    ])
    expect(first.socket.readableEnded).toBe(true)
    device.goOnline()
    await (await courier.connection(2)).accept()
    await log.next('connected', 2)
  })

  test('off and on again in one turn: one connection at a time, and one in the end', async () => {
    const { log, device } = await phone()
    const first = await courier.connection()
    await first.accept()
    await log.next('connected')
    // The courier does not close its end: the goodbye takes as long as the device lets it.
    first.socket.pause()
    const away = device.goOffline()
    device.goOnline()
    device.goOnline()
    await away
    const second = await courier.connection(2)
    await second.accept()
    await log.next('connected', 2)
    expect(log.events.map(({ event }) => event)).toEqual(['connected', 'disconnected', 'connected'])
    second.notify(bundleId, 1)
    await second.hear('ack')
    expect(courier.connections).toHaveLength(2)
  })

  test('whoever hears of a loss and goes online at once makes one connection, not two', async () => {
    let goOnline = () => {}
    const { device } = await phone({
      onEvent: ({ event }) => {
        if (event === 'disconnected') goOnline()
      },
    })
    goOnline = () => device.goOnline()
    const first = await courier.connection()
    await first.accept()
    first.socket.destroy()
    const second = await courier.connection(2)
    await second.accept()
    second.notify(bundleId, 1)
    await second.hear('ack')
    expect(courier.connections).toHaveLength(2)
  })

  test.each(['close', 'goOffline'] as const)('%s while it connects gives up at once', async (how) => {
    // Takes the connection and never speaks TLS.
    const silent = createServer()
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const accepted = once(silent, 'connection')
    const { port } = silent.address() as { port: number }
    const { log, device } = await phone({ couriers: { production: { host: '127.0.0.1', port } } })
    const [socket] = await accepted
    await device[how]()
    expect(log.events.map(({ event }) => event)).toEqual(['disconnected'])
    socket.destroy()
    await new Promise((resolve) => silent.close(resolve))
  })

  test('an app that is installed meanwhile waits', async () => {
    const { device, log } = await startPhone(portal, { couriers: { production: courier.address } })
    await device.goOffline()
    const app = await device.install({ bundleId, profile: portal.profile })
    const registered = app.register()
    expect(courier.connections).toEqual([])
    device.goOnline()
    const connection = await courier.connection()
    await connection.accept()
    await connection.issue()
    expect(await registered).toBe('c0'.repeat(32))
    expect(log.events.map(({ event }) => event)).toEqual(['connected', 'registered'])
  })
})

import { expect, onTestFinished, test } from 'vitest'
import WebSocket from 'ws'
import {
  type BrowserDevice,
  type BrowserDeviceEvent,
  type BrowserPush,
  type DeviceStorage,
  memoryStorage,
  openBrowserDevice,
} from '../../../device/src/browser/index.ts'
import { nowSeconds } from '../store/store-fixture.ts'
import { certificates, startWorld, topic, type World } from './courier-over-tls.ts'
import type { Issued } from './device-certificates.ts'

/** A device in a page that does not listen yet. */
async function openDevice(
  port: number,
  identity: Issued,
  storage: DeviceStorage,
  onEvent: (event: BrowserDeviceEvent) => void = () => {},
): Promise<BrowserDevice> {
  const device = await openBrowserDevice({
    url: `wss://localhost:${port}/`,
    certificatePem: identity.pem,
    privateKey: identity.keyPem,
    storage,
    openWebSocket: (url, protocols) => new WebSocket(url, protocols, { ca: certificates.root.pem }),
    onEvent,
  })
  onTestFinished(() => device.close())
  return device
}

/** A page, as far as Node has what browsers have; the clock of the courier is another one, so it corrects its nonce. */
class Page {
  readonly pushes: BrowserPush[] = []
  readonly events: BrowserDeviceEvent[] = []
  #waiting: (() => void)[] = []

  async visit(port: number, identity: Issued, storage: DeviceStorage): Promise<BrowserDevice> {
    const device = await openDevice(port, identity, storage, (event) => {
      this.events.push(event)
      this.#changed()
    })
    device.onNotification((push) => {
      this.pushes.push(push)
      this.#changed()
    })
    return device
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #changed(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }
}

async function world(): Promise<World & { port: number; identity: Issued }> {
  const started = await startWorld()
  const { port } = await started.courier.listenWebSocket(0)
  return { ...started, port, identity: await certificates.device('page-1') }
}

const payload = (push: BrowserPush | undefined) => JSON.stringify(push?.payload)

test('a page registers, gets a push once, and finds what came while it was closed', async () => {
  const { port, identity, accept, courier } = await world()
  const storage = memoryStorage()
  const page = new Page()
  const device = await page.visit(port, identity, storage)
  const token = await device.register(topic)
  expect(token).toMatch(/^[0-9a-f]{64}$/)
  expect(await accept(Buffer.from(token, 'hex'), '{"aps":{"alert":"first"}}')).toBe('accepted')
  await page.until(() => page.pushes.length === 1)
  expect(page.pushes[0]).toMatchObject({ topic })
  expect(payload(page.pushes[0])).toContain('first')
  await device.close()
  while (courier.connections > 0) await new Promise((resolve) => setImmediate(resolve))
  expect(
    await accept(Buffer.from(token, 'hex'), '{"aps":{"alert":"second"}}', { expiration: nowSeconds + 60 }),
  ).toBe('accepted')

  const later = new Page()
  const again = await later.visit(port, identity, storage)
  expect(await again.register(topic)).toBe(token)
  await later.until(() => later.pushes.length === 1)
  expect(payload(later.pushes[0])).toContain('second')
  expect(courier.counters.rejected).toEqual({ 'nonce time': 2 })
})

test('what came before the page listened is handed over when it does', async () => {
  const { port, identity, accept } = await world()
  const storage = memoryStorage()
  const device = await openDevice(port, identity, storage)
  const token = await device.register(topic)
  // Acknowledged, and so kept: the provider's request is over.
  expect(await accept(Buffer.from(token, 'hex'), '{"aps":{"alert":"early"}}')).toBe('accepted')
  await device.close()
  const page = new Page()
  await page.visit(port, identity, storage)
  expect(page.pushes.map((push) => payload(push))).toEqual([expect.stringContaining('early')])
})

test('a topic that the push service does not know is refused', async () => {
  const { port, identity } = await world()
  const device = await new Page().visit(port, identity, memoryStorage())
  await expect(device.register('com.example.unknown')).rejects.toMatchObject({ code: 'REGISTRATION_REFUSED' })
})

test('a page that unregistered teaches the push service that its token is dead', async () => {
  const { port, identity, accept, tokenState } = await world()
  const page = new Page()
  const device = await page.visit(port, identity, memoryStorage())
  const token = Buffer.from(await device.register(topic), 'hex')
  await device.unregister(topic)
  expect(await accept(token, '{}')).toBe('accepted')
  while ((await tokenState(token)) === 'active') await new Promise((resolve) => setImmediate(resolve))
  expect(page.pushes).toEqual([])
})

test('it does so after a lost connection and on its next visit, too', async () => {
  const { port, identity, accept, tokenState } = await world()
  const storage = memoryStorage()
  const first = await new Page().visit(port, identity, storage)
  const token = Buffer.from(await first.register(topic), 'hex')
  await first.unregister(topic)
  await first.close()
  await new Page().visit(port, identity, storage)
  expect(await accept(token, '{}', { expiration: nowSeconds + 60 })).toBe('accepted')
  while ((await tokenState(token)) === 'active') await new Promise((resolve) => setImmediate(resolve))
})

test('a courier that is drained tells its reason, and the page comes back', async () => {
  const { port, identity, courier } = await world()
  const page = new Page()
  const device = await page.visit(port, identity, memoryStorage())
  await device.register(topic)
  await courier.drain({ withinMs: 0 })
  await page.until(() => page.events.filter(({ event }) => event === 'disconnected').length === 2)
  expect(page.events.at(-1)).toMatchObject({ reason: 'the courier closed the connection (drained)' })
})

/** Memory whose writes can be held back, and can fail. */
function moodyStorage() {
  const kept = memoryStorage()
  const mood = { fails: false, held: undefined as (() => void)[] | undefined }
  const storage: DeviceStorage = {
    get: (key) => kept.get(key),
    async set(key, value) {
      if (mood.held !== undefined) await new Promise<void>((resolve) => mood.held!.push(resolve))
      if (mood.fails) throw new Error('the quota is used up')
      return kept.set(key, value)
    },
  }
  return { mood, storage }
}

test('a push that could not be kept is not acknowledged, and shown when it comes again', async () => {
  const { port, identity, accept } = await world()
  const { mood, storage } = moodyStorage()
  const page = new Page()
  const device = await page.visit(port, identity, storage)
  const token = Buffer.from(await device.register(topic), 'hex')
  mood.fails = true
  expect(await accept(token, '{"aps":{"alert":"kept later"}}', { expiration: nowSeconds + 60 })).toBe(
    'accepted',
  )
  await page.until(() => page.events.some(({ event }) => event === 'failed'))
  expect(page.pushes).toEqual([])
  mood.fails = false
  // The device comes back by itself: what it owes would wait for its next connection.
  await page.until(() => page.pushes.length === 1)
  expect(payload(page.pushes[0])).toContain('kept later')
})

test('a page that begins to listen while a push is being kept gets it once', async () => {
  const { port, identity, accept } = await world()
  const { mood, storage } = moodyStorage()
  const page = new Page()
  const device = await page.visit(port, identity, storage)
  const token = Buffer.from(await device.register(topic), 'hex')
  mood.held = []
  const accepted = accept(token, '{"aps":{"alert":"one"}}', { expiration: nowSeconds + 60 })
  while (mood.held.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const late: BrowserPush[] = []
  device.onNotification((push) => late.push(push))
  const { held } = mood
  mood.held = undefined
  for (const resume of held) resume()
  await page.until(() => page.pushes.length > 0)
  await accepted
  await device.close()
  expect([page.pushes.length, late.length]).toEqual([1, 1])
})

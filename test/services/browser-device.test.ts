import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createSigningRequest } from '@carillon/device'
import type { BrowserDevice, indexedDbStorage, openBrowserDevice } from '@carillon/device/browser'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type JsonLine, Place, type RunningUp } from '../system/run-carillon.ts'
import { servePage } from './page-server.ts'

/** What `servePage` and the test put into the page. */
interface PageGlobals {
  readonly openBrowserDevice: typeof openBrowserDevice
  readonly indexedDbStorage: typeof indexedDbStorage
  readonly shown: string[]
  device: BrowserDevice
}

const executablePath = process.env.CARILLON_CHROMIUM ?? '/usr/bin/chromium'
const bundleId = 'com.example.page'

// The CI script installs the browser; elsewhere its tests are skipped where it is not there.
describe.skipIf(!existsSync(executablePath))('a device in a browser', () => {
  const place = new Place()
  let up: RunningUp
  let browser: Browser
  let served: Awaited<ReturnType<typeof servePage>>
  let key: JsonLine
  let identity: { certificatePem: string; privateKey: string }

  beforeAll(async () => {
    up = await place.up()
    served = await servePage()
    // Its profile is a directory of the test; the root certificate of the system is not in the browser's list.
    const args = ['--no-sandbox', '--disable-gpu', '--ignore-certificate-errors']
    browser = await chromium.launch({ executablePath, args })
    const on = ['--data', place.data]
    await place.line('portal', 'app', 'create', ...on, '--bundle-id', bundleId, '--name', 'Page')
    key = await place.line('portal', 'key', 'create', ...on, '--name', 'Back end', '--out', place.dir)
    identity = await activated()
  })
  afterAll(async () => {
    await browser?.close()
    await served?.close()
    await place.close()
  })

  async function activated() {
    const on = ['--data', place.data]
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { deviceId } = await place.line('portal', 'device', 'add', ...on, '--name', 'Browser')
    await writeFile(place.path('page.csr'), await createSigningRequest(privateKey, 'page'))
    const files = ['--csr', place.path('page.csr'), '--out', place.path('page.pem')]
    await place.line('portal', 'device', 'activate', ...on, '--device', deviceId, ...files)
    return {
      certificatePem: await readFile(place.path('page.pem'), 'utf8'),
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    }
  }

  function push(token: string, alert: string): Promise<JsonLine> {
    const { keyId, teamId, file } = key
    const by = ['--key', file, '--key-id', keyId, '--team-id', teamId]
    const to = ['--environment', 'sandbox', '--topic', bundleId, '--token', token, '--alert', alert]
    return place.line('push', '--data', place.data, ...to, ...by)
  }

  /** Opens the device in the page; gives its token. */
  async function visit(page: Page): Promise<string> {
    await page.goto(served.url)
    const { url } = up.endpoints.environments.sandbox.courierWebSocket
    await page.waitForFunction(() => 'openBrowserDevice' in globalThis)
    return page.evaluate(
      async (options) => {
        const own = globalThis as unknown as PageGlobals
        const storage = await own.indexedDbStorage()
        own.device = await own.openBrowserDevice({ ...options, storage })
        own.device.onNotification(({ payload }) =>
          own.shown.push((payload as { aps: { alert: string } }).aps.alert),
        )
        return own.device.register(options.bundleId)
      },
      { ...identity, url: url ?? '', bundleId },
    )
  }

  /** What the page has shown, once it has shown so much. */
  async function shown(page: Page, count: number): Promise<string[]> {
    const handle = await page.waitForFunction(
      (wanted) => {
        const { shown: all } = globalThis as unknown as PageGlobals
        return all.length >= wanted && all
      },
      count,
      { polling: 20 },
    )
    return handle.evaluate((all) => [...(all as string[])])
  }

  test('connects, registers, shows a push, and after its next visit what came meanwhile, each once', async () => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    const troubles: string[] = []
    page.on('pageerror', (error) => troubles.push(error.message))
    const token = await visit(page)
    expect(token).toMatch(/^[0-9a-f]{64}$/)
    expect(await push(token, 'Hello, page')).toMatchObject({ ok: true })
    expect(await shown(page, 1)).toEqual(['Hello, page'])

    await page.evaluate(() => (globalThis as unknown as PageGlobals).device.close())
    expect(await push(token, 'while away')).toMatchObject({ ok: true })
    expect(await visit(page)).toBe(token)
    expect(await push(token, 'back again')).toMatchObject({ ok: true })
    expect(await shown(page, 2)).toEqual(['while away', 'back again'])
    expect(troubles).toEqual([])
    await context.close()
  })
})

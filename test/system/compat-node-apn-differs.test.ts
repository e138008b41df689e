import compat from '@carillon/apns/compat/node-apn'
import original from '@parse/node-apn'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startProxy } from '../../packages/apns/test/support/connect-proxy.ts'
import { bundleId, type LocalApp, startLocalApp } from './support/local-app.ts'

// Where the original and the adapter differ, and why: the table of docs/migrating.md, each row run with both.

let app: LocalApp
beforeAll(async () => {
  app = await startLocalApp()
})
afterEach(() => app.system.faults.production.clear())
afterAll(() => app.close())

const ours: typeof original = compat
type Apn = typeof original

const options = (): original.ProviderOptions => ({
  token: { key: app.key.file, keyId: app.key.keyId, teamId: app.key.teamId },
  ...{ address: 'localhost', port: app.gateway.port, ca: [app.caFile], requestTimeout: 30_000 },
})

/** Sends to the device `count` times by one call, and says how many were accepted and why others failed. */
async function sendMany(apn: Apn, count: number, more: object = {}, fields: object = {}) {
  const provider = new apn.Provider({ ...options(), ...more })
  const notification = new apn.Notification({ topic: bundleId, pushType: 'alert', alert: 'Hello', ...fields })
  const startedAt = performance.now()
  const { sent, failed } = await provider.send(notification, Array(count).fill(app.deviceToken))
  const elapsedMs = performance.now() - startedAt
  // The original's shutdown waits for ever where a connect has failed.
  if (apn === ours) await provider.shutdown()
  else void provider.shutdown()
  return { sent: sent.length, failed, elapsedMs }
}

type Rules = Parameters<LocalApp['system']['faults']['production']['set']>[0]['rules']
const fault = (rule: NonNullable<Rules>[number]) => app.system.faults.production.set({ rules: [rule] })

describe('faults of the original that the adapter has not', () => {
  test('R1: 10,000 recipients in one call', async () => {
    const theirs = await sendMany(original, 10_000)
    expect(theirs.failed.length).toBeGreaterThan(0)
    expect(await sendMany(ours, 10_000)).toMatchObject({ sent: 10_000, failed: [] })
  })

  test('R2: GOAWAY after 50, again and again', async () => {
    const rule = {
      id: 'away',
      match: { after: 50, perConnection: true },
      fault: { kind: 'goaway', reason: 'Shutdown' },
    } as const
    fault(rule)
    expect((await sendMany(original, 500)).failed.length).toBeGreaterThan(0)
    fault(rule)
    expect(await sendMany(ours, 500)).toMatchObject({ sent: 500, failed: [] })
  })

  test.each(['TooManyRequests', 'ServiceUnavailable'])('R3: %s with retry-after: 1', async (reason) => {
    const rule = {
      id: 'busy',
      match: { times: 1 },
      fault: { kind: 'answer', reason, retryAfter: 1 },
    } as const
    fault(rule)
    expect((await sendMany(original, 1)).elapsedMs).toBeLessThan(900)
    fault(rule)
    const told = await sendMany(ours, 1)
    expect(told).toMatchObject({ sent: 1 })
    expect(told.elapsedMs).toBeGreaterThanOrEqual(1000)
  })

  test('R4: through a proxy, with a CA of its own and a client certificate', async () => {
    const proxy = await startProxy(() => undefined)
    const { certFile, keyFile } = await app.certificate()
    try {
      for (const who of [{}, { token: undefined, cert: certFile, key: keyFile }]) {
        const more = { ...who, proxy: { host: '127.0.0.1', port: proxy.port } }
        expect((await sendMany(original, 1, more)).failed).toMatchObject([{ error: expect.any(Error) }])
        const before = proxy.requests.length
        expect(await sendMany(ours, 1, more)).toMatchObject({ sent: 1, failed: [] })
        expect(proxy.requests.length).toBe(before + 1)
      }
    } finally {
      proxy.close()
    }
  })

  test('R4: channels by a proxy of their own', async () => {
    const proxy = await startProxy(() => undefined)
    const manage = async (apn: Apn) => {
      const provider = new apn.Provider({
        ...options(),
        ...{ manageChannelsAddress: 'localhost', manageChannelsPort: app.gateway.port },
        manageChannelsProxy: { host: '127.0.0.1', port: proxy.port },
      })
      const said = await provider.manageChannels(new apn.Notification(), bundleId, 'readAll')
      if (apn === ours) await provider.shutdown()
      return said
    }
    try {
      expect(await manage(original)).toMatchObject({ sent: [], failed: [{ error: expect.any(Error) }] })
      const before = proxy.requests.length
      expect(await manage(ours)).toMatchObject({ sent: [{ channels: [] }], failed: [] })
      expect(proxy.requests.length).toBe(before + 1)
    } finally {
      proxy.close()
    }
  })

  test('R6: refused streams are sent again', async () => {
    const rule = { id: 'refused', match: { times: 5 }, fault: { kind: 'resetStream' } } as const
    fault(rule)
    expect((await sendMany(original, 20)).failed).toHaveLength(5)
    fault(rule)
    expect(await sendMany(ours, 20)).toMatchObject({ sent: 20, failed: [] })
  })

  test('a connection that is cut: what was not sent is not lost', async () => {
    const rule = {
      id: 'cut',
      match: { app: bundleId, after: 20, times: 1 },
      fault: { kind: 'close' },
    } as const
    fault(rule)
    expect((await sendMany(original, 200)).failed.length).toBeGreaterThan(0)
    fault(rule)
    // A background push that may have arrived is sent again, since twice is harmless.
    const background = { pushType: 'background', priority: 5, alert: undefined, contentAvailable: true }
    expect(await sendMany(ours, 200, {}, background)).toMatchObject({ sent: 200, failed: [] })
  })

  test('shutdown is a promise, as its types say, also after a connect that failed', async () => {
    const provider = (apn: Apn) => new apn.Provider(options())
    expect(provider(original).shutdown()).toBeUndefined()
    await expect(provider(ours).shutdown()).resolves.toBeUndefined()
    expect(await sendMany(ours, 1, { port: 1 })).toMatchObject({ failed: [{ error: expect.any(Error) }] })
  })

  test('setLogger exists, as its types say, and hears no device token', async () => {
    const provider = new original.Provider(options())
    expect(() => provider.setLogger(() => {})).toThrow(TypeError)
    void provider.shutdown()
    const heard: string[] = []
    const logger = Object.assign((message: string) => void heard.push(message), { enabled: true })
    const own = new ours.Provider(options())
    own.setLogger(logger)
    await own.send(new ours.Notification({ alert: 'no topic' }), app.deviceToken)
    await own.shutdown()
    expect(heard).toEqual(['Request ended with status 400: MissingTopic'])
  })
})

describe('what else differs', () => {
  test('for now or never: what expires at once is not tried again later', async () => {
    const rule = {
      id: 'busy',
      match: { times: 1 },
      fault: { kind: 'answer', reason: 'ServiceUnavailable' },
    } as const
    fault(rule)
    expect(await sendMany(original, 1, {}, { expiry: 0 })).toMatchObject({ sent: 1 })
    fault(rule)
    const told = await sendMany(ours, 1, {}, { expiry: 0 })
    expect(told.failed).toMatchObject([{ status: 503, response: { reason: 'ServiceUnavailable' } }])
  })

  test('credentials that cannot be used are refused at once, not with each push', async () => {
    const { certFile, keyFile } = await app.certificate()
    for (const more of [
      { token: { ...options().token!, keyId: 'short' } },
      { token: undefined, cert: certFile, key: app.caFile },
      { token: undefined, pfx: keyFile },
    ]) {
      const given = { ...options(), ...more } as original.ProviderOptions
      void new original.Provider(given).shutdown()
      expect(() => new ours.Provider(given)).toThrow()
    }
  })
})

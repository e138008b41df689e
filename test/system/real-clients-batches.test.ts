import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import apn from '@parse/node-apn'
import { Notification as Apns2Notification, ApnsClient } from 'apns2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasProgram } from './programs.ts'
import { Place } from './run-carillon.ts'
import { bundleId, type LocalApp, startLocalApp } from './support/local-app.ts'
import { redirectApple } from './support/redirect-apple.ts'

const place = new Place()
let app: LocalApp
beforeAll(async () => {
  app = await startLocalApp()
})
afterAll(async () => {
  await place.close()
  await app.close()
})

/** What the device has shown since, as the bodies of the alerts. */
async function shownSince(before: number, count: number): Promise<(string | undefined)[]> {
  await app.waitForCount(before + count)
  return app.shown.slice(before).map(({ shown }) => shown.body)
}

describe('big batches', () => {
  test('@parse/node-apn, 10,000 notifications: each is shown once, and in order', async () => {
    const count = 10_000
    // A single `send` of 10,000 reports total failure: node:http2 runs out of the memory that it allows itself.
    const slice = 500
    const provider = new apn.Provider({
      token: { key: app.key.file, keyId: app.key.keyId, teamId: app.key.teamId },
      address: 'localhost',
      port: app.gateway.port,
      ca: [app.caFile],
      requestTimeout: 60_000,
    })
    const before = app.shown.length
    try {
      for (let first = 0; first < count; first += slice) {
        const sends = Array.from({ length: slice }, (_, index) => {
          const notification = new apn.Notification({ topic: bundleId, pushType: 'alert' })
          notification.alert = String(first + index)
          return provider.send(notification, app.deviceToken)
        })
        const results = await Promise.all(sends)
        expect(results.flatMap(({ failed }) => failed)).toEqual([])
        // What the device has not acknowledged is bounded; a sender that outruns it has its inbox replaced.
        await app.waitForCount(before + first + slice)
      }
    } finally {
      await provider.shutdown()
    }
    const bodies = await shownSince(before, count)
    expect(bodies).toEqual(Array.from({ length: count }, (_, index) => String(index)))
  })

  test('apns2, 1,000 notifications, one stream a connection', async () => {
    const count = 1000
    const restore = redirectApple(app)
    const { keyId, teamId: team, pem: signingKey } = app.key
    const client = new ApnsClient({ team, keyId, signingKey, defaultTopic: bundleId, keepAlive: false })
    const before = app.shown.length
    try {
      const notifications = Array.from(
        { length: count },
        (_, index) => new Apns2Notification(app.deviceToken, { alert: `apns2 ${index}` }),
      )
      const results = await client.sendMany(notifications)
      expect(results.filter((result) => 'error' in result)).toEqual([])
      const bodies = await shownSince(before, count)
      expect(new Set(bodies)).toEqual(new Set(notifications.map((_, index) => `apns2 ${index}`)))
    } finally {
      await client.close()
      restore()
    }
  })

  test.skipIf(!hasProgram('h2load'))('h2load, 20,000 requests, 100 at a time on 4 connections', async () => {
    const file = join(app.dir, 'body.json')
    await writeFile(file, JSON.stringify({ aps: { alert: 'h2load' } }))
    const headers = [
      ...['-H', `authorization: bearer ${app.jwt()}`, '-H', `apns-topic: ${bundleId}`],
      // What the device has not got yet is replaced: thousands would be too many for its inbox.
      ...['-H', 'apns-collapse-id: load', '-H', 'apns-push-type: alert'],
    ]
    const url = `https://localhost:${app.gateway.port}/3/device/${app.deviceToken}`
    const args = ['-n', '20000', '-c', '4', '-m', '100', ...headers, '-d', file, url]
    const { code, stdout } = await place.exec('h2load', args)
    expect(code).toBe(0)
    expect(stdout).toContain('20000 succeeded, 0 failed, 0 errored, 0 timeout')
    expect(stdout).toContain('status codes: 20000 2xx, 0 3xx, 0 4xx, 0 5xx')
  })
})

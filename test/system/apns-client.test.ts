import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  alert,
  background,
  broadcastActivity,
  PushClient,
  type PushClientOptions,
  type PushResult,
} from '@carillon/apns'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { pinnedNode, root } from './run-carillon.ts'
import { bundleId, type LocalApp, type Shown, startLocalApp } from './support/local-app.ts'

let local: LocalApp
let deviceToken: string
const clients: PushClient[] = []

beforeAll(async () => {
  local = await startLocalApp()
  ;({ deviceToken } = local)
})

afterEach(async () => {
  local.system.faults.production.clear()
  for (const client of clients.splice(0)) await client.close()
})

afterAll(() => local?.close())

const clientWith = (options: Partial<PushClientOptions> = {}): PushClient => {
  const { gateway, key, caPem: ca } = local
  const auth = { type: 'token' as const, keyFile: key.file, teamId: key.teamId }
  const client = new PushClient({ auth, environment: 'production', ...gateway, ca, ...options })
  clients.push(client)
  return client
}

const arrival = (id: string): Promise<Shown> => local.waitFor(({ apnsId }) => apnsId === id)

describe('against the push service, with a phone behind it', () => {
  test('what a builder makes arrives, by token and by certificates of every form', async () => {
    const certificate = await local.system.portal.certificates.create({
      bundleId,
      kind: 'production',
      p12Password: 'word',
    })
    const pem = join(local.dir, 'push.pem')
    await writeFile(pem, [certificate.certPem, certificate.chainPem, certificate.keyPem].join('\n'))
    const p12 = join(local.dir, 'push.p12')
    await writeFile(p12, certificate.p12 ?? '')
    const ways: PushClientOptions['auth'][] = [
      { type: 'token', keyFile: local.key.file, teamId: local.key.teamId },
      { type: 'certificate', certFile: pem, keyFile: pem },
      { type: 'p12', pfxFile: p12, passphrase: 'word' },
    ]
    for (const auth of ways) {
      const notification = alert({ bundleId, title: 'Hello', body: auth.type, data: { by: auth.type } })
      const result = await clientWith({ auth }).send({ deviceToken, ...notification })
      expect(result).toMatchObject({ ok: true, outcome: 'accepted' })
      expect((await arrival(result.apnsId)).payload).toEqual(notification.payload)
    }
  })

  test('sendMany: the phone gets its pushes, tokens of nobody are told by index', async () => {
    const strangers = Array.from({ length: 300 }, (_, n) => n.toString(16).padStart(64, '0'))
    const tokens = [...strangers.slice(0, 150), deviceToken, ...strangers.slice(150)]
    const accepted: string[] = []
    let rejected = 0
    for await (const { index, deviceToken: to, result } of clientWith().sendMany(
      background({ bundleId }),
      tokens,
    )) {
      expect(tokens[index]).toBe(to)
      if (result.ok) accepted.push(result.apnsId)
      else rejected += 1
    }
    expect([accepted.length, rejected]).toEqual([1, 300])
    await arrival(accepted[0]!)
  })

  test('rejections of the service carry reason, hint and what to do', async () => {
    const client = clientWith()
    const body = alert({ bundleId, body: 'x' })
    const unknown = await client.send({ deviceToken: 'ef'.repeat(32), ...body })
    expect(unknown).toMatchObject({ ok: false, status: 400, reason: 'BadDeviceToken', retryable: false })
    expect(unknown).toHaveProperty('hint', expect.stringContaining('try sandbox'))
    const foreign = await client.send({ deviceToken, ...alert({ bundleId: 'com.example.other', body: 'x' }) })
    expect(foreign).toMatchObject({ ok: false, outcome: 'rejected', sent: true })
    const otherTeam = clientWith({ auth: { type: 'token', keyFile: local.key.file, teamId: 'TEAM000009' } })
    expect(await otherTeam.send({ deviceToken, ...body })).toMatchObject({
      status: 403,
      reason: 'InvalidProviderToken',
    })
    expect(client.stats()).toMatchObject({ rejected: 2, accepted: 0 })
  })

  test('without ALPN', async () => {
    const result = await clientWith({ alpn: false }).send({
      deviceToken,
      ...alert({ bundleId, body: 'no ALPN' }),
    })
    expect(result).toMatchObject({ ok: true })
    await arrival(result.apnsId)
  })

  test('channels: made, read, listed, published to, deleted', async () => {
    const client = clientWith()
    const made = await client.channels.create(bundleId, 'latest')
    if (!made.ok) throw new Error(made.hint)
    const { channelId } = made
    expect(await client.channels.read(bundleId, channelId)).toMatchObject({ ok: true, storage: 'latest' })
    expect(await client.channels.list(bundleId)).toMatchObject({ ok: true, channelIds: [channelId] })
    const goal = broadcastActivity.update({
      bundleId,
      channelId,
      timestamp: new Date(),
      contentState: { score: 3 },
      expiration: new Date(Date.now() + 3_600_000),
    })
    expect(await client.broadcast(goal)).toMatchObject({ ok: true, outcome: 'accepted' })
    expect(await client.channels.delete(bundleId, channelId)).toMatchObject({ ok: true })
    expect(await client.broadcast(goal)).toMatchObject({ ok: false, reason: 'ChannelNotRegistered' })
    expect(await client.channels.list(bundleId)).toMatchObject({ ok: true, channelIds: [] })
  })
})

describe('when the push service has trouble', () => {
  const body = alert({ bundleId, body: 'through trouble' })
  /** Every id that was accepted is on the phone, each push was accepted once or told why not. */
  const sendThroughTrouble = async (count: number, options: Partial<PushClientOptions> = {}) => {
    const client = clientWith(options)
    const results: PushResult[] = []
    const tokens = Array.from({ length: count }, () => deviceToken)
    for await (const { result } of client.sendMany(body, tokens)) results.push(result)
    for (const { ok, apnsId } of results) if (ok) await arrival(apnsId)
    const times = new Map<string, number>()
    for (const { apnsId } of local.shown) times.set(apnsId, (times.get(apnsId) ?? 0) + 1)
    for (const { apnsId } of results) expect(times.get(apnsId) ?? 0).toBeLessThanOrEqual(1)
    return { results, stats: client.stats() }
  }
  const faults = () => local.system.faults.production
  const oks = (results: readonly PushResult[]) => results.filter(({ ok }) => ok).length

  test('GOAWAY in the middle, again and again: all arrive, once', async () => {
    faults().set({
      rules: [
        {
          id: 'bye',
          match: { after: 40, every: 60, times: 3 },
          fault: { kind: 'goaway', reason: 'Shutdown' },
        },
      ],
    })
    const { results, stats } = await sendThroughTrouble(300)
    expect(oks(results)).toBe(300)
    expect(stats.connectionsOpened).toBeGreaterThan(1)
  })

  test('refused streams are sent again', async () => {
    faults().set({ rules: [{ id: 'no', match: { every: 3, times: 50 }, fault: { kind: 'resetStream' } }] })
    const { results, stats } = await sendThroughTrouble(200)
    expect(oks(results)).toBe(200)
    expect(stats.resent).toBe(50)
  })

  test('429 and 503 with retry-after are waited for', async () => {
    faults().set({
      rules: [
        {
          id: 'slow',
          match: { every: 4, times: 10 },
          fault: { kind: 'answer', reason: 'TooManyRequests', retryAfter: 1 },
        },
        {
          id: 'away',
          match: { every: 5, times: 10 },
          fault: { kind: 'answer', reason: 'ServiceUnavailable', retryAfter: 1 },
        },
      ],
    })
    const start = performance.now()
    const { results, stats } = await sendThroughTrouble(100)
    expect(oks(results)).toBe(100)
    expect(stats.retried).toBe(20)
    expect(performance.now() - start).toBeGreaterThanOrEqual(1000)
  })

  test('a connection cut after accepting: alerts are told as ambiguous, and not doubled', async () => {
    const cut = { kind: 'close', when: 'afterAccepting' } as const
    faults().set({ rules: [{ id: 'cut', match: { after: 20, times: 1 }, fault: cut }] })
    const { results } = await sendThroughTrouble(60)
    const lost = results.filter((result) => !result.ok)
    expect(lost.length).toBeGreaterThan(0)
    for (const one of lost) expect(one).toMatchObject({ outcome: 'ambiguous', reason: 'ConnectionLost' })
    faults().set({ rules: [{ id: 'cut', match: { after: 20, times: 1 }, fault: cut }] })
    const resent = await sendThroughTrouble(60, { retry: { ambiguous: { alert: 'resend' } } })
    expect(oks(resent.results)).toBe(60)
  })

  test('a token that the service calls expired is renewed, and every push goes on', async () => {
    faults().set({
      rules: [{ id: 'late', match: { times: 1 }, fault: { kind: 'clockSkew', seconds: 7200 } }],
    })
    const { results, stats } = await sendThroughTrouble(50)
    expect(oks(results)).toBe(50)
    expect(stats.connectionsOpened).toBe(2)
  })

  test('a service that stops answering is found out, and replaced', async () => {
    faults().set({ rules: [{ id: 'mute', match: { app: bundleId, times: 1 }, fault: { kind: 'halfOpen' } }] })
    const client = clientWith({ limits: { silentMsMax: 200, pingMsMax: 300 } })
    expect(await client.send({ deviceToken, ...body })).toMatchObject({ outcome: 'ambiguous' })
    const again = await client.send({ deviceToken, ...body })
    expect(again).toMatchObject({ ok: true })
    await arrival(again.apnsId)
  })
})

test('first-push-locally.ts', async () => {
  const cwd = await mkdtemp(join(local.dir, 'example-'))
  const { stdout } = await promisify(execFile)(
    pinnedNode,
    [join(root, 'examples', 'first-push-locally.ts')],
    { cwd },
  )
  expect(stdout).toMatch(/^accepted [\da-f-]{36}\nthe phone shows: Hello, from my own server\n$/)
})

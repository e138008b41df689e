import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { ClientConnection, connect as connectHttp2, ErrorCode } from '@carillon/http2'
import type { FaultControl } from '@carillon/system'
import apn from '@parse/node-apn'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasProgram } from './programs.ts'
import { Place, pinnedNode, root } from './run-carillon.ts'
import { bundleId, type LocalApp, startLocalApp } from './support/local-app.ts'

let app: LocalApp
let faults: FaultControl
const place = new Place()

beforeAll(async () => {
  app = await startLocalApp()
  faults = app.system.faults.production
})
afterAll(async () => {
  await place.close()
  await app.close()
})
beforeEach(() => faults.clear())

const jwt = (() => {
  let made = ''
  return () => (made ||= app.jwt())
})()

describe('seen by @parse/node-apn', () => {
  const provider = () =>
    new apn.Provider({
      token: { key: app.key.file, keyId: app.key.keyId, teamId: app.key.teamId },
      address: 'localhost',
      port: app.gateway.port,
      ca: [app.caFile],
      requestTimeout: 60_000,
      connectionRetryLimit: 0,
    })

  /** One push; what the library says became of it. */
  async function send(): Promise<string> {
    const one = provider()
    try {
      const notification = new apn.Notification({ topic: bundleId, pushType: 'alert', alert: 'Hello' })
      const { sent, failed } = await one.send(notification, app.deviceToken)
      if (sent.length === 1) return 'sent'
      const { status, response, error } = failed[0]!
      return status === undefined ? `error ${error?.message}` : `${status} ${response?.reason}`
    } finally {
      await one.shutdown()
    }
  }

  test('a reason of the table', async () => {
    faults.add({ id: 'a', match: { times: 1 }, fault: { kind: 'answer', reason: 'PayloadTooLarge' } })
    expect(await send()).toBe('413 PayloadTooLarge')
    expect(await send()).toBe('sent')
  })

  test('a token that became invalid at a moment', async () => {
    const at = Date.now() - 1000
    faults.add({ id: 'a', match: { token: app.deviceToken }, fault: { kind: 'tokenInvalid', at } })
    expect(await send()).toBe('410 Unregistered')
    faults.set({ rules: [{ id: 'a', fault: { kind: 'tokenInvalid', at: Date.now() + 3_600_000 } }] })
    expect(await send()).toBe('sent')
  })

  test('a clock that is an hour ahead', async () => {
    faults.add({ id: 'a', fault: { kind: 'clockSkew', seconds: 3700 } })
    // It renews its token and tries again, in vain; the reason is lost on the way.
    expect(await send()).toMatch(/^403 /)
  })

  test('REFUSED_STREAM, which it does not retry', async () => {
    faults.add({ id: 'a', match: { times: 1 }, fault: { kind: 'resetStream' } })
    expect(await send()).toMatch(/^error .*REFUSED_STREAM/)
  })

  test('the connection closed after the push was accepted: it is told as failed, and the device shows it', async () => {
    const before = app.shown.length
    faults.add({ id: 'a', fault: { kind: 'close', when: 'afterAccepting' } })
    expect(await send()).toMatch(/^error /)
    await app.waitForCount(before + 1)
    expect(faults.get('a').counters.hits).toBeGreaterThan(0)
  })

  test('GOAWAY in the middle of a batch: the device shows exactly what was processed', async () => {
    const before = app.shown.length
    faults.add({
      id: 'a',
      match: { after: 5, perConnection: true },
      fault: { kind: 'goaway', reason: 'Shutdown' },
    })
    const one = provider()
    try {
      const notification = new apn.Notification({ topic: bundleId, pushType: 'alert', alert: 'Batch' })
      const { sent, failed } = await one.send(notification, new Array(12).fill(app.deviceToken))
      expect(sent.length + failed.length).toBe(12)
      expect(sent.length).toBeGreaterThanOrEqual(5)
      await app.waitForCount(before + sent.length)
    } finally {
      await one.shutdown()
    }
  })
})

describe('seen by packages/http2', () => {
  /** A connection, a request for each entry, and what became of each. */
  function run(count: number, listens: object = {}): Promise<string[]> {
    return new Promise((resolve) => {
      const told: string[] = []
      const headers = [
        ...[':method', 'POST', ':scheme', 'https', ':path', `/3/device/${app.deviceToken}`],
        ...[':authority', 'localhost', 'authorization', `bearer ${jwt()}`, 'apns-topic', bundleId],
      ]
      let left = count
      let ended = 0
      const finish = () => {
        ended += 1
        if (ended === count) transport.destroy()
      }
      const connection: ClientConnection<number> = new ClientConnection<number>(listens, {
        onResponse: (_context, status) => {
          told.push(String(status))
          finish()
        },
        onReset: (_context, code) => {
          told.push(`reset ${code}`)
          finish()
        },
        onRefused: () => {
          told.push('refused')
          finish()
        },
        onCapacity: () => {
          while (left > 0 && connection.request(headers, Buffer.from('{"aps":{}}'), left) !== -1) left--
        },
        onGoaway: (code, _debug, last) => told.push(`goaway ${code} ${last}`),
        onEnd: ({ kind }, unanswered) => {
          if (ended < count) told.push(`end ${kind} ${unanswered.length}`)
          resolve(told)
        },
      })
      const { port } = app.gateway
      const transport = connectHttp2({ host: 'localhost', port, ca: app.caPem }, connection)
    })
  }

  test.each([
    ['nothing', undefined, ['200', '200', '200']],
    [
      'INTERNAL_ERROR once',
      { id: 'a', match: { times: 1 }, fault: { kind: 'resetStream', code: 'INTERNAL_ERROR' } },
      [`reset ${ErrorCode.INTERNAL_ERROR}`, '200', '200'],
    ],
    [
      'REFUSED_STREAM once',
      { id: 'a', match: { times: 1 }, fault: { kind: 'resetStream' } },
      ['refused', '200', '200'],
    ],
    [
      'the connection closed after the first was accepted',
      { id: 'a', match: { topic: bundleId }, fault: { kind: 'close', when: 'afterAccepting' } },
      ['end peerClosed 3'],
    ],
    [
      'small windows',
      { id: 'a', fault: { kind: 'settings', initialWindowSize: 3, headerTableSize: 0 } },
      ['200', '200', '200'],
    ],
  ] as const)('%s', async (_name, rule, expected) => {
    if (rule !== undefined) faults.add(rule)
    expect(await run(3)).toEqual(expected)
  })

  /** A client that asks after a while whether anybody is there. */
  const impatient = { keepAliveMs: 200, limits: { pingAckMsMax: 500 } }

  test('half-open: its PING tells', async () => {
    faults.add({ id: 'a', fault: { kind: 'halfOpen', when: 'afterAccepting' } })
    expect(await run(3, impatient)).toEqual(['end timeout 3'])
  })

  test('PINGs without an answer end the connection, although requests are answered', async () => {
    faults.set({
      rules: [
        { id: 'a', fault: { kind: 'pingUnanswered' } },
        { id: 'b', fault: { kind: 'latency', ms: 60_000 } },
      ],
    })
    expect(await run(1, impatient)).toEqual(['end timeout 1'])
  })

  test('the same seed, the same answers', async () => {
    const rules = [
      { id: 'a', match: { probability: 0.4 }, fault: { kind: 'answer', reason: 'InternalServerError' } },
    ] as const
    faults.set({ seed: 5, rules: [...rules] })
    const first = await run(30)
    expect(new Set(first)).toEqual(new Set(['200', '500']))
    faults.set({ seed: 5, rules: [...rules] })
    expect((await run(30)).filter((status) => status === '500')).toHaveLength(
      first.filter((status) => status === '500').length,
    )
  })
})

test('the system has a certificate that is over, and shows it where a rule says so', async () => {
  const dial = (port: number) =>
    new Promise<string>((resolve) => {
      const socket = connectTls({ port, host: 'localhost', ca: app.caPem, ALPNProtocols: ['h2'] })
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      socket.once('secureConnect', () => {
        socket.destroy()
        resolve('fine')
      })
    })
  faults.add({ id: 'a', match: { times: 1 }, fault: { kind: 'expiredCertificate' } })
  expect(await dial(app.gateway.port)).toBe('CERT_HAS_EXPIRED')
  expect(await dial(app.gateway.port)).toBe('fine')
})

describe('examples', () => {
  const folder = 'faults'
  const example = (name: string) => join(root, 'examples', folder, name)
  const env = () => {
    const { environments, adminKeyFile } = app.system.endpoints
    const { admin, http2 } = environments.production
    return {
      ...{ ADMIN_URL: admin.url ?? '', ADMIN_KEY_FILE: adminKeyFile, CA_FILE: app.caFile },
      ...{ PUSH_URL: `https://localhost:${http2.port}`, HOST: 'localhost', PORT: String(http2.port) },
      ...{ KEY_FILE: app.key.file, KEY_ID: app.key.keyId, TEAM_ID: app.key.teamId },
      ...{ TOPIC: bundleId, DEVICE_TOKEN: app.deviceToken, PROVIDER_TOKEN: jwt() },
      NODE_EXTRA_CA_CERTS: app.caFile,
    }
  }

  test.skipIf(!hasProgram('curl', /HTTP2/))('curl.sh', async () => {
    const { code, stdout, stderr } = await place.start('sh', [example('curl.sh')], env()).ended
    expect([code, stderr]).toEqual([0, ''])
    const statuses = [...stdout.matchAll(/^push: (\d+), retry-after ?(.*)$/gm)].map((row) => [row[1], row[2]])
    expect(statuses).toEqual([
      ['503', '1'],
      ['503', '1'],
      ['200', ''],
    ])
    expect(stdout).toContain('"counters":{"seen":3,"hits":2')
    expect(faults.list()).toEqual([])
  })

  test('node-apn.ts', async () => {
    const { code, stdout, stderr } = await place.start(pinnedNode, [example('node-apn.ts')], env()).ended
    expect([code, stderr]).toEqual([0, ''])
    const [, sent, failed] = /^(\d+) sent, (\d+) failed\n$/.exec(stdout) ?? []
    expect(Number(sent) + Number(failed)).toBe(200)
    expect(faults.list()).toEqual([])
  })

  test('in-process.ts', async () => {
    const { code, stdout, stderr } = await place.exec(pinnedNode, [example('in-process.ts')])
    expect([code, stderr, stdout]).toEqual([0, '', 'slow on http2, met 0 times\n'])
  })

  test('set-faults.sh: its commands, without npx', async () => {
    const data = join(app.dir, 'data')
    const script = readFileSync(example('set-faults.sh'), 'utf8')
    const [, rule = ''] = /--rule '([^']+)'/.exec(script) ?? []
    const on = ['--data', data, '--environment', 'production']
    const [set] = await place.lines('faults', 'set', ...on, '--rule', rule)
    expect(set).toMatchObject({ id: 'busy', where: 'http2', counters: { hits: 0 } })
    expect(faults.list()).toHaveLength(1)
    expect(await place.lines('faults', 'list', ...on)).toEqual([set])
    expect((await place.carillon('faults', 'list', ...on)).stdout).toBe('busy  http2  answer  met 0 of 0\n')
    await place.lines('faults', 'clear', ...on)
    expect(faults.list()).toEqual([])
    const wrong = await place.carillon('faults', 'set', ...on, '--rule', '{"id":"a","fault":{"kind":"fire"}}')
    expect([wrong.code, wrong.stdout]).toEqual([1, ''])
    expect(wrong.stderr).toMatch(/^rules\.0\.fault\.kind: /)
    const nothing = await place.carillon('faults', 'set', ...on)
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringMatching(/Give --file, or --rule/)])
    const seedTwice = await place.carillon('faults', 'set', ...on, '--file', 'plan.json', '--seed', '7')
    expect([seedTwice.code, seedTwice.stderr]).toEqual([2, expect.stringMatching(/--seed would not be used/)])
    const noSeed = await place.carillon('faults', 'set', ...on, '--rule', rule, '--seed', 'many')
    expect([noSeed.code, noSeed.stderr]).toEqual([2, expect.stringMatching(/not a whole number/)])
  })

  // Go is on few machines that test this repository: where it is not, the source is at least looked at.
  test('faults_test.go: brackets close, and what is imported is used', () => {
    const source = readFileSync(example('faults_test.go'), 'utf8')
    const code = source
      .replace(/`[^`]*`/g, '``')
      // What looks like a comment in a string is none.
      .replace(/"(?:\\.|[^"\\])*"|\/\/[^\n]*/g, (text) => (text.startsWith('"') ? text : ''))
    const bare = code.replace(/"(?:\\.|[^"\\])*"/g, '""')
    const open: string[] = []
    const pairs: Record<string, string> = { ')': '(', ']': '[', '}': '{' }
    for (const sign of bare) {
      if ('([{'.includes(sign)) open.push(sign)
      else if (sign in pairs) expect(open.pop()).toBe(pairs[sign])
    }
    expect(open).toEqual([])
    const [, list = ''] = /import \(([^)]*)\)/.exec(code) ?? []
    const imported = [...list.matchAll(/"([^"]+)"/g)].map((match) => match[1]!.split('/').at(-1)!)
    expect(imported.filter((name) => !new RegExp(`\\b${name}\\.`).test(bare))).toEqual([])
  })
})

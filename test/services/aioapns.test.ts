import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mayBeSkipped } from '../system/programs.ts'
import { Place } from '../system/run-carillon.ts'
import { bundleId, type LocalApp, startLocalApp } from '../system/support/local-app.ts'

// Debian's package is for Debian's Python.
const python = '/usr/bin/python3'
const script = fileURLToPath(new URL('aioapns_client.py', import.meta.url))
const isHere = spawnSync(python, ['-c', 'import aioapns']).status === 0
if (!isHere && mayBeSkipped) console.warn('skipped: python3-aioapns is not installed')

interface Request {
  readonly device_token: string
  readonly message: object
  readonly notification_id?: string
  readonly time_to_live?: number
  readonly priority?: string
  readonly collapse_key?: string
  readonly push_type?: string
}

describe.skipIf(!isHere && mayBeSkipped)('python3-aioapns', () => {
  const place = new Place()
  let app: LocalApp
  let client_cert: string
  beforeAll(async () => {
    app = await startLocalApp()
    const { certFile, keyFile } = await app.certificate()
    client_cert = join(app.dir, 'client.pem')
    await writeFile(client_cert, (await readFile(certFile, 'utf8')) + (await readFile(keyFile, 'utf8')))
  })
  afterAll(async () => {
    await place.close()
    await app.close()
  })

  const byToken = () => ({
    ...{ key: app.key.file, key_id: app.key.keyId, team_id: app.key.teamId, topic: bundleId },
  })
  const byCertificate = () => ({ client_cert, topic: bundleId })

  async function send(credentials: object, ...requests: Request[]) {
    const told = { port: app.gateway.port, ca: app.caFile, credentials, requests }
    const { code, stdout, stderr } = await place.exec(python, [script, JSON.stringify(told)])
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as { id: string; status: string; reason: string | null }[]
  }

  const alert = (body: string, more: Partial<Request> = {}): Request => ({
    device_token: app.deviceToken,
    message: { aps: { alert: body } },
    ...more,
  })

  test.each([
    ['a provider token', byToken],
    ['a push certificate', byCertificate],
  ])('with %s: the device shows the notification, under the id that the client chose', async (_name, by) => {
    const notification_id = randomUUID()
    const more = {
      notification_id,
      time_to_live: 600,
      priority: '10',
      push_type: 'alert',
      collapse_key: 'one',
    }
    const body = `from aioapns ${notification_id}`
    expect(await send(by(), alert(body, more))).toEqual([
      { id: notification_id, status: '200', reason: null },
    ])
    const { shown } = await app.waitFor((one) => one.apnsId === notification_id)
    expect(shown.body).toBe(body)
  })

  test('an id in capitals comes back as it was sent: the client finds its request by it', async () => {
    const notification_id = randomUUID().toUpperCase()
    expect(await send(byToken(), alert('in capitals', { notification_id }))).toEqual([
      { id: notification_id, status: '200', reason: null },
    ])
  })

  test('300 at a time on one connection: each is answered and shown', async () => {
    const before = app.shown.length
    const bodies = Array.from({ length: 300 }, (_, index) => `many ${index}`)
    const answers = await send(byToken(), ...bodies.map((body) => alert(body)))
    expect(answers.filter(({ status }) => status !== '200')).toEqual([])
    await app.waitForCount(before + bodies.length)
    expect(new Set(app.shown.slice(before).map(({ shown }) => shown.body))).toEqual(new Set(bodies))
  })

  test.each([
    ['BadDeviceToken', '400', { device_token: 'ab'.repeat(32) }],
    ['PayloadTooLarge', '413', { message: { aps: { alert: 'x'.repeat(4096) } } }],
    ['BadPriority', '400', { priority: '7' }],
    ['BadCollapseId', '400', { collapse_key: 'x'.repeat(65) }],
  ])('%s is told with its status', async (reason, status, more) => {
    expect(await send(byToken(), alert('wrong', more))).toMatchObject([{ status, reason }])
  })

  test('a key that the portal does not know', async () => {
    const answers = await send({ ...byToken(), key_id: 'ZZZZZZZZZZ' }, alert('wrong'))
    expect(answers).toMatchObject([{ status: '403', reason: 'InvalidProviderToken' }])
  })

  test('good and bad ones together: each gets its own answer', async () => {
    const good = randomUUID()
    const bad = randomUUID()
    const answers = await send(
      byToken(),
      alert('good', { notification_id: good }),
      alert('bad', { notification_id: bad, device_token: 'cd'.repeat(32) }),
    )
    expect(answers).toEqual([
      { id: good, status: '200', reason: null },
      { id: bad, status: '400', reason: 'BadDeviceToken' },
    ])
  })
})

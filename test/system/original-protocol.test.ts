import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BinaryPushClient } from '@carillon/apns'
import { type Device, type DeviceEvent, startDevice } from '@carillon/device'
import type { Address, Endpoints } from '@carillon/system'
import { type BinaryNotification, encodeBinaryNotification, FeedbackReader } from '@carillon/wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { activationAt } from '../../packages/cli/src/portal-access.ts'
import { hasProgram } from './programs.ts'
import { type JsonLine, Place, pinnedNode, type Run, root } from './run-carillon.ts'
import { bundleId, pushCertificate } from './running-app.ts'

const place = new Place()
const on = ['--data', place.data]
let up: Run
let endpoints: Endpoints
let certificate: JsonLine
let device: Device
let deviceToken: string
const events: DeviceEvent[] = []
let look: () => void = () => {}

let profile: string

beforeAll(async () => {
  ;({ run: up, endpoints } = await place.up())
  const app = ['--bundle-id', bundleId, '--name', 'Example', '--inbox', '1000']
  await place.line('portal', 'app', 'create', ...on, ...app)
  certificate = await pushCertificate(place, 'sandbox')
  const phone = await place.line('portal', 'device', 'add', ...on, '--name', 'Phone')
  profile = place.path('app.mobileprovision')
  const of = ['--bundle-id', bundleId, '--kind', 'development', '--device', phone.deviceId, '--out', profile]
  await place.line('portal', 'profile', 'create', ...on, ...of)
  deviceToken = await startPhone()
})

/** Starts the device and its app; gives the device token. */
async function startPhone(): Promise<string> {
  const { sandbox, production } = endpoints.environments
  device = await startDevice({
    stateDir: place.path('phone'),
    caPem: await readFile(endpoints.caFile, 'utf8'),
    couriers: { sandbox: sandbox.courier, production: production.courier },
    activate: activationAt(endpoints),
    now: Date.now,
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    onEvent: (event) => {
      events.push(event)
      look()
    },
  })
  const installed = await device.install({ bundleId, profile: await readFile(profile) })
  return installed.register()
}

afterAll(async () => {
  await device?.close()
  await place.close()
})

/** The alerts that the device has shown, once there are so many. */
async function shown(count: number): Promise<unknown[]> {
  for (;;) {
    const bodies = events.flatMap((event) => (event.event === 'notification' ? [event.shown.body] : []))
    if (bodies.length >= count) return bodies
    await new Promise<void>((resolve) => (look = resolve))
  }
}

function bytesOf(alert: string, changes: Partial<BinaryNotification> = {}): Uint8Array {
  return encodeBinaryNotification({
    type: 'notification',
    command: 2,
    token: Buffer.from(deviceToken, 'hex'),
    payload: Buffer.from(JSON.stringify({ aps: { alert } })),
    identifier: 1,
    expiration: 2_000_000_000,
    priority: 10,
    ...changes,
  })
}

const flush = () => bytesOf('', { token: new Uint8Array() })
const simple = { command: 0, identifier: undefined, expiration: undefined, priority: undefined } as const

/** Pipes bytes through `openssl s_client` and gives what the service said until it closed. */
async function openssl({ host, port }: Address, ...input: Uint8Array[]): Promise<Buffer> {
  const of = ['-CAfile', endpoints.caFile, '-verify_return_error']
  const own = ['-cert', certificate.certFile, '-key', certificate.keyFile]
  const child = spawn('openssl', ['s_client', '-quiet', '-connect', `${host}:${port}`, ...of, ...own], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stdin.end(Buffer.concat(input))
  await once(child, 'close')
  return Buffer.concat(chunks)
}

test('examples/original-protocol.ts sends and reads', async () => {
  const { binary, feedback: port } = endpoints.environments.sandbox
  const run = place.start(pinnedNode, [join(root, 'examples', 'original-protocol.ts')], {
    ...{ CERT_FILE: certificate.certFile, CERT_KEY_FILE: certificate.keyFile, CA_FILE: endpoints.caFile },
    ...{ HOST: 'localhost', BINARY_PORT: String(binary!.port), FEEDBACK_PORT: String(port!.port) },
  })
  const nobody = '00'.repeat(32)
  run.child.stdin?.end(`${deviceToken}\n${nobody}\n${deviceToken}\n`)
  expect(await run.ended).toMatchObject({ code: 0, stderr: '' })
  expect(run.stdout).toBe(`accepted ${deviceToken}\ninvalidToken ${nobody}\naccepted ${deviceToken}\n`)
  expect(await shown(2)).toEqual(['Hello', 'Hello'])
  events.length = 0
})

test('what a flush has confirmed is there after kill -9, each once and in order', async () => {
  await device.close()
  const auth = { type: 'certificate', certFile: certificate.certFile, keyFile: certificate.keyFile } as const
  const { host, port } = endpoints.environments.sandbox.binary!
  const ca = await readFile(endpoints.caFile, 'utf8')
  const client = new BinaryPushClient({ auth, environment: 'sandbox', host, port, ca })
  const alerts = Array.from({ length: 300 }, (_, number) => `Number ${number}`)
  const sent = alerts.map((alert) => client.send({ deviceToken, payload: { aps: { alert } } }))
  await client.flush()
  await up.end('SIGKILL')
  expect((await Promise.all(sent)).every(({ ok }) => ok)).toBe(true)
  await client.close()
  ;({ run: up, endpoints } = await place.up())
  expect(await startPhone()).toBe(deviceToken)
  expect(await shown(alerts.length)).toEqual(alerts)
  events.length = 0
})

const feedbackCommand = () => [
  ...['feedback', ...on, '--environment', 'sandbox'],
  ...['--cert', certificate.certFile, '--cert-key', certificate.keyFile],
]
const feedback = () => place.lines(...feedbackCommand())

describe.skipIf(!hasProgram('openssl'))(
  'a sender of the original protocol, from the push to the feedback',
  () => {
    test('all three commands arrive on the device, in order', async () => {
      const binary = endpoints.environments.sandbox.binary!
      const said = await openssl(
        binary,
        bytesOf('simple', simple),
        bytesOf('enhanced', { command: 1, priority: undefined }),
        bytesOf('framed'),
        flush(),
      )
      expect(said.toString('hex')).toBe('080200000000')
      expect(await shown(3)).toEqual(['simple', 'enhanced', 'framed'])
    })

    test('a bad one is told, those after it do not arrive, and are sent again', async () => {
      const binary = endpoints.environments.sandbox.binary!
      const bad = { token: new Uint8Array(32), identifier: 77 }
      const said = await openssl(binary, bytesOf('before'), bytesOf('bad', bad), bytesOf('after'))
      expect(said.toString('hex')).toBe('08080000004d')
      expect((await openssl(binary, bytesOf('again'), flush())).toString('hex')).toBe('080200000000')
      expect((await shown(5)).slice(3)).toEqual(['before', 'again'])
    })

    test('the other environment closes without a word', async () => {
      const said = await openssl(endpoints.environments.production.binary!, bytesOf('nowhere'), flush())
      expect(said).toHaveLength(0)
    })

    test('an app that is removed is told by feedback, once, and again when somebody still sends', async () => {
      expect(await feedback()).toEqual([])
      const read = await place.carillon(...feedbackCommand())
      expect(read).toMatchObject({ code: 0, stdout: 'no tokens\n' })
      const before = Date.now()
      await device.uninstall(bundleId)
      const { binary, feedback: port } = endpoints.environments.sandbox
      await openssl(binary!, bytesOf('for nobody'), flush())
      // The device says that nobody takes it a moment after the service has accepted it.
      let told: JsonLine[] = []
      while (told.length === 0) told = await feedback()
      expect(told).toEqual([{ token: deviceToken, at: expect.any(String) }])
      expect(Math.abs(Date.parse(told[0]?.at) - before)).toBeLessThan(60_000)
      expect(await feedback()).toEqual([])

      expect((await openssl(binary!, bytesOf('still'), flush())).toString('hex')).toBe('080200000000')
      const reader = new FeedbackReader()
      reader.push(await openssl(port!))
      expect(Buffer.from(reader.next()!.token).toString('hex')).toBe(deviceToken)
      expect([reader.next(), reader.pendingBytes]).toEqual([undefined, 0])
      expect(await shown(5)).toHaveLength(5)
    })
  },
)

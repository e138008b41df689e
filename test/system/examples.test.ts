import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Place, pinnedNode, root } from './run-carillon.ts'
import { bundleId } from './running-app.ts'

const example = (name: string) => join(root, 'examples', name)

test('every example is run by a test', () => {
  const tests = [
    'test/system/examples.test.ts',
    'test/system/faults.test.ts',
    'test/system/migrating.test.ts',
    'test/system/apns-client.test.ts',
    'packages/http2/test/example.test.ts',
    'packages/apns/test/examples.test.ts',
    'packages/system/test/configuration.test.ts',
    'test/system/original-protocol.test.ts',
    'test/services/jest-example.test.ts',
    'packages/testing/test/redirect.test.ts',
    'vitest.config.ts',
  ]
  const texts = tests.map((file) => readFileSync(join(root, file), 'utf8')).join()
  const missing = readdirSync(join(root, 'examples'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .filter((name) => !texts.includes(`${name}'`))
  expect(missing).toEqual([])
})

test('own-system.sh, as a reader of the README types it', async () => {
  const place = new Place()
  try {
    // The reader stands in the repository, where npm has linked both programs; ./data would stay there.
    const { bin } = JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8'))
    await mkdir(place.path('node_modules', '.bin'), { recursive: true })
    const link = (name: string, to: string) => symlink(to, place.path('node_modules', '.bin', name))
    await link('carillon', join(root, 'packages/cli', bin.carillon))
    await link('node', pinnedNode)
    await writeFile(place.path('package.json'), '{"private":true}')
    // Whatever npx does not find here it must not look for elsewhere.
    const offline = { npm_config_offline: 'true' }
    const { code, stdout, stderr } = await place.start('sh', [example('own-system.sh')], offline).ended
    // npm itself may have something to say about its own configuration.
    const ours = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('npm '))
    expect([code, ours]).toEqual([0, []])
    expect(stdout).toMatch(/^Carillon is up \(data in /m)
    expect(stdout).toMatch(
      /^ {2}sandbox +providers +HTTP\/2 127\.0\.0\.1:\d+, binary \d+, feedback \d+\n +devices +courier 127\.0\.0\.1:\d+, WebSocket wss:.+\n +admin API +https:/m,
    )
    expect(stdout).toMatch(/^App ID \w{10}\.com\.example\.app /m)
    expect(stdout).toMatch(/^Auth key \w{10} of team /m)
    expect(stdout).toMatch(/^Device \w{10} \(Desk phone\)/m)
    // It stopped what it had started, and that has ended: nobody holds the output any more.
    expect(existsSync(place.path('data', 'endpoints.json'))).toBe(false)
    const apps = await place.lines('portal', 'app', 'list', '--data', place.data)
    expect(apps.map((app) => app.bundleId)).toEqual(['com.example.app'])
  } finally {
    await place.close()
  }
})

test('testing/node-test.test.ts', async () => {
  const place = new Place()
  try {
    const { code, stdout } = await place.exec(pinnedNode, ['--test', example('testing/node-test.test.ts')])
    expect([code, stdout]).toEqual([0, expect.stringContaining('pass 1')])
  } finally {
    await place.close()
  }
})

test('start-system.ts', async () => {
  const place = new Place()
  try {
    const { code, stdout, stderr } = await place.exec(pinnedNode, [example('start-system.ts')])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^\w{10}\.com\.example\.app takes pushes at 127\.0\.0\.1:\d+, signed with key \w{10}\n$/,
    )
  } finally {
    await place.close()
  }
})

describe('device-app.ts shows what the others send', () => {
  const place = new Place()
  let service: Record<string, string>
  const profile = place.path('app.mobileprovision')

  beforeAll(async () => {
    const { endpoints } = await place.up()
    const on = ['--data', place.data]
    await place.line('portal', 'app', 'create', ...on, '--bundle-id', bundleId, '--name', 'Example')
    const of = ['--bundle-id', bundleId, '--kind', 'inhouse', '--out', profile]
    await place.line('portal', 'profile', 'create', ...on, ...of)
    const key = await place.line(
      'portal',
      'key',
      'create',
      ...on,
      '--name',
      'Any',
      '--out',
      place.path('keys'),
    )
    const { host, port } = endpoints.environments.production.http2
    service = {
      ...{ HOST: host, PORT: String(port), CA_FILE: endpoints.caFile, TOPIC: bundleId },
      ...{ KEY_FILE: key.file, KEY_ID: key.keyId, TEAM_ID: key.teamId },
    }
  })
  afterAll(() => place.close())

  async function startPhone(name: string) {
    const args = [example('device-app.ts'), place.data, place.path(name), profile, bundleId]
    const run = place.start(pinnedNode, args)
    const token = await run.waitFor('its token', ({ stdout }) => /^token ([0-9a-f]{64})$/m.exec(stdout)?.[1])
    return { run, token }
  }

  test('send-push.ts', async () => {
    const { run, token } = await startPhone('phone')
    const sent = place.start(pinnedNode, [example('send-push.ts')], { ...service, DEVICE_TOKEN: token })
    const { code, stdout, stderr } = await sent.ended
    expect([code, stderr]).toEqual([0, ''])
    const apnsId = /^accepted as (\S{36})\n$/.exec(stdout)?.[1]
    expect(apnsId).toBeDefined()
    await run.waitFor('the notification', (phone) =>
      phone.stdout.includes(`${apnsId} Hello from your own server\n`) ? true : undefined,
    )
  })

  test('send-push.ts to a token of nobody', async () => {
    const env = { ...service, DEVICE_TOKEN: 'ab'.repeat(32) }
    const { code, stdout } = await place.start(pinnedNode, [example('send-push.ts')], env).ended
    expect(code).toBe(1)
    expect(stdout).toMatch(/BadDeviceToken/)
  })

  test('apns-send-many.ts', async () => {
    const phones = await Promise.all(['one', 'two', 'three'].map(startPhone))
    const sent = place.start(pinnedNode, [example('apns-send-many.ts')], service)
    const nobody = 'cd'.repeat(32)
    sent.child.stdin?.end(`${[...phones.map(({ token }) => token), nobody].join('\n')}\n`)
    const { code, stdout } = await sent.ended
    expect(code).toBe(0)
    // The one token that the service does not know is the one line of the output.
    expect(stdout).toMatch(new RegExp(`^(dead ${nobody}|failed ${nobody} BadDeviceToken)\n$`))
    for (const { run } of phones)
      await run.waitFor('the notification', (phone) =>
        phone.stdout.includes(' Something new is here\n') ? true : undefined,
      )
  })
})

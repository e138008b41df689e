import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { program } from '../../packages/cli/src/program.ts'
import { hasProgram } from './programs.ts'
import { type JsonLine, jsonLines, Place } from './run-carillon.ts'
import { bundleId, type RunningApp, startApp } from './running-app.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const openssl = hasProgram('openssl')

describe('--help', () => {
  const place = new Place()
  afterAll(() => place.close())

  const leaves = everyCommand(program).filter(({ commands }) => commands.length === 0)
  const groups = everyCommand(program).filter(({ commands }) => commands.length > 0)

  test.concurrent.each(leaves.map((command) => [nameOf(command), command] as const))(
    '%s --help exits 0 and has an example that the command itself would take',
    async (name, command) => {
      const { code, stdout, stderr } = await place.carillon(...name.split(' ').slice(1), '--help')
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toContain(`Usage: ${name} [options]`)
      const example = stdout.split('Example:\n  $ ')[1] ?? ''
      expect(example).toMatch(new RegExp(`^${name}( |\\n)`))
      const known = command.options.map(({ long }) => long)
      expect(known).toContain('--json')
      const given = example.match(/--[a-z0-9-]+/g) ?? []
      expect(known).toEqual(expect.arrayContaining(given))
      const needed = command.options.filter(({ mandatory }) => mandatory).map(({ long }) => long)
      expect(given).toEqual(expect.arrayContaining(needed))
    },
  )

  test.concurrent.each(groups.map((command) => [nameOf(command), command] as const))(
    '%s --help exits 0, names its commands and has an example; alone it is wrong usage',
    async (name, command) => {
      const path = name.split(' ').slice(1)
      const [asked, alone] = await Promise.all([place.carillon(...path, '--help'), place.carillon(...path)])
      expect([asked.code, asked.stderr]).toEqual([0, ''])
      for (const sub of command.commands) expect(asked.stdout).toMatch(new RegExp(`^ {2}${sub.name()} `, 'm'))
      expect(asked.stdout).toMatch(new RegExp(`Example:\\n {2}\\$ ${name} `))
      expect(alone).toEqual({ code: 2, signal: null, stdout: '', stderr: asked.stdout })
    },
  )

  test('--version is the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('packages/cli/package.json', 'utf8')) as { version: string }
    expect(await place.carillon('--version')).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
  })
})

/** What the portal commands of one run have made. */
type Made =
  | ('app' | 'phone' | 'activation' | 'key' | 'oldKey')
  | ('rsa' | 'p256' | 'old' | 'fromCsr')
  | ('development' | 'appstore')
const keysOf = {
  app: ['appId', 'bundleId', 'createdAt', 'inboxMax', 'name', 'push', 'teamId'],
  issuedKey: ['environment', 'file', 'keyId', 'teamId'],
  key: ['createdAt', 'environment', 'keyId', 'name', 'publicKeyPem', 'scope', 'status', 'teamId', 'topics'],
  issuedCertificate: ['bundleId', 'cerFile', 'certFile', 'keyFile', 'kind', 'notAfter', 'p12File', 'serial'],
  certificate: ['bundleId', 'certPem', 'kind', 'notAfter', 'notBefore', 'serial', 'status'],
  device: ['createdAt', 'deviceId', 'name', 'registered', 'status', 'udid'],
  activation: ['certFile', 'deviceId', 'serial', 'udid'],
  issuedProfile: ['bundleId', 'createdAt', 'expiresAt', 'file', 'kind', 'name', 'uuid'],
  profile: ['bundleId', 'createdAt', 'expiresAt', 'kind', 'name', 'uuid'],
  ca: ['chainPem', 'deviceCaPem', 'fingerprint', 'name', 'rootPem', 'teamId'],
} as const

describe.each(['while the system runs', 'while it does not run'])('portal commands, %s', (when) => {
  const place = new Place()
  const on = ['--data', place.data]
  const root = place.path('root-certificate.pem')
  /** The one line of each command that makes something. */
  const made = {} as Record<Made, JsonLine>

  beforeAll(async () => {
    if (when === 'while the system runs') await place.up()
    const portal = (...args: string[]) => place.line('portal', ...args, ...on)
    made.app = await portal('app', 'create', '--bundle-id', bundleId, '--name', 'Example')
    made.key = await portal('key', 'create', '--name', 'Back end', '--out', place.path('keys'))
    made.oldKey = await portal('key', 'create', '--name', 'Old', '--out', place.path('keys'))
    made.phone = await portal('device', 'add', '--name', 'Phone')
    const certificate = (kind: string, folder: string, ...more: string[]) => {
      const out = ['--bundle-id', bundleId, '--kind', kind, '--out', place.path(folder)]
      return portal('cert', 'create', ...out, ...more)
    }
    made.rsa = await certificate('universal', 'rsa')
    made.p256 = await certificate('production', 'p256', '--key-type', 'p256', '--p12-password', 'secret one')
    made.old = await certificate('sandbox', 'old')
    const profile = (kind: string, ...more: string[]) => {
      const out = ['--kind', kind, '--out', place.path(`${kind}.mobileprovision`)]
      return portal('profile', 'create', '--bundle-id', bundleId, ...out, ...more)
    }
    made.development = await profile('development', '--device', made.phone.deviceId)
    made.appstore = await profile('appstore')
    await portal('ca', 'show', '--out', root)
    if (!openssl) return
    for (const [file, ...type] of [
      ['push', 'rsa:2048'],
      ['phone', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ] as const)
      await place.exec('openssl', [
        ...['req', '-new', '-nodes', '-newkey', ...type, '-subj', '/CN=Example'],
        ...['-keyout', `${file}.key`, '-out', `${file}.csr`],
      ])
    made.fromCsr = await certificate('sandbox', 'csr', '--csr', place.path('push.csr'))
    const request = ['--csr', place.path('phone.csr'), '--out', place.path('phone.pem')]
    made.activation = await portal('device', 'activate', '--device', made.phone.deviceId, ...request)
  })
  afterAll(() => place.close())

  test('each prints one object with the documented keys', () => {
    const keys = Object.fromEntries(
      Object.entries(made).map(([name, line]) => [name, Object.keys(line).sort()]),
    )
    const issued = [...keysOf.issuedCertificate]
    expect(keys).toEqual({
      app: keysOf.app,
      key: keysOf.issuedKey,
      oldKey: keysOf.issuedKey,
      phone: keysOf.device,
      rsa: [...issued, 'p12Password'].sort(),
      p256: [...issued, 'p12Password'].sort(),
      old: [...issued, 'p12Password'].sort(),
      development: keysOf.issuedProfile,
      appstore: keysOf.issuedProfile,
      ...(openssl ? { fromCsr: issued, activation: keysOf.activation } : {}),
    })
    expect(made.app).toMatchObject({ bundleId, teamId: expect.stringMatching(/^[A-Z0-9]{10}$/) })
    expect(made.key.file).toBe(place.path('keys', `AuthKey_${made.key.keyId}.p8`))
    expect(made.p256.p12Password).toBe('secret one')
  })

  test.each([
    ['app', keysOf.app, ['bundleId', () => [bundleId]]],
    ['key', keysOf.key, ['keyId', () => [made.key.keyId, made.oldKey.keyId]]],
    ['device', keysOf.device, ['deviceId', () => [made.phone.deviceId]]],
    ['profile', keysOf.profile, ['uuid', () => [made.development.uuid, made.appstore.uuid]]],
    [
      'cert',
      keysOf.certificate,
      [
        'serial',
        () => [made.rsa, made.p256, made.old, made.fromCsr].flatMap((line) => (line ? [line.serial] : [])),
      ],
    ],
  ] as const)('%s list has one line for each', async (what, keys, [id, expected]) => {
    const lines = await place.lines('portal', what, 'list', ...on)
    expect(lines.map((line) => line[id]).sort()).toEqual([...expected()].sort())
    // What was activated or revoked says when.
    for (const { activatedAt: _, revokedAt: __, ...line } of lines)
      expect(Object.keys(line).sort()).toEqual(keys)
  })

  test('ca show gives team and certificates, and writes the root for --out', async () => {
    const shown = await place.line('portal', 'ca', 'show', ...on)
    expect(Object.keys(shown).sort()).toEqual(keysOf.ca)
    const written = await place.line('portal', 'ca', 'show', ...on, '--out', place.path('root.pem'))
    expect(written).toEqual({ ...shown, file: place.path('root.pem') })
    expect(await readFile(written.file, 'utf8')).toBe(shown.rootPem)
    expect(new X509Certificate(shown.rootPem).fingerprint256).toBe(shown.fingerprint)
  })

  test('key and cert can be revoked, twice', async () => {
    for (const again of [1, 2]) {
      const revokedKey = await place.line('portal', 'key', 'revoke', ...on, '--key-id', made.oldKey.keyId)
      expect([again, revokedKey]).toMatchObject([again, { keyId: made.oldKey.keyId, status: 'revoked' }])
      const revoked = await place.line('portal', 'cert', 'revoke', ...on, '--serial', made.old.serial)
      expect([again, revoked]).toMatchObject([again, { serial: made.old.serial, status: 'revoked' }])
    }
  })

  test('secret files are readable by their owner only', () => {
    const secrets = [
      made.key.file,
      ...[made.rsa, made.p256].flatMap(({ keyFile, p12File }) => [keyFile, p12File]),
    ]
    const modes = secrets.map((file) => [file, (statSync(file).mode & 0o777).toString(8)])
    expect(modes).toEqual(secrets.map((file) => [file, '600']))
    for (const file of ['portal/admin.key', 'portal/enrolment.key'])
      expect([file, (statSync(place.path('data', file)).mode & 0o777).toString(8)]).toEqual([file, '600'])
    expect((statSync(place.data).mode & 0o777).toString(8)).toBe('700')
  })

  describe.skipIf(!openssl)('openssl takes the files', () => {
    const run = async (...args: string[]) => {
      const ended = await place.exec('openssl', args)
      expect([ended.code, ended.stderr]).toEqual([0, expect.not.stringMatching(/error/i)])
      return ended.stdout
    }

    test.each(['rsa', 'p256', 'fromCsr'] as const)('push certificate (%s)', async (which) => {
      const { certFile, keyFile, cerFile, serial } = made[which]
      const subject = await run(
        'x509',
        '-in',
        certFile,
        '-noout',
        '-subject',
        '-serial',
        '-nameopt',
        'RFC2253',
      )
      expect(subject).toContain(`UID=${bundleId}`)
      expect(subject.toLowerCase()).toContain(`serial=${serial}`)
      const der = await run('x509', '-inform', 'DER', '-in', cerFile, '-noout', '-serial')
      expect(der.toLowerCase()).toBe(`serial=${serial}\n`)
      const chain = ['-CAfile', root, '-untrusted', certFile, '-x509_strict', '-purpose', 'sslclient']
      expect(await run('verify', ...chain, certFile)).toContain(': OK')
      const key = which === 'fromCsr' ? place.path('push.key') : keyFile
      expect(await run('pkey', '-in', key, '-pubout')).toBe(
        await run('x509', '-in', certFile, '-noout', '-pubkey'),
      )
    })

    test.each(['rsa', 'p256'] as const)('.p12 (%s)', async (which) => {
      const { p12File, p12Password, keyFile } = made[which]
      const out = ['-nodes', '-passin', `pass:${p12Password}`, '-out', place.path(`${which}.pem`)]
      await run('pkcs12', '-in', p12File, ...out)
      const key = await run('pkey', '-in', place.path(`${which}.pem`), '-pubout')
      expect(key).toBe(await run('pkey', '-in', keyFile, '-pubout'))
    })

    test('auth key', async () => {
      expect(await run('pkey', '-in', made.key.file, '-noout', '-text')).toContain('prime256v1')
      expect(await readFile(made.key.file, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    })

    test('device certificate', async () => {
      const { certFile, udid, deviceId } = made.activation
      expect([udid, deviceId]).toEqual([made.phone.udid, made.phone.deviceId])
      const chain = ['-CAfile', root, '-untrusted', certFile, '-x509_strict', '-purpose', 'sslclient']
      expect(await run('verify', ...chain, certFile)).toContain(': OK')
      expect(await run('pkey', '-in', place.path('phone.key'), '-pubout')).toBe(
        await run('x509', '-in', certFile, '-noout', '-pubkey'),
      )
    })

    test.each([
      ['development', 'development'],
      ['appstore', 'production'],
    ] as const)('%s profile', async (which, apsEnvironment) => {
      const of = ['-inform', 'DER', '-in', made[which].file, '-CAfile', root, '-purpose', 'any']
      const list = await run('cms', '-verify', ...of)
      expect(list).toMatch(new RegExp(`<key>aps-environment</key>\\s*<string>${apsEnvironment}</string>`))
      expect(list).toContain(`<string>${made.app.appId}</string>`)
      expect(list.includes(made.phone.udid)).toBe(which === 'development')
    })
  })
})

describe('the running system', () => {
  const place = new Place()
  let app: RunningApp
  beforeAll(async () => {
    app = await startApp(place)
  })
  afterAll(() => place.close())

  const address = { host: '127.0.0.1', port: expect.any(Number) }
  const environment = {
    http2: address,
    binary: null,
    feedback: null,
    courier: address,
    courierWebSocket: { url: null },
    admin: { url: null },
  }

  test('up --json prints exactly one line, and endpoints.json holds the same', async () => {
    const { run, endpoints } = app.up
    expect(run.lines).toEqual([endpoints])
    expect(run.stderr).toBe('')
    expect(endpoints).toEqual({
      event: 'ready',
      dataDir: place.data,
      caFile: expect.any(String),
      adminKeyFile: expect.any(String),
      portal: {
        url: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
        enrolmentKeyFile: expect.any(String),
      },
      provider: { url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/), apiKeyFile: expect.any(String) },
      console: { url: null },
      environments: { sandbox: environment, production: environment },
    })
    expect(JSON.parse(await readFile(place.path('data', 'endpoints.json'), 'utf8'))).toEqual(endpoints)
    const { caFile, adminKeyFile, portal, provider } = endpoints
    const files = [
      adminKeyFile,
      portal.enrolmentKeyFile,
      provider.apiKeyFile,
      place.path('data', 'endpoints.json'),
    ]
    expect(files.map((file) => statSync(file).mode & 0o777)).toEqual(files.map(() => 0o600))
    expect(new X509Certificate(await readFile(caFile)).ca).toBe(true)
  })

  test('its HTTP APIs want a key', async () => {
    const { provider } = app.up.endpoints
    expect((await fetch(`${provider.url}/v1/apps/com.example.nobody`)).status).toBe(401)
    const authorization = `Bearer ${(await readFile(provider.apiKeyFile, 'utf8')).trim()}`
    const unknown = await fetch(`${provider.url}/v1/apps/com.example.nobody`, { headers: { authorization } })
    expect(unknown.status).toBe(404)
  })

  test('device run --json says connected, registered, then every notification', async () => {
    expect(await app.device.event('connected')).toEqual({ event: 'connected', environment: 'sandbox' })
    expect(await app.device.event('registered')).toEqual({
      event: 'registered',
      bundleId,
      deviceToken: expect.stringMatching(/^[0-9a-f]{64}$/),
      environment: 'sandbox',
    })
    const { apnsId } = await push('--alert', 'For the device')
    expect(await app.device.event('notification', (line) => line.apnsId === apnsId)).toEqual({
      event: 'notification',
      bundleId,
      apnsId,
      payload: { aps: { alert: 'For the device' } },
      shown: expect.objectContaining({ body: 'For the device' }),
    })
    const events = app.device.lines.map(({ event }) => event)
    expect(events.slice(0, 2)).toEqual(['connected', 'registered'])
    expect([...new Set(events.slice(2))]).toEqual(['notification'])
    expect(app.device.stderr).toBe('')
  })

  test('push --json prints ok and the apns-id', async () => {
    // The sandbox has a second id, for its log.
    const ids = { apnsId: expect.stringMatching(uuid), apnsUniqueId: expect.stringMatching(uuid) }
    expect(await push('--alert', 'One')).toEqual({ ok: true, ...ids })
    const apnsId = '0123abcd-0123-4567-89ab-0123456789ab'
    const file = place.path('payload.json')
    await writeFile(file, ' { "aps": { "alert": { "title": "Sp\\u00e4t" } } , "mark": [1, 2] } ')
    const all = ['--apns-id', apnsId, '--priority', '5', '--expiration', '0', '--collapse-id', 'c']
    expect(await push('--payload', file, '--push-type', 'alert', ...all)).toEqual({
      ok: true,
      ...ids,
      apnsId,
    })
    const { payload } = await app.device.event('notification', (line) => line.apnsId === apnsId)
    expect(payload).toEqual({ aps: { alert: { title: 'Spät' } }, mark: [1, 2] })
  })

  test('push with a certificate, and by address instead of data directory', async () => {
    const of = ['--bundle-id', bundleId, '--kind', 'sandbox', '--out', place.path('certs')]
    const { certFile, keyFile } = await place.line('portal', 'cert', 'create', '--data', place.data, ...of)
    const to = ['--connect', `localhost:${app.gateway.port}`, '--ca', app.caFile, '--environment', 'sandbox']
    const what = ['--topic', bundleId, '--token', app.deviceToken, '--alert', 'By certificate']
    const { ok, apnsId } = await place.line('push', ...to, ...what, '--cert', certFile, '--cert-key', keyFile)
    expect(ok).toBe(true)
    await app.device.event('notification', (line) => line.apnsId === apnsId)
  })

  test('people get sentences on stdout, and nothing on stderr', async () => {
    const list = await place.carillon('portal', 'app', 'list', '--data', place.data)
    expect(list).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^\w{10}\.com\.example\.app {2}/),
    })
    const sent = await place.carillon(...pushArguments('--alert', 'Readable'))
    expect(sent).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^accepted, apns-id \S{36}\n$/),
    })
  })

  test('device run shows a banner to people, and says that it is disconnected when the system ends', async () => {
    const other = new Place()
    try {
      const running = await startApp(other)
      await running.device.end()
      // The same device again, this time for a person.
      const where = ['--data', other.data, '--state', other.path('phone')]
      const app = ['--profile', running.profile, '--app', bundleId]
      const person = other.startCarillon('device', 'run', ...where, ...app)
      await person.waitFor('the token', ({ stdout }) => stdout.includes(running.deviceToken) || undefined)
      const { keyId, teamId, file } = running.key
      const to = ['--data', other.data, '--environment', 'sandbox', '--topic', bundleId]
      const key = ['--key', file, '--key-id', keyId, '--team-id', teamId]
      await other.line('push', ...to, '--token', running.deviceToken, ...key, '--alert', 'Drawn in a box')
      await person.waitFor(
        'the banner',
        ({ stdout }) => /╭─+╮\n│ com\.example\.app +│\n│ Drawn in a box +│/.exec(stdout) ?? undefined,
      )
      await running.up.run.end()
      await person.waitFor('the end', ({ stdout }) => stdout.includes('disconnected: ') || undefined)
      expect(await person.end()).toMatchObject({ code: 0, stderr: '' })
    } finally {
      await other.close()
    }
  })

  function pushArguments(...what: string[]): string[] {
    const { keyId, teamId, file } = app.key
    const to = ['--data', place.data, '--environment', 'sandbox', '--topic', bundleId]
    const key = ['--key', file, '--key-id', keyId, '--team-id', teamId]
    return ['push', ...to, '--token', app.deviceToken, ...key, ...what]
  }

  function push(...what: string[]): Promise<JsonLine> {
    return place.line(...pushArguments(...what))
  }
})

test('what portal commands did while nothing ran is there when the system runs, and the other way round', async () => {
  const place = new Place()
  try {
    const create = (id: string) =>
      place.line('portal', 'app', 'create', '--data', place.data, '--bundle-id', id, '--name', 'Any')
    const list = async () =>
      (await place.lines('portal', 'app', 'list', '--data', place.data)).map((app) => app.bundleId).sort()
    await create('com.example.before')
    const { run } = await place.up()
    expect(await list()).toEqual(['com.example.before'])
    await create('com.example.during')
    expect(await run.end()).toMatchObject({ code: 0, stderr: '' })
    expect(await list()).toEqual(['com.example.before', 'com.example.during'])
  } finally {
    await place.close()
  }
})

test('after kill -9 the endpoints.json that stayed is not in the way of portal commands and of up', async () => {
  const place = new Place()
  try {
    const { run, endpoints } = await place.up()
    await run.end('SIGKILL')
    const stale = place.path('data', 'endpoints.json')
    expect(JSON.parse(await readFile(stale, 'utf8'))).toEqual(endpoints)
    const made = ['--data', place.data, '--bundle-id', bundleId, '--name', 'Any']
    await place.line('portal', 'app', 'create', ...made)
    const again = await place.up()
    expect(jsonLines(again.run.stdout)).toEqual([JSON.parse(await readFile(stale, 'utf8'))])
    const apps = await place.lines('portal', 'app', 'list', '--data', place.data)
    expect(apps.map((app) => app.bundleId)).toEqual([bundleId])
  } finally {
    await place.close()
  }
})

function everyCommand(from: Command): Command[] {
  return [from, ...from.commands.flatMap((command) => everyCommand(command as Command))]
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()
}

import { X509Certificate } from 'node:crypto'
import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasProgram } from '../programs.ts'
import { type JsonLine, Place } from '../run-carillon.ts'
import { bundleId } from '../running-app.ts'

const openssl = hasProgram('openssl')

/** What the portal commands of one run have made. */
type Made =
  | ('app' | 'phone' | 'activation' | 'key' | 'oldKey')
  | ('rsa' | 'p256' | 'old' | 'fromCsr')
  | ('development' | 'appstore')
const keysOf = {
  app: ['appId', 'broadcast', 'bundleId', 'createdAt', 'inboxMax', 'name', 'push', 'teamId'],
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

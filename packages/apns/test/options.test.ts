import { spawnSync } from 'node:child_process'
import { createSecretKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { ArgumentError, type Auth, PushClient, type PushClientOptions } from '../src/index.ts'
import { resolveOptions } from '../src/options.ts'
import { makeAuthKey, makeCertificate } from './support/certificate.ts'

const privateKey = makeAuthKey()
const token: Auth = { type: 'token', keyId: 'KEYID00001', teamId: 'TEAMID0001', privateKey }
const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
const good: PushClientOptions = { auth: token, environment: 'sandbox' }
const { cert, key } = makeCertificate()

test.each([
  ['sandbox', 'api.sandbox.push.apple.com'],
  ['production', 'api.push.apple.com'],
] as const)("%s is Apple's %s:443 unless told otherwise", (environment, host) => {
  const { target, authority } = resolveOptions({ auth: token, environment })
  expect(target).toMatchObject({ host, port: 443, serverName: host })
  expect(authority).toBe(host)
})

test.each<[string, unknown]>([
  ['options', undefined],
  ['environment', { ...good, environment: 'development' }],
  ['host', { ...good, host: '' }],
  ['port', { ...good, port: 0 }],
  ['port', { ...good, port: '443' }],
  ['serverName', { ...good, serverName: 5 }],
  ['limits.queueMax', { ...good, limits: { queueMax: 5 } }],
  ['limits.queuedMax', { ...good, limits: { queuedMax: -1 } }],
  ['limits.sendManyMax', { ...good, limits: { sendManyMax: 0 } }],
  ['ca', { ...good, ca: 'no pem' }],
  ['auth', { environment: 'sandbox' }],
  ['auth.type', { ...good, auth: { type: 'password' } }],
  ['auth.keyId', { ...good, auth: { ...token, keyId: 'short' } }],
  ['auth.teamId', { ...good, auth: { ...token, teamId: undefined } }],
  ['auth.privateKey', { ...good, auth: { ...token, privateKey: './AuthKey_KEYID00001.p8' } }],
  ['auth.privateKey', { ...good, auth: { ...token, privateKey: undefined } }],
  ['auth.privateKey', { ...good, auth: { ...token, privateKey: rsa.privateKey } }],
  ['auth.privateKey', { ...good, auth: { ...token, privateKey: rsa.publicKey } }],
  ['auth.privateKey', { ...good, auth: { ...token, privateKey: createSecretKey(Buffer.alloc(32)) } }],
  ['auth.cert', { ...good, auth: { type: 'certificate', key } }],
  ['auth.key', { ...good, auth: { type: 'certificate', cert } }],
  ['auth', { ...good, auth: { type: 'certificate', cert, key: makeCertificate().key } }],
  ['auth', { ...good, auth: { type: 'certificate', cert: 'no pem', key } }],
  ['auth.pfx', { ...good, auth: { type: 'p12', pfx: 'push.p12' } }],
  ['auth.pfx', { ...good, auth: { type: 'p12', pfx: Buffer.from('no p12') } }],
])('%s is named where it is wrong', (field, options) => {
  const attempt = (): unknown => new PushClient(options as PushClientOptions)
  expect(attempt).toThrow(ArgumentError)
  expect(attempt).toThrow(new RegExp(`^${field.replaceAll('.', '\\.')}: `))
})

test('an error about a key does not show the key', () => {
  const secret = 'MIGHAgEAMBMGByqGSM49'
  const bad = `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`
  let shown = ''
  try {
    new PushClient({ ...good, auth: { ...token, privateKey: bad } })
  } catch (error) {
    shown = inspect(error, { depth: 10, showHidden: true })
  }
  expect(shown).toContain('auth.privateKey')
  expect(shown).not.toContain(secret)
})

const openssl = (args: readonly string[]): boolean => spawnSync('openssl', args).status === 0

test.skipIf(!openssl(['version']))('a .p12 opens with its passphrase; an old one is explained', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-apns-'))
  try {
    const file = (name: string): string => join(folder, name)
    writeFileSync(file('cert.pem'), cert)
    writeFileSync(file('key.pem'), key)
    const input = ['pkcs12', '-export', '-in', file('cert.pem'), '-inkey', file('key.pem')]
    const output = ['-passout', 'pass:secret', '-out']
    expect(openssl([...input, ...output, file('new.p12')])).toBe(true)
    const pfx = readFileSync(file('new.p12'))
    expect(resolveOptions({ ...good, auth: { type: 'p12', pfx, passphrase: 'secret' } }).signer).toBe(
      undefined,
    )
    expect(() => resolveOptions({ ...good, auth: { type: 'p12', pfx, passphrase: 'wrong' } })).toThrow(
      /^auth\.passphrase: /,
    )
    if (!openssl([...input, '-legacy', ...output, file('old.p12')])) return
    const old = readFileSync(file('old.p12'))
    expect(() => resolveOptions({ ...good, auth: { type: 'p12', pfx: old, passphrase: 'secret' } })).toThrow(
      /^auth\.pfx: .*openssl pkcs12 -legacy/,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

import { spawnSync } from 'node:child_process'
import { createPrivateKey, createSecretKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { type Auth, PushClient, type PushClientOptions } from '../src/index.ts'
import { authorityOf, resolveOptions } from '../src/options.ts'
import { argumentErrorOf, expectArgumentError } from './support/argument-error.ts'
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
  const { target } = resolveOptions({ auth: token, environment })
  expect(target).toMatchObject({ host, port: 443, serverName: host })
  expect(authorityOf(target)).toBe(host)
})

test.each<[string, unknown]>([
  ['options', undefined],
  ['environment', { ...good, environment: 'development' }],
  ['host', { ...good, host: '' }],
  ['host', { ...good, host: 'https://push.example' }],
  ['host', { ...good, host: 'push.example:2197' }],
  ['host', { ...good, host: '[::1]' }],
  ['channels.host', { ...good, channels: { host: 'https://push.example/' } }],
  ['port', { ...good, port: 0 }],
  ['port', { ...good, port: '443' }],
  ['serverName', { ...good, serverName: 5 }],
  ['limits.queueMax', { ...good, limits: { queueMax: 5 } }],
  ['limits.toString', { ...good, limits: { toString: 5 } }],
  ['limits.queuedMax', { ...good, limits: { queuedMax: -1 } }],
  ['limits.sendManyMax', { ...good, limits: { sendManyMax: 0 } }],
  ['ca', { ...good, ca: 'no pem' }],
  ['proxy', { ...good, proxy: 'proxy.example:3128' }],
  ['proxy', { ...good, proxy: 'socks5://proxy.example' }],
  ['proxy', { ...good, proxy: 'http://user:%zz@proxy.example' }],
  ['proxy', { ...good, proxy: { url: 5 } }],
  ['proxy', { ...good, proxy: null }],
  ['proxy.ca', { ...good, proxy: { url: 'https://proxy.example', ca: 'no pem' } }],
  ['channels.port', { ...good, channels: { port: 0 } }],
  ['retry', { ...good, retry: true }],
  ['retry.throtled', { ...good, retry: { throtled: false } }],
  ['retry.server.first', { ...good, retry: { server: { first: 5 } } }],
  ['retry.server.firstMs', { ...good, retry: { server: { firstMs: -1 } } }],
  ['retry.ambiguous.banner', { ...good, retry: { ambiguous: { banner: 'resend' } } }],
  ['retry.ambiguous.alert', { ...good, retry: { ambiguous: { alert: 'twice' } } }],
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
  ['auth.cert', { ...good, auth: { type: 'certificate', cert: './push.pem', key } }],
  ['auth.key', { ...good, auth: { type: 'certificate', cert, key: Buffer.from('no pem') } }],
  ['auth.keyFile', { ...good, auth: { ...token, privateKey: undefined, keyFile: '/nowhere/AuthKey.p8' } }],
  ['auth.keyFile', { ...good, auth: { ...token, privateKey: undefined, keyFile: import.meta.filename } }],
  ['auth.privateKey', { ...good, auth: { ...token, keyFile: 'AuthKey.p8' } }],
  ['auth.certFile', { ...good, auth: { type: 'certificate', certFile: '/nowhere/push.pem', key } }],
  ['auth.pfxFile', { ...good, auth: { type: 'p12', pfxFile: '/nowhere/push.p12' } }],
  ['auth.pfx', { ...good, auth: { type: 'p12', pfx: 'push.p12' } }],
  ['auth.pfx', { ...good, auth: { type: 'p12', pfx: Buffer.from('no p12') } }],
])('%s is named where it is wrong', (field, options) => {
  expectArgumentError(field, () => new PushClient(options as PushClientOptions))
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

const encrypted = createPrivateKey(key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
  .toString()

test.each<[string, string, Auth]>([
  [
    'a key from an environment variable',
    String.raw`auth.privateKey: its line ends are the two characters \n`,
    { ...token, privateKey: privateKey.replaceAll('\n', String.raw`\n`) },
  ],
  [
    'an encrypted key',
    'auth.passphrase: the key is encrypted: give its passphrase',
    { type: 'certificate', cert, key: encrypted },
  ],
  [
    'the passphrase of another key',
    'auth.passphrase: does not open the key',
    { type: 'certificate', cert, key: encrypted, passphrase: 'other' },
  ],
])('what is wrong with %s is said in its words', (_name, sentence, auth) => {
  expect(argumentErrorOf(() => new PushClient({ ...good, auth })).message).toContain(sentence)
})

test('a .cer as it comes from Apple is told from PEM, with the command that converts it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-apns-'))
  try {
    const certFile = join(folder, 'aps.cer')
    writeFileSync(certFile, new X509Certificate(cert).raw)
    const auth: Auth = { type: 'certificate', certFile, key }
    const { message } = argumentErrorOf(() => new PushClient({ ...good, auth }))
    const [, ...args] = message.slice(message.indexOf('openssl')).split(' ')
    expect(message).toMatch(/^auth\.certFile: .* is not PEM/)
    if (!openssl(['version'])) return
    expect(spawnSync('openssl', args, { cwd: folder }).status).toBe(0)
    const converted: Auth = { type: 'certificate', certFile: join(folder, 'cert.pem'), key }
    expect(() => new PushClient({ ...good, auth: converted })).not.toThrow()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('credentials may be files: a .p8 that names its key id, a certificate and key in one file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-apns-'))
  try {
    const keyFile = join(folder, 'AuthKey_KEYID00002.p8')
    writeFileSync(keyFile, privateKey)
    const { signer } = resolveOptions({ ...good, auth: { type: 'token', teamId: 'TEAMID0001', keyFile } })
    const jwt = signer?.token(0).header.split(' ')[1] ?? ''
    expect(JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString())).toEqual({
      alg: 'ES256',
      kid: 'KEYID00002',
    })
    const both = join(folder, 'push.pem')
    writeFileSync(both, cert + key)
    const auth: Auth = { type: 'certificate', certFile: both, keyFile: new URL(`file://${both}`) }
    expect(resolveOptions({ ...good, auth }).signer).toBe(undefined)
    const attempt = (): unknown =>
      new PushClient({
        ...good,
        auth: { type: 'token', teamId: 'TEAMID0001', keyId: 'KEYID00002', keyFile: join(folder, 'other.p8') },
      })
    expect(attempt).toThrow(`cannot read ${join(folder, 'other.p8')}: there is no such file`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('channels are managed at a host of their own with Apple, and beside the pushes elsewhere', () => {
  const { channelsTarget } = resolveOptions(good)
  expect(channelsTarget).toMatchObject({ host: 'api-manage-broadcast.sandbox.push.apple.com', port: 2195 })
  expect(resolveOptions({ ...good, environment: 'production' }).channelsTarget.port).toBe(2196)
  const own = resolveOptions({ ...good, host: 'push.example', port: 2197 })
  expect(own.channelsTarget).toBe(own.target)
  expect(
    resolveOptions({ ...good, host: 'push.example', channels: { port: 5 } }).channelsTarget,
  ).toMatchObject({
    host: 'push.example',
    port: 5,
  })
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
    // The command of the message, with the answers that it asks people for, makes a file that opens.
    const attempt = () =>
      resolveOptions({ ...good, auth: { type: 'p12', pfxFile: file('old.p12'), passphrase: 'secret' } })
    const { message } = argumentErrorOf(attempt)
    const commands = message.slice(message.indexOf('openssl')).split(' && ')
    for (const command of commands) {
      const [, ...args] = command.split(' ')
      const word = ['-passin', 'pass:secret', '-passout', 'pass:secret']
      expect(spawnSync('openssl', [...args, ...word], { cwd: folder }).status, command).toBe(0)
    }
    const converted: Auth = { type: 'p12', pfxFile: file('new.p12'), passphrase: 'secret' }
    expect(() => resolveOptions({ ...good, auth: converted })).not.toThrow()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openAuthority } from '../../src/authority/authority.ts'
import { openPortal, type Portal } from '../../src/index.ts'
import { hasOpenssl, openssl } from '../support/openssl.ts'
import { rejection, temporaryDirectory, temporaryPortal } from '../support/temporary-portal.ts'

async function closedPortal(): Promise<{ dataDir: string; portal: Portal }> {
  const dataDir = await temporaryDirectory()
  const portal = await temporaryPortal({ dataDir })
  await portal.close()
  return { dataDir, portal }
}

/** All regular files below a directory, as relative paths. */
async function filesOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}

describe('a new data directory', () => {
  test('holds the files that are documented, secrets for the owner only', async () => {
    const dataDir = join(await temporaryDirectory(), 'deep', 'data')
    const portal = await temporaryPortal({ dataDir })
    const files = (await filesOf(dataDir)).filter((file) => !/^portal\.db[-.]/.test(file))
    expect(files).toEqual([
      'admin.key',
      'ca/device.cert.pem',
      'ca/device.key.pem',
      'ca/issuing.cert.pem',
      'ca/issuing.key.pem',
      'ca/profile-signer.cert.pem',
      'ca/profile-signer.key.pem',
      'ca/root.cert.pem',
      'ca/root/root.key.pem',
      'enrolment.key',
      'portal.db',
      'team.json',
    ])
    for (const file of files.filter((name) => /key|\.db/.test(name))) {
      expect((await stat(join(dataDir, file))).mode & 0o077, file).toBe(0)
    }
    for (const directory of ['', 'ca', 'ca/root']) {
      expect((await stat(join(dataDir, directory))).mode & 0o077, directory).toBe(0)
    }
    expect(await readFile(portal.files.rootCertificate, 'utf8')).toBe(portal.ca.rootPem)
    expect(portal.team).toEqual({ teamId: expect.stringMatching(/^[A-Z0-9]{10}$/), name: 'Unit Täst Team' })
  })

  test.skipIf(!hasOpenssl)(
    'has a chain that passes the strict check, and a fingerprint to compare',
    async () => {
      const { ca } = await temporaryPortal()
      const server = await ca.issueServerCertificate({
        names: ['push.example.com', '192.0.2.7', '2001:db8::7'],
      })
      const files = { 'root.pem': ca.rootPem, 'chain.pem': ca.chainPem, 's.pem': server.certPem }
      const strict = ['verify', '-x509_strict', '-CAfile', 'root.pem']
      for (const certificate of ['root.pem', 'chain.pem', 's.pem']) {
        const run = openssl(files, ...strict, '-untrusted', 'chain.pem', certificate)
        expect(run.text).toContain(`${certificate}: OK`)
      }
      const device = openssl({ ...files, 'd.pem': ca.deviceCaPem }, ...strict, 'd.pem')
      expect(device.text).toContain('d.pem: OK')
      const names = ['localhost', '127.0.0.1', '::1', 'push.example.com', '192.0.2.7', '2001:db8::7']
      for (const name of names) {
        const option = /^[0-9a-f:.]+$/.test(name) ? '-verify_ip' : '-verify_hostname'
        const run = openssl(
          files,
          ...strict,
          '-purpose',
          'sslserver',
          '-untrusted',
          'chain.pem',
          option,
          name,
          's.pem',
        )
        expect(run.text).toContain('s.pem: OK')
      }
      const print = openssl(files, 'x509', '-in', 'root.pem', '-noout', '-fingerprint', '-sha256').text
      expect(print).toContain(ca.fingerprint)
      const text = (pem: string) => openssl({ 'c.pem': pem }, 'x509', '-in', 'c.pem', '-noout', '-text').text
      expect(text(ca.rootPem)).toMatch(/Basic Constraints: critical\n\s+CA:TRUE, pathlen:1\n/)
      expect(text(ca.chainPem)).toMatch(/Basic Constraints: critical\n\s+CA:TRUE, pathlen:0\n/)
      expect(text(ca.deviceCaPem)).toMatch(/Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/)
    },
  )

  test('several processes that make the CA at the same moment agree on every key', async () => {
    const dataDir = await temporaryDirectory()
    const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))
    const team = { teamId: 'ABCDEFGHIJ', name: 'T' }
    const open = () => openAuthority({ dataDir, team, publicUrl: 'http://x.invalid', now: Date.now, random })
    const [first, ...others] = await Promise.all([open(), open(), open()])
    for (const other of others) {
      expect(other.fingerprint).toBe(first?.fingerprint)
      expect(other.issuing.certificatePem).toBe(first?.issuing.certificatePem)
      expect(other.device.certificatePem).toBe(first?.device.certificatePem)
      expect(other.profileSigner.certificatePem).toBe(first?.profileSigner.certificatePem)
    }
    expect((await filesOf(dataDir)).filter((file) => file.endsWith('.tmp'))).toEqual([])
  })

  test('one portal at a time works on it, and the others are told so', async () => {
    const dataDir = await temporaryDirectory()
    const portal = await temporaryPortal({ dataDir })
    expect(await rejection(openPortal({ dataDir, now: Date.now }))).toMatchObject({
      code: 'DATA_DIRECTORY_IN_USE',
      message: `The portal in ${dataDir} is in use by another process.`,
    })
    await portal.close()
    expect((await temporaryPortal({ dataDir })).team).toEqual(portal.team)
  })

  test.each(['', 'x'.repeat(65), 'a\nb'])('the team name %j is refused', async (teamName) => {
    const dataDir = join(await temporaryDirectory(), 'data')
    const error = await rejection(openPortal({ dataDir, now: Date.now, teamName }))
    expect(error).toMatchObject({ code: 'NAME_INVALID' })
  })

  test.each(['push example', 'a..b', '-', 'fe80::1%eth0', `${'a'.repeat(64)}.com`, 'x*.example.com'])(
    'the server name %j is refused',
    async (name) => {
      const { ca } = await temporaryPortal()
      expect(await rejection(ca.issueServerCertificate({ names: [name] }))).toMatchObject({
        code: 'REQUEST_INVALID',
      })
    },
  )
})

describe('a process that died while it made the data directory', () => {
  const order = [
    'team.json',
    'ca/root/root.key.pem',
    'ca/root.cert.pem',
    'ca/issuing.key.pem',
    'ca/issuing.cert.pem',
    'ca/device.key.pem',
    'ca/device.cert.pem',
    'ca/profile-signer.key.pem',
    'ca/profile-signer.cert.pem',
    'admin.key',
    'enrolment.key',
    'portal.db',
  ]

  test('leaves a prefix of the files, and the next start completes every one', async () => {
    const { dataDir, portal } = await closedPortal()
    for (let kept = order.length; kept >= 1; kept--) {
      const copy = join(await temporaryDirectory(), 'data')
      for (const file of order.slice(0, kept)) {
        await mkdir(join(copy, file, '..'), { recursive: true })
        await writeFile(join(copy, file), await readFile(join(dataDir, file)))
      }
      await writeFile(join(copy, `${order[kept] ?? 'x'}.abcdef.tmp`), 'half a fi').catch(() => undefined)
      const next = await temporaryPortal({ dataDir: copy })
      expect(next.team).toEqual(portal.team)
      if (kept > 2) expect(next.ca.rootPem).toBe(portal.ca.rootPem)
      await next.apps.create({ bundleId: 'a.b', name: 'A' })
      expect(await next.certificates.create({ bundleId: 'a.b', kind: 'universal' })).toBeDefined()
    }
  })

  test('the files appear in that order', async () => {
    const written: string[] = []
    const dataDir = await temporaryDirectory()
    // Every file is written under a random name first: the calls for that randomness show the order.
    const random = (bytes: number) => {
      written.push(String(bytes))
      return crypto.getRandomValues(new Uint8Array(bytes))
    }
    const team = { teamId: 'ABCDEFGHIJ', name: 'T' }
    await openAuthority({ dataDir, team, publicUrl: 'http://x.invalid', now: Date.now, random })
    // A key (6), then its certificate (8 of the serial number, 6), four times over.
    expect(written.join(' ')).toBe('6 8 6 6 8 6 6 8 6 6 8 6')
  })
})

test('the root key is not needed again: it may be taken off the machine', async () => {
  const { dataDir, portal } = await closedPortal()
  await rm(join(dataDir, 'ca', 'root'), { recursive: true })
  const again = await temporaryPortal({ dataDir })
  expect(again.ca.chainPem).toBe(portal.ca.chainPem)
  expect((await again.ca.issueServerCertificate({})).certPem).toContain('BEGIN CERTIFICATE')
  await again.close()
  await rm(join(dataDir, 'ca', 'device.cert.pem'))
  expect(await rejection(openPortal({ dataDir, now: Date.now }))).toMatchObject({
    code: 'CA_BROKEN',
    message: expect.stringContaining('root.key.pem is missing'),
  })
})

describe('a damaged data directory is named in one sentence', () => {
  const sentences: [string, (dataDir: string) => Promise<unknown>, string, RegExp][] = [
    [
      'a cut key',
      (d) => writeFile(join(d, 'ca/issuing.key.pem'), 'x'),
      'CA_BROKEN',
      /issuing\.key\.pem is not a private key/,
    ],
    [
      'an empty certificate',
      (d) => writeFile(join(d, 'ca/issuing.cert.pem'), ''),
      'CA_BROKEN',
      /issuing\.cert\.pem is not a certificate/,
    ],
    [
      'a broken certificate',
      (d) =>
        writeFile(
          join(d, 'ca/root.cert.pem'),
          '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
        ),
      'CA_BROKEN',
      /root\.cert\.pem holds a certificate that cannot be read/,
    ],
    ['a missing key', (d) => rm(join(d, 'ca/device.key.pem')), 'CA_BROKEN', /device\.key\.pem is missing/],
    [
      'a missing root',
      (d) => rm(join(d, 'ca/root.cert.pem')).then(() => rm(join(d, 'ca/root/root.key.pem'))),
      'CA_BROKEN',
      /root\.key\.pem is missing/,
    ],
    [
      'swapped keys',
      async (d) => {
        await rename(join(d, 'ca/device.key.pem'), join(d, 'ca/issuing.key.pem'))
        await writeFile(join(d, 'ca/device.key.pem'), await readFile(join(d, 'ca/issuing.key.pem')))
      },
      'CA_BROKEN',
      /issuing\.cert\.pem does not belong to the key/,
    ],
    [
      'no team',
      (d) => rm(join(d, 'team.json')),
      'DATA_DIRECTORY',
      /team\.json is missing although .*portal\.db exists/,
    ],
    [
      'a broken team',
      (d) => writeFile(join(d, 'team.json'), '{'),
      'DATA_DIRECTORY',
      /team\.json does not describe a team/,
    ],
    [
      'a directory as file',
      (d) => rm(join(d, 'team.json')).then(() => mkdir(join(d, 'team.json'))),
      'DATA_DIRECTORY',
      /it is a directory/,
    ],
    [
      'a broken database',
      (d) => writeFile(join(d, 'portal.db'), 'not a database at all '.repeat(300)),
      'DATABASE',
      /database failed/,
    ],
  ]

  test.each(sentences)('%s', async (_, damage, code, message) => {
    const { dataDir } = await closedPortal()
    await damage(dataDir)
    const error = await rejection(openPortal({ dataDir, now: Date.now }))
    expect(error).toMatchObject({ name: 'PortalError', code, fix: expect.stringMatching(/\.$/) })
    expect((error as Error).message).toMatch(message)
  })

  test('another CA in place of the issuing one', async () => {
    const { dataDir } = await closedPortal()
    const other = await closedPortal()
    for (const file of ['ca/issuing.cert.pem', 'ca/issuing.key.pem']) {
      await writeFile(join(dataDir, file), await readFile(join(other.dataDir, file)))
    }
    const error = await rejection(openPortal({ dataDir, now: Date.now }))
    expect(error).toMatchObject({
      code: 'CA_BROKEN',
      message: expect.stringContaining('not signed by the CA above'),
    })
  })

  test('a path through a file', async () => {
    const file = join(await temporaryDirectory(), 'file')
    await writeFile(file, 'x')
    const error = await rejection(openPortal({ dataDir: join(file, 'data'), now: Date.now }))
    expect(error).toMatchObject({
      code: 'DATA_DIRECTORY',
      message: expect.stringContaining('a part of the path is a file, not a directory'),
    })
  })

  test.skipIf(process.getuid?.() === 0)('a directory without access', async () => {
    const { dataDir } = await closedPortal()
    await chmod(dataDir, 0)
    const error = await rejection(openPortal({ dataDir, now: Date.now }))
    await chmod(dataDir, 0o700)
    expect(error).toMatchObject({
      code: 'DATA_DIRECTORY',
      message: expect.stringContaining('access is denied'),
    })
  })

  test('a clock beyond the life of the CA', async () => {
    const { dataDir } = await closedPortal()
    const portal = await temporaryPortal({ dataDir, now: () => Date.now() + 11 * 365 * 86_400_000 })
    expect(await rejection(portal.ca.issueServerCertificate({}))).toMatchObject({
      code: 'CA_BROKEN',
      message: expect.stringContaining('ended at'),
    })
  })
})

import { X509Certificate } from 'node:crypto'
import { connect, createSecureContext, createServer, type TLSSocket } from 'node:tls'
import { readPushCertificate } from '@carillon/wire'
import { describe, expect, test } from 'vitest'
import { hasOpenssl, openssl, opensslRequest } from '../support/openssl.ts'
import { afterTest, rejection, temporaryDirectory, temporaryPortal } from '../support/temporary-portal.ts'

const bundleId = 'com.example.golden'

/** What the certificates hold, by kind, as Apple's certificates have it. */
const golden = [
  {
    kind: 'sandbox',
    commonName: `Apple Development IOS Push Services: ${bundleId}`,
    organization: false,
    marks: ['1.2.840.113635.100.6.3.1'],
    environments: ['sandbox'],
  },
  {
    kind: 'production',
    commonName: `Apple Production IOS Push Services: ${bundleId}`,
    organization: false,
    marks: ['1.2.840.113635.100.6.3.2'],
    environments: ['production'],
  },
  {
    kind: 'universal',
    commonName: `Apple Push Services: ${bundleId}`,
    organization: true,
    marks: ['1.2.840.113635.100.6.3.1', '1.2.840.113635.100.6.3.2', '1.2.840.113635.100.6.3.6'],
    environments: ['sandbox', 'production'],
  },
] as const

describe.each(golden)('a $kind certificate', ({ kind, commonName, organization, marks, environments }) => {
  test.skipIf(!hasOpenssl)('has the contents of the golden table, as openssl reads it', async () => {
    const portal = await temporaryPortal()
    await portal.apps.create({ bundleId, name: 'Golden' })
    const { certPem, serial } = await portal.certificates.create({ bundleId, kind })
    const text = openssl({ 'c.pem': certPem }, 'x509', '-in', 'c.pem', '-noout', '-text').stdout.toString()

    expect(text).toContain('Version: 3')
    const subject = openssl(
      { 'c.pem': certPem },
      ...['x509', '-in', 'c.pem', '-noout', '-subject', '-nameopt', 'sep_comma_plus,show_type,utf8,lname'],
    ).stdout.toString()
    // `+` would join the attributes of one multi-valued name: every attribute has to stand alone.
    expect(subject.trim()).toBe(
      `subject=userId=UTF8STRING:${bundleId},commonName=UTF8STRING:${commonName},` +
        `organizationalUnitName=UTF8STRING:${portal.team.teamId},` +
        (organization ? 'organizationName=UTF8STRING:Unit Täst Team,' : '') +
        'countryName=PRINTABLESTRING:US',
    )
    expect(text).toMatch(/Issuer: C = US, O = .*, OU = [A-Z0-9]{10}, CN = Carillon Issuing CA/)
    expect(text).toMatch(/Signature Algorithm: ecdsa-with-SHA256/)
    expect(serial).toMatch(/^[0-7][0-9a-f]{15}$/)

    const extensions = [...text.matchAll(/^ {12}(\S.*?): (critical)?\s*$/gm)].map(([, name, flag]) =>
      flag === undefined ? name : `${name} critical`,
    )
    expect(extensions).toEqual([
      'X509v3 Subject Key Identifier',
      'X509v3 Basic Constraints critical',
      'X509v3 Authority Key Identifier',
      'X509v3 Certificate Policies',
      'X509v3 CRL Distribution Points',
      'X509v3 Key Usage critical',
      'X509v3 Extended Key Usage',
      ...marks,
    ])
    expect(text).toContain('CA:FALSE')
    expect(text).toMatch(/Key Usage: critical\n\s+Digital Signature\n/)
    expect(text).toMatch(/Extended Key Usage: \n\s+TLS Web Client Authentication\n/)
    expect(text).toContain('Policy: 1.2.840.113635.100.5.1')
    expect(text).toMatch(/User Notice:\n\s+Explicit Text: \S/)
    expect(text).toMatch(/CPS: http:\/\/portal\.carillon\.invalid\//)
    expect(text).toMatch(/URI:http:\/\/portal\.carillon\.invalid\/crl\/issuing\.crl/)
  })

  test.skipIf(!hasOpenssl)('is valid for 395 days and passes the strict check of its chain', async () => {
    const portal = await temporaryPortal()
    await portal.apps.create({ bundleId, name: 'Golden' })
    const { certPem, chainPem, notBefore, notAfter } = await portal.certificates.create({ bundleId, kind })
    expect(notAfter - notBefore).toBe(395 * 86_400_000)
    const files = { 'c.pem': certPem, 'root.pem': portal.ca.rootPem, 'chain.pem': chainPem }
    const check = ['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', 'root.pem']
    expect(openssl(files, ...check, '-untrusted', 'chain.pem', 'c.pem').text).toContain('c.pem: OK')
  })

  test('is read by the reader of the push service', async () => {
    const portal = await temporaryPortal()
    await portal.apps.create({ bundleId, name: 'Golden' })
    const certificate = await portal.certificates.create({ bundleId, kind })
    const app = { topic: bundleId, kinds: ['app'] }
    expect(readPushCertificate(certificate.cerDer)).toEqual({
      bundleId,
      teamId: portal.team.teamId,
      topics:
        kind === 'universal'
          ? [
              app,
              { topic: `${bundleId}.voip`, kinds: ['voip'] },
              { topic: `${bundleId}.complication`, kinds: ['complication'] },
            ]
          : [app],
      environments,
      serial: certificate.serial,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      subjectCommonName: commonName,
    })
  })
})

test.skipIf(!hasOpenssl)('the extension bytes are those of the golden table', async () => {
  const portal = await temporaryPortal()
  await portal.apps.create({ bundleId: 'a.b', name: 'Golden' })
  const { certPem } = await portal.certificates.create({ bundleId: 'a.b', kind: 'universal' })
  const text = openssl({ 'c.pem': certPem }, 'asn1parse', '-in', 'c.pem').stdout.toString()
  const after = (oid: string) => /\[HEX DUMP\]:([0-9A-F]+)/.exec(text.slice(text.indexOf(oid)))?.[1]
  expect(after('1.2.840.113635.100.6.3.1')).toBe('0500')
  expect(after('1.2.840.113635.100.6.3.2')).toBe('0500')
  // Topic and kinds alternate in one sequence: UTF8String, SEQUENCE { UTF8String }, …
  const list = '0C03612E62' + '30050C03617070' + '0C08612E622E766F6970' + '30060C04766F6970'
  const complication = '0C10612E622E636F6D706C69636174696F6E' + '300E0C0C636F6D706C69636174696F6E'
  expect(after('1.2.840.113635.100.6.3.6')).toBe(`3040${list}${complication}`)
  expect(after('X509v3 Basic Constraints')).toBe('3000')
})

describe.skipIf(!hasOpenssl)('a signing request made by openssl', () => {
  test.each([
    ['RSA-2048', ['rsa:2048']],
    ['P-256', ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']],
  ])('with a key of %s becomes a certificate over that key, without the names in it', async (_, key) => {
    const portal = await temporaryPortal()
    await portal.apps.create({ bundleId, name: 'Golden' })
    const csrPem = opensslRequest(key)
    const { certPem, keyPem, p12 } = await portal.certificates.create({ bundleId, kind: 'universal', csrPem })
    const inRequest = openssl(
      { 'r.pem': csrPem },
      'req',
      '-in',
      'r.pem',
      '-noout',
      '-pubkey',
    ).stdout.toString()
    const inCertificate = openssl({ 'c.pem': certPem }, 'x509', '-in', 'c.pem', '-noout', '-pubkey').stdout
    expect(inCertificate.toString()).toBe(inRequest)
    expect(new X509Certificate(certPem).subject).not.toContain('Somebody')
    expect(keyPem).toBeUndefined()
    expect(p12).toBeUndefined()
  })
})

describe.each([{ keyType: 'p256' }, { keyType: 'rsa' }, {}] as const)(
  'a key of the portal: %o',
  (options) => {
    test.skipIf(!hasOpenssl)(
      'comes as a .p12 that openssl reads, with key, certificate and chain',
      async () => {
        const portal = await temporaryPortal()
        await portal.apps.create({ bundleId, name: 'Golden' })
        const created = await portal.certificates.create({ bundleId, kind: 'universal', ...options })
        const run = openssl(
          { 'c.p12': created.p12! },
          ...['pkcs12', '-in', 'c.p12', '-nodes', '-info', '-passin', `pass:${created.p12Password}`],
        )
        expect(run.status, run.text).toBe(0)
        expect(run.stderr).toContain('MAC: sha256')
        expect(
          run.stderr.match(/PBES2, PBKDF2, AES-256-CBC, Iteration \d+, PRF hmacWithSHA256/g),
        ).toHaveLength(2)
        const text = run.stdout.toString()
        expect(text.match(/BEGIN CERTIFICATE/g)).toHaveLength(3)
        expect(text.replaceAll('\r', '')).toContain(created.keyPem!.trim())
        expect(openssl({ 'k.pem': created.keyPem! }, 'pkey', '-in', 'k.pem', '-noout', '-check').status).toBe(
          0,
        )
        const wrong = ['pkcs12', '-in', 'c.p12', '-nodes', '-passin', 'pass:wrong']
        expect(openssl({ 'c.p12': created.p12! }, ...wrong).status).not.toBe(0)
      },
    )

    test('is accepted by a TLS server that trusts the CA, as .p12 and as PEM', async () => {
      const portal = await temporaryPortal()
      await portal.apps.create({ bundleId, name: 'Golden' })
      const created = await portal.certificates.create({ bundleId, kind: 'universal', ...options })
      const server = await portal.ca.issueServerCertificate({ names: [] })
      const asPem = { cert: created.certPem + created.chainPem, key: created.keyPem! }
      const asP12 = { pfx: Buffer.from(created.p12!), passphrase: created.p12Password! }
      for (const client of [asPem, asP12]) {
        createSecureContext(client)
        const seen = await handshake({ ...server, rootPem: portal.ca.rootPem }, client)
        expect(seen).toMatchObject({ authorized: true, serial: created.serial })
      }
    })
  },
)

/** One TLS 1.3 connection with a client certificate; what the server saw. */
async function handshake(
  server: { certPem: string; keyPem: string; rootPem: string },
  client: object,
): Promise<{ authorized: boolean; serial: string }> {
  const listener = createServer({
    cert: server.certPem,
    key: server.keyPem,
    ca: server.rootPem,
    requestCert: true,
    rejectUnauthorized: false,
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  afterTest(() => new Promise((resolve) => listener.close(() => resolve())))
  const accepted = new Promise<TLSSocket>((resolve) => listener.once('secureConnection', resolve))
  const { port } = listener.address() as { port: number }
  const socket = connect({ port, host: '127.0.0.1', ca: server.rootPem, ...client })
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  const peer = await accepted
  const { raw } = peer.getPeerCertificate()
  const seen = { authorized: peer.authorized, serial: readPushCertificate(raw).serial }
  socket.destroy()
  peer.destroy()
  return seen
}

describe('the life of a certificate', () => {
  test('active, expired, revoked and unknown are told apart at once and after reopening', async () => {
    let now = Date.UTC(2026, 0, 1)
    const portal = await temporaryPortal({ now: () => now })
    await portal.apps.create({ bundleId, name: 'Golden' })
    const first = await portal.certificates.create({ bundleId, kind: 'sandbox' })
    now += 1000
    const second = await portal.certificates.create({ bundleId, kind: 'production' })
    expect((await portal.certificates.list()).map(({ serial }) => serial)).toEqual([
      second.serial,
      first.serial,
    ])
    expect(portal.lookup.certificateStatus(first.serial)).toBe('active')
    expect(portal.lookup.certificateStatus('00')).toBe('unknown')

    expect((await portal.certificates.revoke(first.serial)).revokedAt).toBe(now)
    now += 1000
    expect((await portal.certificates.revoke(first.serial.toUpperCase())).revokedAt).toBe(now - 1000)
    expect(portal.lookup.certificateStatus(first.serial)).toBe('revoked')
    now += 396 * 86_400_000
    expect(portal.lookup.certificateStatus(second.serial)).toBe('expired')

    const dataDir = portal.files.rootCertificate.replace(/\/ca\/.*/, '')
    await portal.close()
    const again = await temporaryPortal({ dataDir, now: () => now })
    expect(again.lookup.certificateStatus(first.serial)).toBe('revoked')
    expect(await again.certificates.get(second.serial)).toMatchObject({
      status: 'expired',
      kind: 'production',
    })
  })

  test.skipIf(!hasOpenssl)('the revocation list is signed and names the revoked ones', async () => {
    const portal = await temporaryPortal()
    await portal.apps.create({ bundleId, name: 'Golden' })
    const empty = await portal.ca.revocationList('issuing')
    const { serial } = await portal.certificates.create({ bundleId, kind: 'sandbox' })
    const good = await portal.certificates.create({ bundleId, kind: 'sandbox' })
    await portal.certificates.revoke(serial)
    const list = await portal.ca.revocationList('issuing')
    const read = (crl: Uint8Array) =>
      openssl(
        { 'l.crl': crl, 'chain.pem': portal.ca.chainPem },
        ...['crl', '-inform', 'DER', '-in', 'l.crl', '-noout', '-text', '-CAfile', 'chain.pem'],
      )
    expect(read(empty).text).toContain('No Revoked Certificates')
    expect(read(list).text).toContain(`Serial Number: ${serial.toUpperCase()}`)
    expect(read(list).stderr).toContain('verify OK')
    const crlPem = `-----BEGIN X509 CRL-----\n${Buffer.from(list).toString('base64')}\n-----END X509 CRL-----\n`
    const verify = (certPem: string) =>
      openssl(
        { 'c.pem': certPem, 'root.pem': portal.ca.rootPem, 'chain.pem': portal.ca.chainPem, 'l.pem': crlPem },
        ...['verify', '-crl_check', '-CRLfile', 'l.pem', '-CAfile', 'root.pem', '-untrusted', 'chain.pem'],
        'c.pem',
      ).text
    expect(verify((await portal.certificates.get(serial)).certPem)).toContain('certificate revoked')
    expect(verify(good.certPem)).toContain('OK')
  })
})

test('a certificate revoked twice at one moment has one time, in memory as on disk', async () => {
  const dataDir = await temporaryDirectory()
  let now = Date.now()
  const portal = await temporaryPortal({ dataDir, now: () => now++ })
  await portal.apps.create({ bundleId, name: 'Golden' })
  const { serial } = await portal.certificates.create({ bundleId, kind: 'sandbox' })
  await Promise.all([portal.certificates.revoke(serial), portal.certificates.revoke(serial)])
  const told = await portal.certificates.get(serial)
  await portal.close()
  expect(await (await temporaryPortal({ dataDir })).certificates.get(serial)).toEqual(told)
})

test('a revocation list that is asked for again and again is signed once an hour, and at once after a revocation', async () => {
  let now = Date.now()
  const portal = await temporaryPortal({ now: () => now })
  await portal.apps.create({ bundleId, name: 'Golden' })
  const { serial } = await portal.certificates.create({ bundleId, kind: 'sandbox' })
  const first = await portal.ca.revocationList('issuing')
  expect(await portal.ca.revocationList('issuing')).toBe(first)
  await portal.certificates.revoke(serial)
  const second = await portal.ca.revocationList('issuing')
  expect(Buffer.from(second).includes(Buffer.from(serial, 'hex'))).toBe(true)
  now += 3_599_999
  expect(await portal.ca.revocationList('issuing')).toBe(second)
  now += 1
  expect(await portal.ca.revocationList('issuing')).not.toBe(second)
})

test('requests that cannot be met are refused with code, sentence and fix', async () => {
  const portal = await temporaryPortal()
  await portal.apps.create({ bundleId, name: 'Golden' })
  await portal.apps.create({ bundleId: 'com.example.*', name: 'Wild' })
  const cases = [
    [{ bundleId, kind: 'Sandbox' as 'sandbox' }, 'REQUEST_INVALID'],
    [{ bundleId, kind: 'sandbox', keyType: 'dsa' as 'rsa' }, 'REQUEST_INVALID'],
    [{ bundleId: 'com.example.none', kind: 'sandbox' }, 'APP_UNKNOWN'],
    [{ bundleId: 'com.example.*', kind: 'sandbox' }, 'APP_PUSH_OFF'],
    [{ bundleId, kind: 'sandbox', csrPem: 'x', keyType: 'rsa' }, 'REQUEST_INVALID'],
    [{ bundleId, kind: 'sandbox', csrPem: 'x', p12Password: 'x' }, 'REQUEST_INVALID'],
    [{ bundleId, kind: 'sandbox', p12Password: 'pässword' }, 'REQUEST_INVALID'],
    [{ bundleId, kind: 'sandbox', csrPem: 'x' }, 'CSR_INVALID'],
  ] as const
  for (const [request, code] of cases) {
    const error = await rejection(portal.certificates.create(request))
    expect(error).toMatchObject({ name: 'PortalError', code, fix: expect.stringMatching(/\S/) })
  }
  expect(await rejection(portal.certificates.get('zz'))).toMatchObject({ code: 'CERTIFICATE_UNKNOWN' })
  expect(await portal.certificates.list()).toEqual([])
})

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type PlistValue, parse } from 'plist'
import { describe, expect, test } from 'vitest'
import type { Portal } from '../../src/index.ts'
import { hasOpenssl, openssl } from '../support/openssl.ts'
import { rejection, temporaryDirectory, temporaryPortal } from '../support/temporary-portal.ts'

const bundleId = 'com.example.app'

async function portalWithApp(): Promise<Portal> {
  const portal = await temporaryPortal()
  await portal.apps.create({ bundleId, name: 'App' })
  return portal
}

/** The property list inside, once openssl has checked signature and chain. */
function verified(portal: Portal, der: Uint8Array, command: 'cms' | 'smime'): Record<string, PlistValue> {
  const run = openssl(
    { 'p.mobileprovision': der, 'root.pem': portal.ca.rootPem },
    ...[command, '-verify', '-inform', 'DER', '-in', 'p.mobileprovision', '-CAfile', 'root.pem', '-binary'],
    '-x509_strict',
  )
  expect(run.stderr).toMatch(/Verification successful/)
  return parse(run.stdout.toString()) as Record<string, PlistValue>
}

describe.skipIf(!hasOpenssl)('a profile', () => {
  test.each([
    ['development', 'development', true],
    ['adhoc', 'production', false],
    ['appstore', 'production', false],
    ['inhouse', 'production', false],
  ] as const)('of the kind %s is for the environment %s', async (kind, environment, debuggable) => {
    const portal = await portalWithApp()
    const one = await portal.devices.add({ name: 'One' })
    const two = await portal.devices.add({ name: 'Two' })
    const listed = kind === 'development' || kind === 'adhoc'
    const profile = await portal.profiles.create({
      bundleId,
      kind,
      ...(listed ? { deviceIds: [one.deviceId, two.udid, one.udid] } : {}),
    })
    const plist = verified(portal, profile.der, 'cms')
    expect(verified(portal, profile.der, 'smime')).toEqual(plist)
    const { teamId, name } = portal.team
    expect(plist).toEqual({
      AppIDName: 'App',
      ApplicationIdentifierPrefix: [teamId],
      CreationDate: new Date(profile.createdAt),
      DeveloperCertificates: [],
      Entitlements: {
        'application-identifier': `${teamId}.${bundleId}`,
        'aps-environment': environment,
        ...(kind === 'appstore' ? { 'beta-reports-active': true } : {}),
        'com.apple.developer.team-identifier': teamId,
        'get-task-allow': debuggable,
        'keychain-access-groups': [`${teamId}.*`],
      },
      ExpirationDate: new Date(profile.createdAt + 365 * 86_400_000),
      IsXcodeManaged: false,
      Name: `App ${kind}`,
      Platform: ['iOS'],
      ...(listed ? { ProvisionedDevices: [one.udid, two.udid] } : {}),
      ...(kind === 'inhouse' ? { ProvisionsAllDevices: true } : {}),
      TeamIdentifier: [teamId],
      TeamName: name,
      TimeToLive: 365,
      UUID: profile.uuid,
      Version: 1,
    })
    expect(profile.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test('has SHA-256, one signer, three certificates, and no signature over other content', async () => {
    const portal = await portalWithApp()
    const { der } = await portal.profiles.create({ bundleId, kind: 'inhouse' })
    const file = { 'p.mobileprovision': der, 'root.pem': portal.ca.rootPem }
    const text = openssl(file, 'cms', '-cmsout', '-print', '-inform', 'DER', '-in', 'p.mobileprovision').text
    expect(text.match(/signerInfos:/g)).toHaveLength(1)
    expect(text.match(/d\.issuerAndSerialNumber:/g)).toHaveLength(1)
    expect(text.match(/algorithm: sha256 /g)).toHaveLength(2)
    expect(text.match(/d\.certificate:/g)).toHaveLength(3)
    const changed = Buffer.from(der)
    changed[changed.indexOf('inhouse')] = 'I'.charCodeAt(0)
    const verify = ['cms', '-verify', '-inform', 'DER', '-in', 'p.mobileprovision', '-CAfile', 'root.pem']
    expect(openssl({ ...file, 'p.mobileprovision': changed }, ...verify).status).not.toBe(0)
    expect(openssl({ ...file, 'root.pem': (await temporaryPortal()).ca.rootPem }, ...verify).status).not.toBe(
      0,
    )
  })

  test('cannot be signed with a push certificate', async () => {
    const portal = await portalWithApp()
    const { certPem, keyPem } = await portal.certificates.create({ bundleId, kind: 'universal' })
    const files = { 'c.pem': certPem, 'k.pem': keyPem!, 'chain.pem': portal.ca.chainPem, 'x.txt': 'x' }
    const sign = [
      'cms',
      '-sign',
      '-nodetach',
      '-binary',
      '-in',
      'x.txt',
      '-signer',
      'c.pem',
      '-inkey',
      'k.pem',
    ]
    const forged = openssl(files, ...sign, '-certfile', 'chain.pem', '-outform', 'DER')
    expect(forged.status).toBe(0)
    const check = ['cms', '-verify', '-inform', 'DER', '-in', 'f', '-CAfile', 'root.pem']
    const run = openssl({ f: forged.stdout, 'root.pem': portal.ca.rootPem }, ...check)
    expect(run.stderr).toContain('unsuitable certificate purpose')
  })
})

describe('profiles', () => {
  test('are listed and can be fetched again', async () => {
    const portal = await portalWithApp()
    const { der, ...profile } = await portal.profiles.create({ bundleId, kind: 'appstore', name: 'Shop' })
    expect(await portal.profiles.list()).toEqual([profile])
    const again = await portal.profiles.get(profile.uuid.toUpperCase())
    expect(again).toEqual({ ...profile, der: again.der })
    expect(Buffer.from(again.der).equals(der)).toBe(true)
  })

  test.skipIf(!hasOpenssl)('names with signs of XML and of other scripts arrive as they are', async () => {
    const portal = await temporaryPortal({ teamName: 'Müller & <Söhne> "鈴"' })
    const name = `<b>&amp;'"]]> 🔔`
    await portal.apps.create({ bundleId, name })
    const { der } = await portal.profiles.create({ bundleId, kind: 'inhouse' })
    expect(verified(portal, der, 'cms')).toMatchObject({ AppIDName: name, TeamName: portal.team.name })
  })

  test('an app without push gets no push entitlement', async () => {
    const portal = await temporaryPortal()
    await portal.apps.create({ bundleId: 'com.example.*', name: 'Wild' })
    const { der } = await portal.profiles.create({ bundleId: 'com.example.*', kind: 'appstore' })
    expect(Buffer.from(der).includes('aps-environment')).toBe(false)
    expect(Buffer.from(der).includes(`${portal.team.teamId}.com.example.*`)).toBe(true)
  })

  test('what makes no sense is refused', async () => {
    const portal = await portalWithApp()
    const gone = await portal.devices.add({ name: 'Gone' })
    await portal.devices.disable(gone.deviceId)
    const cases = [
      [{ bundleId, kind: 'Adhoc' as 'adhoc' }, 'REQUEST_INVALID'],
      [{ bundleId: 'a.b', kind: 'appstore' }, 'APP_UNKNOWN'],
      [{ bundleId, kind: 'development' }, 'PROFILE_NEEDS_DEVICES'],
      [{ bundleId, kind: 'adhoc', deviceIds: [] }, 'PROFILE_NEEDS_DEVICES'],
      [{ bundleId, kind: 'adhoc', deviceIds: ['NOSUCH'] }, 'DEVICE_UNKNOWN'],
      [{ bundleId, kind: 'adhoc', deviceIds: [gone.udid] }, 'DEVICE_DISABLED'],
      [{ bundleId, kind: 'appstore', deviceIds: [gone.udid] }, 'PROFILE_TAKES_NO_DEVICES'],
      [{ bundleId, kind: 'inhouse', deviceIds: [gone.udid] }, 'PROFILE_TAKES_NO_DEVICES'],
      [{ bundleId, kind: 'inhouse', name: '' }, 'NAME_INVALID'],
    ] as const
    for (const [request, code] of cases) {
      expect(await rejection(portal.profiles.create(request))).toMatchObject({ code })
    }
    expect(await rejection(portal.profiles.get('x'))).toMatchObject({ code: 'PROFILE_UNKNOWN' })
    expect(await portal.profiles.list()).toEqual([])
  })
})

test('no profile is born expired when its signer has ended; without its files the portal makes a new one', async () => {
  const dataDir = await temporaryDirectory()
  let now = Date.UTC(2026, 0, 1)
  const portal = await temporaryPortal({ dataDir, now: () => now })
  await portal.apps.create({ bundleId: 'a.b', name: 'A' })
  now = Date.UTC(2034, 11, 1)
  const late = await portal.profiles.create({ bundleId: 'a.b', kind: 'appstore' })
  expect(late.expiresAt).toBeGreaterThan(now)
  now = Date.UTC(2035, 0, 1)
  expect(await rejection(portal.profiles.create({ bundleId: 'a.b', kind: 'appstore' }))).toMatchObject({
    code: 'CA_BROKEN',
    message: expect.stringContaining('2034-12-30'),
    fix: expect.stringContaining('profile-signer'),
  })
  await portal.close()
  for (const file of ['profile-signer.key.pem', 'profile-signer.cert.pem'])
    await rm(join(dataDir, 'ca', file))
  const again = await temporaryPortal({ dataDir, now: () => now })
  const profile = await again.profiles.create({ bundleId: 'a.b', kind: 'appstore' })
  // As long as the issuing CA, which is in its last year.
  expect(profile.expiresAt).toBe(Date.UTC(2035, 11, 30))
})

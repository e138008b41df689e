import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPortal, openPortalClient, startPortalServer } from '../src/index.ts'
import { afterTest, temporaryDirectory } from './support/temporary-portal.ts'

/* The snippets of the README. */

test('the README works', async () => {
  const dataDir = await temporaryDirectory()
  const out = await temporaryDirectory()
  const closed: string[] = []

  const portal = await openPortal({ dataDir, teamName: 'Bell Founders', now: Date.now })

  await portal.apps.create({ bundleId: 'com.example.bells', name: 'Bells' })
  const certificate = await portal.certificates.create({ bundleId: 'com.example.bells', kind: 'universal' })
  const key = await portal.keys.create({ name: 'Server' })
  const device = await portal.devices.add({ name: 'Kiosk at the door' })
  const profile = await portal.profiles.create({
    bundleId: 'com.example.bells',
    kind: 'development',
    deviceIds: [device.deviceId],
  })

  await writeFile(join(out, 'push.p12'), certificate.p12 ?? '') // password in certificate.p12Password
  await writeFile(join(out, `AuthKey_${key.keyId}.p8`), key.privateKeyPem) // shown this once
  await writeFile(join(out, 'bells.mobileprovision'), profile.der)
  afterTest(() => portal.close())

  const server = await startPortalServer({ portal })

  const adminKey = (await readFile(portal.files.adminKey, 'utf8')).trim()
  const remote = await openPortalClient({ url: server.url, caPem: portal.ca.rootPem, adminKey })
  const apps = await remote.apps.list()
  afterTest(() => server.close())
  afterTest(() => remote.close())

  const stop = portal.onChange((change) => {
    if (change.type === 'certificate' && change.status === 'revoked') closed.push(change.serial)
  })
  await portal.certificates.revoke(certificate.serial)
  const status = portal.lookup.certificateStatus(certificate.serial) // 'revoked'
  stop()

  expect((await readdir(out)).sort()).toEqual([
    `AuthKey_${key.keyId}.p8`,
    'bells.mobileprovision',
    'push.p12',
  ])
  expect(apps.map(({ bundleId }) => bundleId)).toEqual(['com.example.bells'])
  expect(status).toBe('revoked')
  expect(closed).toEqual([certificate.serial])
})

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '@carillon/database'
import { expect, test } from 'vitest'
import { openPortal } from '../src/index.ts'
import { migrations } from '../src/store/migrations.ts'
import { makeRequest } from './support/request.ts'
import { afterTest, rejection, temporaryDirectory } from './support/temporary-portal.ts'

const url = process.env.PGURL ?? 'postgres://postgres@127.0.0.1:5432/test'

test('a portal on PostgreSQL does all that one on its own file does, and finds it again', async () => {
  const schema = `carillon_portal_${randomBytes(6).toString('hex')}`
  afterTest(async () => {
    const database = await openDatabase({ engine: 'postgres', url, schema, migrations })
    await database.run(database.prepare(`DROP SCHEMA ${schema} CASCADE`))
    await database.close()
  })
  const dataDir = await temporaryDirectory()
  const open = () => openPortal({ dataDir, now: Date.now, postgres: { url, schema } })
  const portal = await open()
  try {
    await portal.apps.create({ bundleId: 'com.example.app', name: 'Example', inboxMax: 3 })
    expect(await rejection(portal.apps.create({ bundleId: 'com.example.app', name: 'Again' }))).toMatchObject(
      {
        code: 'APP_EXISTS',
      },
    )
    const certificate = await portal.certificates.create({ bundleId: 'com.example.app', kind: 'universal' })
    const key = await portal.keys.create({ name: 'Back end' })
    const csrPem = makeRequest(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    const device = await portal.devices.add({ name: 'Phone' })
    await portal.devices.activate({ deviceId: device.deviceId, csrPem })
    const deviceIds = [device.deviceId]
    const profile = await portal.profiles.create({
      bundleId: 'com.example.app',
      kind: 'development',
      deviceIds,
    })
    await portal.certificates.revoke(certificate.serial)
    expect(existsSync(join(dataDir, 'portal.db'))).toBe(false)
    // One process at a time, as with a file.
    expect(await rejection(open())).toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' })
    await portal.close()

    const again = await open()
    afterTest(() => again.close())
    expect(again.lookup.app('com.example.app')).toMatchObject({ push: true, inboxMax: 3 })
    expect(again.lookup.publicKeyOf(key.keyId)?.asymmetricKeyType).toBe('ec')
    expect(again.lookup.certificateStatus(certificate.serial)).toBe('revoked')
    expect((await again.devices.get(device.udid)).activatedAt).toBeDefined()
    expect((await again.profiles.list()).map(({ uuid }) => uuid)).toEqual([profile.uuid])
  } finally {
    await portal.close()
  }
})

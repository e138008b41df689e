import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startService } from '../src/index.ts'
import { TestAuthority } from './certificates.ts'
import { bundleId, MemoryAuthority } from './memory-authority.ts'

test('the example of the README runs', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'carillon-readme-'))
  const ca = await TestAuthority.make(Date.now())
  const { certPem, keyPem } = await ca.server()
  const authority = new MemoryAuthority()
  authority.setApp(bundleId)

  const service = await startService({
    environment: 'sandbox',
    dataDir, // made where it is absent; holds push.sqlite
    authority, // App IDs, auth keys, certificates: the portal, or anything that answers like it
    tls: { certPem, keyPem },
    host: '127.0.0.1',
    ports: { http2: 0, courier: 0 }, // 0: chosen by the system
    now: Date.now,
    random: (bytes) => randomBytes(bytes),
  })
  console.log(`providers: ${service.http2.port}, devices: ${service.courier.port}`)
  await service.close() // GOAWAY to providers, the last commit, files closed

  expect(service.http2.port).toBeGreaterThan(0)
  rmSync(dataDir, { recursive: true })
})

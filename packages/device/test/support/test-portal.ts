import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPortal, type Portal } from '../../../portal/src/index.ts'
import type { Activate } from '../../src/index.ts'

export interface TestPortal extends Portal {
  readonly dataDir: string
  readonly activate: Activate
}

/** A portal that knows one app, and a profile that lets it run on every device. */
export interface AppPortal extends TestPortal {
  readonly profile: Uint8Array
}

/** A real portal in a directory of its own, which is removed when it is closed. */
export async function testPortal(now: () => number = Date.now): Promise<TestPortal> {
  const dataDir = await mkdtemp(join(tmpdir(), 'carillon-device-portal-'))
  const portal = await openPortal({ dataDir, teamName: 'Bell Founders', now })
  return {
    ...portal,
    dataDir,
    activate: ({ csrPem, udid }) => portal.devices.activate({ csrPem, ...(udid ? { udid } : { new: true }) }),
    async close() {
      await portal.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export async function portalWithApp(bundleId: string): Promise<AppPortal> {
  const portal = await testPortal()
  await portal.apps.create({ bundleId, name: 'Bells' })
  const { der } = await portal.profiles.create({ bundleId, kind: 'inhouse' })
  return { ...portal, profile: der }
}

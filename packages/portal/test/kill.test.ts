import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { afterTest, temporaryDirectory, temporaryPortal } from './support/temporary-portal.ts'

interface Line {
  readonly rootPem?: string
  readonly bundleId?: string
  readonly serial?: string
  readonly keyId?: string
  readonly deviceId?: string
  readonly uuid?: string
}

/** Runs the portal process until it printed so many lines or killed itself; what it had confirmed. */
async function runAndKill(dataDir: string, lines: number, suicideAfter = 0): Promise<Line[]> {
  const program = join(import.meta.dirname, 'support', 'portal-process.ts')
  const child = spawn(process.execPath, [program, dataDir, String(suicideAfter)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  afterTest(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const confirmed: Line[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    confirmed.push(JSON.parse(line))
    if (confirmed.length === lines) child.kill('SIGKILL')
  }
  const [, signal] = await exited
  expect(signal).toBe('SIGKILL')
  return confirmed
}

test.each([1, 2, 3, 5, 11, 24])(
  'killed after %i confirmations, a portal holds all of them',
  async (lines) => {
    const dataDir = await temporaryDirectory()
    const confirmed = await runAndKill(dataDir, lines)
    expect(confirmed.length).toBeGreaterThanOrEqual(lines)
    const portal = await temporaryPortal({ dataDir })
    for (const { rootPem, bundleId, serial, keyId, deviceId, uuid } of confirmed) {
      if (rootPem !== undefined) expect(portal.ca.rootPem).toBe(rootPem)
      if (bundleId !== undefined) expect(portal.lookup.app(bundleId)).toBeDefined()
      if (serial !== undefined) expect(portal.lookup.certificateStatus(serial)).toBe('active')
      if (keyId !== undefined) expect(portal.lookup.publicKeyOf(keyId)).toBeDefined()
      if (deviceId !== undefined) expect((await portal.devices.get(deviceId)).deviceId).toBe(deviceId)
      if (uuid !== undefined) expect((await portal.profiles.get(uuid)).der.length).toBeGreaterThan(1000)
    }
  },
)

test('killed again and again while its directory is made, a portal comes up in the end', async () => {
  const dataDir = await temporaryDirectory()
  // Random bytes name every file and number every certificate. Each run dies at the third request for some:
  // that is enough for one file, so every run gets one step further and leaves the next one half done.
  let runs = 0
  let confirmed: Line[] = []
  while (confirmed.length === 0 && runs < 20) {
    confirmed = await runAndKill(dataDir, 1, 3)
    runs++
  }
  expect(runs).toBeGreaterThan(5)
  const portal = await temporaryPortal({ dataDir })
  expect(portal.ca.rootPem).toBe(confirmed[0]?.rootPem)
  await portal.apps.create({ bundleId: 'x.y', name: 'X' })
  const { chainPem } = await portal.certificates.create({ bundleId: 'x.y', kind: 'universal' })
  expect(chainPem).toBe(portal.ca.chainPem)
})

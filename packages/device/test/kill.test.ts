import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, test } from 'vitest'
import { DeviceActivation } from '../src/activation.ts'
import { prepareStateDir } from '../src/state/device-files.ts'
import { afterTest, temporaryDirectory } from './support/temporary.ts'
import { apnsIdOf, type CourierSide, TestCourier } from './support/test-courier.ts'
import { bundleId } from './support/test-phone.ts'
import { type AppPortal, portalWithApp } from './support/test-portal.ts'

const notifications = 12

let portal: AppPortal
beforeAll(async () => {
  portal = await portalWithApp(bundleId)
  return () => portal.close()
})

/**
 * A courier as the push service is one: what is not acknowledged comes again on each connection, under new
 * message ids. Every life of the device is one process, which kills itself where the test says.
 */
async function lives(places: readonly { where: 'bytes' | 'show'; at: number }[]) {
  const courier = await TestCourier.start(portal)
  const directory = await temporaryDirectory()
  const stateDir = join(directory, 'phone')
  const profileFile = join(directory, 'profile')
  await writeFile(profileFile, portal.profile)
  await new DeviceActivation(await prepareStateDir(stateDir), portal.activate, Date.now).activated(undefined)
  const { port } = courier.address
  const caFile = portal.files.rootCertificate
  const acknowledged = new Set<number>()
  const shown: string[] = []
  let killed = 0
  for (const place of [...places, { where: 'bytes', at: 0 } as const]) {
    const arguments_ = { stateDir, caFile, profileFile, port, bundleId, ...place }
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'support', 'device-process.ts'), JSON.stringify(arguments_)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const exited = once(child, 'exit')
    afterTest(() => child.kill('SIGKILL'))
    const printed = readShown(child)
    const served = serve(
      await Promise.race([courier.connection(courier.connections.length + 1), exited]),
      acknowledged,
    )
    await Promise.race([served, exited])
    if (acknowledged.size === notifications) child.kill('SIGKILL')
    const [, signal] = await exited
    expect(signal).toBe('SIGKILL')
    killed++
    shown.push(...(await printed))
    if (acknowledged.size === notifications) break
  }
  return { shown: shown.sort(), killed }
}

async function readShown(child: ChildProcess): Promise<string[]> {
  const shown: string[] = []
  if (!child.stdout) return shown
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line)
    if (event.event === 'notification') shown.push(event.apnsId)
  }
  return shown
}

/** Resolves when everything is acknowledged, or the device is gone. */
async function serve(side: CourierSide | unknown[], acknowledged: Set<number>): Promise<void> {
  if (Array.isArray(side)) return // it died before it connected
  try {
    await side.accept()
    await side.hear('filter')
    // Not asked for where an earlier life got it.
    if (side.all('appTokenRequest').length > 0) await side.issue()
  } catch {
    return // it died while it introduced itself
  }
  const numberOf = new Map<number, number>()
  for (let n = 1; n <= notifications; n++) {
    if (acknowledged.has(n)) continue
    const id = 1 + numberOf.size
    numberOf.set(id, n)
    side.notify(bundleId, n, { id })
    // One at a time, so that it can die between any two.
    await side.until(() => side.all('ack').length === numberOf.size, 'ack').catch(() => {})
    for (const ack of side.all('ack')) acknowledged.add(numberOf.get(ack.id) ?? 0)
    if (side.isClosed) return
  }
}

const all = Array.from({ length: notifications }, (_, index) => apnsIdOf(index + 1)).sort()

describe('a device that is killed again and again shows every notification exactly once', () => {
  test('before it looks at what the courier sent', async () => {
    // The clock is read some four times until it is connected, and then for each piece of what arrives.
    const places = [5, 7, 8, 9, 10].map((at) => ({ where: 'bytes' as const, at }))
    const { shown, killed } = await lives(places)
    expect(shown).toEqual(all)
    expect(killed).toBe(places.length + 1)
  }, 120_000)

  test('between writing down and showing', async () => {
    const places = [1, 1, 2, 3].map((at) => ({ where: 'show' as const, at }))
    const { shown, killed } = await lives(places)
    expect(shown).toEqual(all)
    expect(killed).toBe(places.length + 1)
  }, 120_000)
})

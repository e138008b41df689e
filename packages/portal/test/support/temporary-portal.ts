import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { openPortal, type Portal, type PortalOptions } from '../../src/index.ts'

const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Runs after the test, last registered first. */
export function afterTest(cleanup: () => Promise<void>): void {
  cleanups.push(cleanup)
}

/** A directory that is removed after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'carillon-portal-'))
  afterTest(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** A portal that is closed after the test, in a directory of its own unless one is given. */
export async function temporaryPortal(options: Partial<PortalOptions> = {}): Promise<Portal> {
  const dataDir = options.dataDir ?? (await temporaryDirectory())
  const portal = await openPortal({ teamName: 'Unit Täst Team', now: Date.now, ...options, dataDir })
  afterTest(() => portal.close())
  return portal
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
}

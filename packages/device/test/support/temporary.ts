import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { type DeviceFiles, deviceFilesIn } from '../../src/state/device-files.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Runs after the test, last registered first. */
export function afterTest(cleanup: () => unknown): void {
  cleanups.push(cleanup)
}

/** A directory that is removed after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'carillon-device-'))
  afterTest(() => rm(directory, { recursive: true, force: true }))
  return directory
}

export async function temporaryFiles(): Promise<DeviceFiles> {
  return deviceFilesIn(await temporaryDirectory())
}

/** What a promise was rejected with. */
export function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
}

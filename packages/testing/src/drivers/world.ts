import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { After } from '../happenings.ts'

/** Milliseconds since the epoch, by the machine's clock. */
export const machineNow = (): number => Date.now()

export const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

export const after: After = (milliseconds, run) => {
  const timer = setTimeout(run, milliseconds)
  return () => clearTimeout(timer)
}

/** A directory of its own, and how to remove it. */
export async function throwAwayDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'carillon-testing-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

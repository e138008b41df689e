import { readFile, rm, writeFile } from 'node:fs/promises'
import { DeviceError } from '../device-error.ts'
import type { DeviceFiles } from './device-files.ts'

/**
 * One process at a time works on a state directory: two devices with one identity would take the connection
 * from each other for ever. The lock names its process, so that one left by `kill -9` is taken over.
 */
export async function takeStateLock(files: DeviceFiles): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await writeFile(files.lock, String(process.pid), { flag: 'wx', mode: 0o600 })
      return () => rm(files.lock, { force: true })
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
      const owner = Number(await readFile(files.lock, 'utf8').catch(() => '0')) // gone again meanwhile: try anew
      if (owner !== process.pid && isAlive(owner)) throw inUse(files.stateDir, owner)
      if (owner === process.pid) throw inUse(files.stateDir, owner)
      await rm(files.lock, { force: true })
    }
  }
  throw inUse(files.stateDir, 0)
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function inUse(stateDir: string, pid: number): DeviceError {
  return new DeviceError(
    'STATE_IN_USE',
    `Another device daemon${pid ? ` (process ${pid})` : ''} works on ${stateDir}.`,
    'Stop it, or give this device a --state directory of its own.',
  )
}

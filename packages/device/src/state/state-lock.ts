import { readdir, readFile, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { DeviceError } from '../device-error.ts'
import { type DeviceFiles, replaceFile } from './device-files.ts'

/** Files of this very process, which may run several devices. */
const held = new Set<string>()

/**
 * One process at a time works on a state directory: two devices with one identity would take the connection
 * from each other for ever.
 *
 * Each process puts down a file of its own and then looks for those of others, so that of two that start at the
 * same moment at least one sees the other. A file names its process and when that started: one left by
 * `kill -9` is known to be dead even when another process has its number by now.
 *
 * @returns how to give the directory free
 * @throws DeviceError `STATE_IN_USE`, `STATE_UNREADABLE`
 */
export async function takeStateLock(files: DeviceFiles): Promise<() => Promise<void>> {
  const mine = resolve(`${files.lock}.${process.pid}`)
  if (held.has(mine)) throw inUse(files.stateDir, process.pid)
  held.add(mine)
  const release = async () => {
    await rm(mine, { force: true })
    held.delete(mine)
  }
  try {
    await replaceFile(mine, (await lifeOf(process.pid)) ?? '')
    const other = await otherOwner(mine, `${basename(files.lock)}.`)
    if (other !== undefined) throw inUse(files.stateDir, other)
    return release
  } catch (error) {
    await release()
    throw error
  }
}

/** The number of another process that holds the directory. Files of dead ones are removed. */
async function otherOwner(mine: string, prefix: string): Promise<number | undefined> {
  const directory = dirname(mine)
  for (const name of await readdir(directory)) {
    const pid = Number(name.slice(prefix.length))
    const file = join(directory, name)
    if (!name.startsWith(prefix) || !Number.isSafeInteger(pid) || file === mine) continue
    if (await isAlive(pid, await contentOf(file))) return pid
    await rm(file, { force: true })
  }
  return undefined
}

async function isAlive(pid: number, life: string | undefined): Promise<boolean> {
  return pid > 0 && life !== undefined && life === (await lifeOf(pid))
}

/** What tells this life of a process number from others; undefined where no such process lives. */
async function lifeOf(pid: number): Promise<string | undefined> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined
  }
  // Linux: the boot, and the time since then at which the process started (proc(5), field 22 of stat). Elsewhere
  // the number alone has to do.
  const boot = (await contentOf('/proc/sys/kernel/random/boot_id')) ?? ''
  const stat = (await contentOf(`/proc/${pid}/stat`)) ?? ''
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return `${pid} ${boot.trim()} ${started}`
}

async function contentOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return undefined // not there, or gone meanwhile
  }
}

function inUse(stateDir: string, pid: number): DeviceError {
  return new DeviceError(
    'STATE_IN_USE',
    `Another device daemon (process ${pid}) works on ${stateDir}.`,
    'Stop it, or give this device a --state directory of its own.',
  )
}

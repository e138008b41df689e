import { chmod, mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DeviceError } from '../device-error.ts'

/** The names inside a device's state directory. */
export function deviceFilesIn(stateDir: string) {
  return {
    stateDir,
    /** PKCS#8, the device's own key. */
    key: join(stateDir, 'device.key.pem'),
    /** Device certificate and its issuers. */
    certificate: join(stateDir, 'device.pem'),
    /** Tokens and installed apps. */
    state: join(stateDir, 'state.json'),
    /** Broadcast channels that its apps listen to. */
    channels: join(stateDir, 'channels.json'),
    /** Received and shown notifications. */
    journal: join(stateDir, 'notifications.log'),
    /** Followed by a dot and the number of the process that works on this directory. */
    lock: join(stateDir, 'lock'),
  } as const
}

export type DeviceFiles = ReturnType<typeof deviceFilesIn>

/** Makes the state directory, readable by its owner only; one that is there keeps its permissions. */
export async function prepareStateDir(stateDir: string): Promise<DeviceFiles> {
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw unusable(stateDir, cause)
  }
  return deviceFilesIn(stateDir)
}

/** Reads a file, or undefined where there is none yet. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusable(file, cause)
  }
}

/** `readIfThere` for a secret: a copy that was put back with looser permissions is closed to others. */
export async function readSecretIfThere(file: string): Promise<string | undefined> {
  const text = await readIfThere(file)
  if (text !== undefined && ((await stat(file)).mode & 0o077) !== 0) await chmod(file, 0o600)
  return text
}

/** Replaces a file in one step, on disk when the promise resolves, readable by its owner only. */
export async function replaceFile(file: string, content: string): Promise<void> {
  const temporary = `${file}.new`
  try {
    await writeFile(temporary, content, { mode: 0o600, flush: true })
    await rename(temporary, file)
    await syncFolderOf(file)
  } catch (cause) {
    throw unusable(file, cause)
  }
}

/** Puts on disk which names the folder of this file holds. */
export async function syncFolderOf(file: string): Promise<void> {
  const folder = await open(dirname(file), 'r')
  await folder.sync().finally(() => folder.close())
}

function unusable(path: string, cause: unknown): DeviceError {
  return new DeviceError(
    'STATE_UNREADABLE',
    `The device state ${path} cannot be used (${(cause as NodeJS.ErrnoException).code ?? cause}).`,
    'Name a directory of its own that you may write to, with --state DIR.',
    cause,
  )
}

import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PortalError } from '../errors.ts'

const ownerOnly = 0o600
const everyone = 0o644

/** Makes a directory that only its owner may enter, with all directories above it. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw unusable('made', path, cause)
  }
}

/** The text of a file, or undefined where there is none. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw unusable('read', path, cause)
  }
}

/**
 * Writes a file that must appear whole or not at all, and only once: under another name first, flushed to the
 * disk, then linked to its place. Where the file exists already, nothing changes. Gives what the file then holds,
 * so two processes that start at the same moment go on with the same key.
 */
export async function writeOnce(
  path: string,
  text: string,
  { secret, random }: { secret: boolean; random: (bytes: number) => Uint8Array },
): Promise<string> {
  const temporary = `${path}.${Buffer.from(random(6)).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'w', secret ? ownerOnly : everyone)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await place(temporary, path)
    await syncDirectory(dirname(path))
  } catch (cause) {
    // Half a key is of no use to its owner, only to a thief. Where removing fails as well, the first reason counts.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw unusable('written', path, cause)
  }
  return (await readText(path)) ?? text
}

async function place(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
    await rm(temporary)
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'EEXIST') return rm(temporary)
    // A file system without hard links: renaming is as atomic, but the last of two writers wins.
    if (code === 'EPERM' || code === 'ENOSYS' || code === 'ENOTSUP') return rename(temporary, path)
    throw cause
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function unusable(action: string, path: string, cause: unknown): PortalError {
  const reason: Record<string, string> = {
    EACCES: 'access is denied',
    EPERM: 'access is denied',
    ENOTDIR: 'a part of the path is a file, not a directory',
    EEXIST: 'a file with this name is in the way',
    EISDIR: 'it is a directory',
    ENOSPC: 'the disk is full',
    EROFS: 'the file system is read-only',
  }
  const code = codeOf(cause)
  return new PortalError(
    'DATA_DIRECTORY',
    `${path} cannot be ${action}: ${reason[code] ?? code}.`,
    'Choose another data directory, or give yourself access to this one.',
    cause,
  )
}

/** By its form, not its class: in a test runner's sandbox the errors of Node are of another realm. */
function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error'
}

import { constants } from 'node:fs'
import { access, mkdir, open, readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { CliError } from './cli-error.ts'

/** Reads a file that an option names; a missing or unreadable one is a sentence about that option. */
export async function readNamedFile(option: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new CliError(
      'FILE_UNREADABLE',
      `The file ${resolve(file)} cannot be read (${(cause as NodeJS.ErrnoException).code ?? cause}).`,
      `Check the path given with ${option}.`,
      1,
      cause,
    )
  }
}

/**
 * Makes the folder that `--out` names, before anything is made that goes into it: a key that cannot be written
 * would be lost.
 */
export async function prepareFolder(folder: string): Promise<void> {
  const path = resolve(folder)
  try {
    await mkdir(path, { recursive: true })
    await access(path, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw unwritable(path, cause)
  }
}

/** Writes a file, making its folder; `secret` ones are readable by their owner only. Returns the absolute path. */
export async function writeNamedFile(
  file: string,
  content: string | Uint8Array,
  secret = false,
): Promise<string> {
  const path = resolve(file)
  try {
    await mkdir(dirname(path), { recursive: true })
    const mode = secret ? 0o600 : 0o644
    const handle = await open(path, 'w', mode)
    try {
      // A file that was there before keeps its own mode otherwise.
      if (secret) await handle.chmod(mode)
      await handle.writeFile(content)
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw unwritable(path, cause)
  }
  return path
}

function unwritable(path: string, cause: unknown): CliError {
  return new CliError(
    'FILE_UNWRITABLE',
    `${path} cannot be written (${(cause as NodeJS.ErrnoException).code ?? cause}).`,
    'Name a folder that you may write to, with --out.',
    1,
    cause,
  )
}

/** A file inside the folder that `--out` names. */
export function inFolder(folder: string, name: string): string {
  return join(folder, name)
}

/** A path as a person would type it here: relative where it lies below the working directory. */
export function shownPath(path: string): string {
  const below = relative(process.cwd(), resolve(path))
  return below === '' || below.startsWith('..') || isAbsolute(below) ? resolve(path) : below
}

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, chmod, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { SystemError } from './system-error.ts'

/** Where each party of one system keeps its files. */
export interface DataDirectory {
  readonly path: string
  readonly portal: string
  readonly provider: string
  readonly sandbox: string
  readonly production: string
  readonly endpointsFile: string
  /** Bearer key of the provider's API. */
  readonly providerKeyFile: string
}

/** The names inside a data directory; touches nothing. */
export function dataDirectoryAt(path: string): DataDirectory {
  const root = resolve(path)
  return {
    path: root,
    portal: join(root, 'portal'),
    provider: join(root, 'provider'),
    sandbox: join(root, 'sandbox'),
    production: join(root, 'production'),
    endpointsFile: join(root, 'endpoints.json'),
    providerKeyFile: join(root, 'provider.key'),
  }
}

/** Makes the directory where it is absent (readable by its owner only) and checks that it can be used. */
export async function prepareDataDirectory(path: string): Promise<DataDirectory> {
  const directory = dataDirectoryAt(path)
  try {
    await mkdir(directory.path, { recursive: true, mode: 0o700 })
    await access(directory.path, constants.R_OK | constants.W_OK | constants.X_OK)
    for (const part of [directory.portal, directory.provider, directory.sandbox, directory.production])
      await mkdir(part, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new SystemError(
      'DATA_DIRECTORY',
      `The data directory ${directory.path} cannot be used (${reasonOf(cause)}).`,
      'Name a directory that you may write to, with --data DIR.',
      cause,
    )
  }
  return directory
}

/** Reads a secret of 32 random bytes in base64url; makes it (mode 0600) on first use. */
export async function secretIn(file: string): Promise<string> {
  try {
    const text = (await readFile(file, 'utf8')).trim()
    if (text.length >= 32) return text
    throw new SystemError(
      'DATA_DIRECTORY',
      `The key file ${file} is damaged.`,
      'Delete it; a new key is made at the next start.',
    )
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const secret = randomBytes(32).toString('base64url')
  await writeWhole(file, `${secret}\n`)
  return secret
}

/** Replaces a file in one step, durably and readable by its owner only: a crash leaves the old or the new one. */
export async function writeWhole(file: string, content: string): Promise<void> {
  const temporary = `${file}.${process.pid}.new`
  await writeFile(temporary, content, { mode: 0o600 })
  const handle = await open(temporary, 'r')
  await handle.sync().finally(() => handle.close())
  await chmod(temporary, 0o600)
  await rename(temporary, file)
  const folder = await open(dirname(file), 'r')
  await folder.sync().finally(() => folder.close())
}

function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code
  if (code === 'EACCES' || code === 'EPERM') return 'no permission'
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'it is not a directory'
  if (code === 'EROFS') return 'read-only file system'
  return code ?? String(cause)
}

import { readFileSync } from 'node:fs'
import { ArgumentError, kindOf } from '../errors.ts'

/**
 * Reads a file of credentials while a client is made, so that a wrong path fails where it was written and every
 * client that exists can send. Files of this kind have a few kilobytes.
 *
 * @throws ArgumentError with the name of the option and the path
 */
export const readCredentialFile = (field: string, path: string | URL): Buffer => {
  if (typeof path !== 'string' && !(path instanceof URL)) {
    throw new ArgumentError(field, `give a path, not ${kindOf(path)}`)
  }
  try {
    return readFileSync(path)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? 'unreadable'
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'reading it is not allowed' : code
    throw new ArgumentError(field, `cannot read ${String(path)}: ${why}`, cause)
  }
}

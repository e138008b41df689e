import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Debian puts servers where users do not look. */
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

/** Where a foreign program is; undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

export function hasProgram(name: string): boolean {
  return findProgram(name) !== undefined
}

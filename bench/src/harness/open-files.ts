import { execFileSync } from 'node:child_process'

/** Open files that a process has beside its connections. */
const others = 200

/** Each side of a connection is an open file of its process. @throws where so many are not allowed */
export function checkOpenFiles(connections: number): void {
  const needed = connections + others
  if (openFilesMax() >= needed) return
  throw new Error(`A process may open ${openFilesMax()} files here; ${needed} are needed (ulimit -n).`)
}

export function openFilesMax(): number {
  const limit = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim()
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit)
}

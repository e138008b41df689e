import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether the openssl command is here: tests that ask it are skipped, visibly, where it is not. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0

export interface OpensslRun {
  readonly status: number | null
  readonly stdout: Buffer
  readonly stderr: string
  /** Both streams, for a reader of a failed test. */
  readonly text: string
}

/** Runs openssl in a directory of its own that holds these files.. */
export function openssl(files: Record<string, string | Uint8Array>, ...parameters: string[]): OpensslRun {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-openssl-'))
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
    const run = spawnSync('openssl', parameters, { cwd: directory })
    const stderr = run.stderr.toString()
    return { status: run.status, stdout: run.stdout, stderr, text: `${run.stdout}\n${stderr}` }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A signing request as a user makes it with openssl. */
export function opensslRequest(key: readonly string[], ...more: readonly string[]): string {
  const run = openssl(
    {},
    ...['req', '-new', '-nodes', '-newkey', ...key],
    ...['-keyout', 'key.pem', '-subj', '/CN=Whoever/O=Somebody Else/emailAddress=a@example.com', ...more],
  )
  if (run.status !== 0) throw new Error(run.text)
  return run.stdout.toString()
}

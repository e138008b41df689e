import { spawnSync } from 'node:child_process'

/** The CI script, which asks for reports, installs everything: there nothing is skipped. */
export const mayBeSkipped = process.env.CARILLON_TEST_REPORTS === undefined

/** Is this program here, and does its version text match? A test that needs it skips visibly where it is not. */
export function hasProgram(program: string, version = /./): boolean {
  const asked = spawnSync(program, [program === 'openssl' ? 'version' : '--version'], { encoding: 'utf8' })
  const found = !asked.error && version.test(asked.stdout + asked.stderr)
  if (!found) console.warn(`skipped: ${program} is not installed, or lacks what is needed`)
  return found
}

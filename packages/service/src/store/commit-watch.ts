import type { DatabaseStatistics } from '@carillon/database'
import { limits } from '../limits.ts'

type Progress = Pick<DatabaseStatistics, 'commits' | 'unitsCommitting' | 'unitsWaiting'>

/**
 * Notices a database that takes writes and finishes none, for its disk hangs. Providers that wait already wait on,
 * for nobody knows whether their notifications will be on disk; further ones are told to come again.
 */
export class CommitWatch {
  readonly #progress: () => Progress
  readonly #onTrouble: (sentence: string, cause: unknown) => void
  #commits = 0
  #ticksWithout = 0
  #tickedAtMs = 0

  constructor(progress: () => Progress, onTrouble: (sentence: string, cause: unknown) => void) {
    this.#progress = progress
    this.#onTrouble = onTrouble
  }

  get isStuck(): boolean {
    return this.#ticksWithout >= limits.ticksWithoutCommitMax
  }

  /** Ticks are counted, at most one a second: a process that stood still has not waited for its disk. */
  tick(nowMs: number): void {
    if (Math.abs(nowMs - this.#tickedAtMs) < 1000) return
    this.#tickedAtMs = nowMs
    const { commits, unitsCommitting, unitsWaiting } = this.#progress()
    const moves = commits !== this.#commits || unitsCommitting + unitsWaiting === 0
    this.#commits = commits
    if (moves) {
      this.#ticksWithout = 0
    } else if (++this.#ticksWithout === limits.ticksWithoutCommitMax) {
      const sentence = `The database has finished no commit for ${limits.ticksWithoutCommitMax} s; look at its disk.`
      this.#onTrouble(sentence, undefined)
    }
  }
}

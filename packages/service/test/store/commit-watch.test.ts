import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { CommitWatch } from '../../src/store/commit-watch.ts'

function watch() {
  const progress = { commits: 0, unitsCommitting: 0, unitsWaiting: 0 }
  const troubles: string[] = []
  const commits = new CommitWatch(
    () => progress,
    (sentence) => void troubles.push(sentence),
  )
  let nowMs = 1_000_000
  const tick = (count: number) => {
    for (let index = 0; index < count; index++) {
      nowMs += 1000
      commits.tick(nowMs)
    }
  }
  return { progress, troubles, commits, tick }
}

test('a database that finishes no commit while writes wait is stuck, said once, until one is finished', () => {
  const { progress, troubles, commits, tick } = watch()
  progress.unitsCommitting = 1
  tick(limits.ticksWithoutCommitMax - 1)
  expect(commits.isStuck).toBe(false)
  tick(5)
  expect([commits.isStuck, troubles.length]).toEqual([true, 1])
  progress.commits++
  tick(1)
  expect(commits.isStuck).toBe(false)
})

test('a database with nothing to do is not stuck, however long', () => {
  const { commits, tick } = watch()
  tick(limits.ticksWithoutCommitMax * 2)
  expect(commits.isStuck).toBe(false)
})

test('ticks that come in a burst count as one', () => {
  const { progress, commits } = watch()
  progress.unitsWaiting = 1
  for (let index = 0; index < 100; index++) commits.tick(5000)
  expect(commits.isStuck).toBe(false)
})

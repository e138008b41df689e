import { expect, test } from 'vitest'
import { commandAgain, harnesses } from './fuzz/harnesses.ts'

/** What each harness may take here; `npm run fuzz` goes on for as long as it is told. */
const budgetMs = 1500

test.each(harnesses)('fuzz: $name finds nothing in its time', ({ run, name }) => {
  const endMs = performance.now() + budgetMs
  let seed = 1
  for (; seed === 1 || performance.now() < endMs; seed++) {
    try {
      run(seed)
    } catch (cause) {
      throw new Error(`Again with: ${commandAgain(name, seed)}`, { cause })
    }
  }
  expect(seed).toBeGreaterThan(1)
})

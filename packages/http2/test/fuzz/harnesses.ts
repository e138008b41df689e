import { fuzzBothEnds } from './both-ends.ts'
import { fuzzHostileClient, fuzzHostileServer } from './hostile.ts'

/** What there is to fuzz; each throws for a seed that finds a fault, and does the same again for the same seed. */
export const harnesses: readonly { readonly name: string; readonly run: (seed: number) => void }[] = [
  { name: 'both-ends', run: fuzzBothEnds },
  { name: 'hostile-client', run: fuzzHostileClient },
  { name: 'hostile-server', run: fuzzHostileServer },
]

/** The command that does the same again. */
export const commandAgain = (name: string, seed: number): string =>
  `npm run fuzz -- --harness ${name} --seed ${seed} --count 1`

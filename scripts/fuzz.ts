import { parseArgs } from 'node:util'
import { commandAgain, harnesses } from '../packages/http2/test/fuzz/harnesses.ts'

const help = `npm run fuzz -- [--harness NAME] [--seed N] [--count N] [--minutes N]

Sends random traffic through the HTTP/2 engine, seed after seed, until the time or the count is over. The first seed
that finds a fault is told, and does the same again.

  --harness NAME   ${harnesses.map(({ name }) => name).join(', ')}; all of them in turn where absent
  --seed N         the first seed; a random one where absent
  --count N        how many seeds for each harness
  --minutes N      how long in all (10)

Example: ${commandAgain('both-ends', 63)}`

const { values } = parseArgs({
  options: {
    harness: { type: 'string' },
    seed: { type: 'string' },
    count: { type: 'string' },
    minutes: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}
const chosen = harnesses.filter(({ name }) => values.harness === undefined || values.harness === name)
const first = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
const count = values.count === undefined ? Number.POSITIVE_INFINITY : Number(values.count)
const minutes = Number(values.minutes)
if (chosen.length === 0 || !Number.isSafeInteger(first) || !(count > 0) || !(minutes > 0)) {
  console.error(`That is not understood.\n\n${help}`)
  process.exit(2)
}

console.log(`Fuzzing ${chosen.map(({ name }) => name).join(', ')} from seed ${first} on …`)
const endMs = performance.now() + minutes * 60_000
let tried = 0
for (; tried < count && performance.now() < endMs; tried++) {
  for (const { name, run } of chosen) {
    try {
      run(first + tried)
    } catch (cause) {
      console.error(cause)
      console.error(`\nAgain with: ${commandAgain(name, first + tried)}`)
      process.exit(1)
    }
  }
}
console.log(`${tried} seeds for each, and nothing found.`)

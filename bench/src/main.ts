import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { machine, type Result, tableOf, writeDocument } from './harness/report.ts'
import type { Scenario } from './harness/scenario.ts'
import { clientLibrary } from './scenarios/p1-client-library.ts'
import { gateway } from './scenarios/p2-gateway.ts'
import { durableAccept } from './scenarios/p3-durable-accept.ts'
import { delivery } from './scenarios/p4-delivery.ts'
import { latency } from './scenarios/p5-latency.ts'
import { broadcast } from './scenarios/p6-broadcast.ts'
import { memory } from './scenarios/p7-memory.ts'
import { registered } from './scenarios/p9-registered.ts'
import { storm } from './scenarios/storm.ts'

const scenarios: readonly Scenario[] = [
  clientLibrary,
  gateway,
  durableAccept,
  delivery,
  latency,
  broadcast,
  memory,
  registered,
  storm,
]

const help = `npm run bench -- [P1 P2 …] [--seconds N] [--runs N] [--write]

Measures and prints a table with the peers beside us; each single measurement goes to bench/results/.

${scenarios.map(({ id, title }) => `  ${id}  ${title}`).join('\n')}

  --seconds N   how long each measurement lasts (1.5)
  --runs N      how often each is made; the median is told (3)
  --write       puts the table into docs/benchmarks.md

Example: npm run bench -- P2 --seconds 5`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '1.5' },
    runs: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}
const seconds = Number(values.seconds)
const runs = Number(values.runs)
const wanted = positionals.map((name) => name.toUpperCase())
const chosen = scenarios.filter(({ id }) => wanted.length === 0 || wanted.includes(id))
if (!(seconds > 0) || !Number.isInteger(runs) || runs < 1 || chosen.length < new Set(wanted).size) {
  console.error(`That is not understood.\n\n${help}`)
  process.exit(2)
}

const date = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
const resultsFolder = new URL('../results/', import.meta.url)
mkdirSync(resultsFolder, { recursive: true })
const folder = mkdtempSync(join(tmpdir(), 'carillon-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const startedMs = performance.now()
const results: Result[] = []
for (const scenario of chosen) results.push(await measure(scenario))

const table = tableOf(results)
const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1)
const under = `${machine()}; ${date.slice(0, 10)}, ${runs} × ${seconds} s, ${minutes} minutes in all.`
console.log(`\n${table}\n\n${under}`)
if (values.write) writeDocument(`${table}\n\n${under}`)

async function measure(scenario: Scenario): Promise<Result> {
  const { id, title } = scenario
  console.error(`${id} ${title} …`)
  const raw: object[] = []
  const rows = await scenario.run({ seconds, runs, folder, raw: (row) => raw.push(row) })
  const file = new URL(`${id}-${date}.json`, resultsFolder)
  writeFileSync(
    file,
    `${JSON.stringify({ id, title, machine: machine(), seconds, runs, rows, raw }, null, 2)}\n`,
  )
  return { id, title, rows }
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Push, PushClient } from '@carillon/apns'
import { core, ours } from '../harness/child.ts'
import { rssKiBOf } from '../harness/process-usage.ts'

const help = `npm run soak -- [--pushes N] [--seed N]

Sends pushes to a service that makes trouble all the time (GOAWAYs, cut connections, refused and reset streams), and
checks that each has exactly one result, that what was reported as accepted was accepted exactly once, and that neither
side's memory grows.

  --pushes N   how many (5,000,000)
  --seed N     of the trouble (1)

Example: npm run soak -- --pushes 500000`

const { values } = parseArgs({
  options: {
    pushes: { type: 'string', default: '5000000' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}
const pushes = Number(values.pushes)
if (!Number.isInteger(pushes) || pushes < 1000) {
  console.error(`--pushes takes a whole number from 1000.\n\n${help}`)
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'carillon-soak-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const file = (name: string) => join(folder, name)
const server = ours(
  core.server,
  'soak/server.ts',
  ...['--pushes', pushes, '--seed', values.seed],
  ...['--material', file('material.json'), '--counts', file('counts')],
)
const url = new URL(String((await server.next('ready')).url))
const { ca, ...auth } = JSON.parse(readFileSync(file('material.json'), 'utf8'))
const client = new PushClient({
  auth: { type: 'token', ...auth },
  environment: 'production',
  host: url.hostname,
  port: Number(url.port),
  ca,
  // A push whose answer was lost is reported, never repeated: so that each is accepted once at most.
  retry: { transport: false, ambiguous: { alert: 'report' } },
})

/** How often each push had a result, and whether that was an acceptance. */
const results = new Uint8Array(pushes)
const isAccepted = new Uint8Array(pushes)
const outcomes: Record<string, number> = {}
const samples: { client: number; server: number }[] = []
const sampleEvery = Math.floor(pushes / 20)

function* all(): Generator<Push> {
  const payload = { aps: { alert: 'Hello', sound: 'default' } }
  const deviceToken = 'ab'.repeat(32)
  for (let serial = 0; serial < pushes; serial++) {
    yield { deviceToken, topic: 'com.example.soak', collapseId: String(serial), payload }
  }
}

const startedMs = performance.now()
let done = 0
for await (const { index, result } of client.sendMany(all())) {
  results[index]!++
  if (result.ok) isAccepted[index] = 1
  const outcome = result.ok ? 'accepted' : `${result.outcome}: ${result.reason}`
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  if (++done % sampleEvery === 0) {
    samples.push({ client: rssKiBOf(process.pid), server: server.rssKiB() })
    const { client: mine, server: theirs } = samples.at(-1)!
    const mib = (kib: number) => `${Math.round(kib / 1024)} MiB`
    console.error(`${done.toLocaleString('en-US')} done; client ${mib(mine)}, server ${mib(theirs)}`)
  }
}
const seconds = (performance.now() - startedMs) / 1000
await client.close()
await server.stop()
const trouble = JSON.parse(server.text.trim().split('\n').at(-1)!)
const counts = readFileSync(file('counts'))

const faults: string[] = []
const check = (what: string, serials: number) => {
  if (serials > 0) faults.push(`${serials} pushes ${what}`)
}
const countOf = (test: (serial: number) => boolean): number => {
  let found = 0
  for (let serial = 0; serial < pushes; serial++) if (test(serial)) found++
  return found
}
check(
  'have not exactly one result',
  countOf((serial) => results[serial] !== 1),
)
check(
  'were reported as accepted and were not',
  countOf((serial) => isAccepted[serial] === 1 && counts[serial] === 0),
)
check(
  'were accepted more than once',
  countOf((serial) => counts[serial]! > 1),
)
check('broke the protocol', trouble.protocolErrors)
// The first fifth is warming up; from there on nothing may grow by more than a quarter.
for (const side of ['client', 'server'] as const) {
  const sizes = samples.slice(samples.length / 5).map((sample) => sample[side])
  const growth = Math.max(...sizes.slice(sizes.length / 2)) / Math.max(...sizes.slice(0, sizes.length / 2))
  if (growth > 1.25) faults.push(`the ${side}'s memory grew ${growth.toFixed(2)} times`)
}
console.log(JSON.stringify({ pushes, seconds: Math.round(seconds), outcomes, trouble, faults }, null, 2))
process.exit(faults.length === 0 ? 0 : 1)

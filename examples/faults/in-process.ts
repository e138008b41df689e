// Trouble on purpose in the process of a test: every answer is late, by a time that the seed decides.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSystem } from '@carillon/system'

const dataDir = await mkdtemp(join(tmpdir(), 'carillon-'))

const system = await startSystem({ dataDir, ports: 'auto' })
system.faults.sandbox.set({
  seed: 7,
  rules: [{ id: 'slow', fault: { kind: 'latency', ms: 20, msMax: 200 } }],
})
const [rule] = system.faults.sandbox.list()
console.log(`${rule?.id} on ${rule?.where}, met ${rule?.counters.hits} times`)

await system.close()
await rm(dataDir, { recursive: true })

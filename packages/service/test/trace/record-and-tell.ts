/*
 * Run as a process of its own, to be killed: traces notifications and writes to stdout how many of them were written,
 * again and again. It stops before the journal is full, and waits: what is deleted by size would look as if it were lost.
 *
 *   node record-and-tell.ts DIRECTORY
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf, TraceWorld } from './trace-world.ts'

const world = new TraceWorld(process.argv[2]!, () => {})
const { trace, journal } = await world.open({ bytesMax: 2 * 1024 * 1024 })
let recorded = 0
// Within the size, and with a segment that is not finished.
for (let round = 0; round < 34; round++) {
  for (let count = 0; count < 700; count++) trace.received(messageOf(recorded++), '')
  const before = recorded
  await journal!.files.flush()
  process.stdout.write(`${before}\n`)
  await nextTurn()
}
setInterval(() => {}, 60_000)

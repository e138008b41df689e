import { constants, setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { dialAll } from './dial-all.ts'
import { LoadDevice, LoadFleet } from './load-device.ts'
import { print } from './print.ts'

/**
 * Devices that all lose their connection at once and come back as real ones do: after a wait that is drawn between 0 and
 * a bound, which doubles with each attempt that fails. Opens all, prints `{ event: 'connected' }`, and for each line on
 * stdin makes a storm of them, which ends with the same event and how long it took.
 *
 *     node bench/src/clients/courier-storm.ts --devices-file DIR/devices.json --from 500
 */
/** As our device waits, see `reconnectMsMin` of its limits. */
const firstBoundMs = 1000

const { values } = parseArgs({
  options: { 'devices-file': { type: 'string' }, from: { type: 'string', default: '0' } },
})
if (values['devices-file'] === undefined) throw new Error('--devices-file FILE says which devices to play')
const fleet = new LoadFleet(values['devices-file'])
const indexes = Array.from({ length: fleet.size - Number(values.from) }, (_, at) => at + Number(values.from))

process.once('SIGTERM', () => process.exit(0))
const openedMs = performance.now()
let devices = await dialAll(indexes.length, (at) => LoadDevice.open(fleet, indexes[at]!))
printConnected(openedMs, devices.length)
// Handshakes cost this side as much as the other: they must not disturb the clock of whoever measures meanwhile.
setPriority(constants.priority.PRIORITY_LOW)
for await (const _line of createInterface({ input: process.stdin })) {
  for (const device of devices) device.end()
  devices = await allBack()
}

async function allBack(): Promise<LoadDevice[]> {
  const startedMs = performance.now()
  let attempts = 0
  const connected = await Promise.all(indexes.map(untilConnected))
  printConnected(startedMs, attempts)
  return connected

  async function untilConnected(index: number): Promise<LoadDevice> {
    for (let boundMs = firstBoundMs; ; boundMs *= 2) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * boundMs))
      attempts++
      // The service refuses who comes too fast.
      const device = await LoadDevice.open(fleet, index).catch(() => undefined)
      if (device !== undefined) return device
    }
  }
}

function printConnected(sinceMs: number, attempts: number): void {
  const seconds = (performance.now() - sinceMs) / 1000
  print({ event: 'connected', devices: indexes.length, attempts, seconds })
}

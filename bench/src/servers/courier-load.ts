import { parseArgs } from 'node:util'
import { dialAll, LoadDevice, LoadFleet } from '../clients/load-device.ts'

/**
 * Many plain devices in one process: each connects over TLS, gets its token and acknowledges what comes. Light on
 * purpose, so that the courier is what is measured. Prints a JSON line when all have their token, and one on SIGTERM or
 * when `--expect` notifications have come.
 *
 *     node bench/src/servers/courier-load.ts --devices-file DIR/devices.json
 */
const { values } = parseArgs({
  options: {
    'devices-file': { type: 'string' },
    /** Connections that shake hands at the same time. */
    dialing: { type: 'string', default: '16' },
    /** Ends when so many notifications have come; 0 for never. */
    expect: { type: 'string', default: '0' },
  },
})
if (values['devices-file'] === undefined) throw new Error('--devices-file FILE says which devices to play')
const fleet = new LoadFleet(values['devices-file'])
const expected = Number(values.expect)

let registered = 0
let notifications = 0
let lost = 0
/** From the time that the service stamps into each notification to here: one clock, one machine. */
const latencies: number[] = []
let startUsage = process.resourceUsage()
const devices: LoadDevice[] = []

const dial = (index: number): Promise<void> =>
  new Promise((resolve) => {
    const device = new LoadDevice(fleet, index, {
      onToken() {
        registered++
        resolve()
      },
      onNotification({ sentAtNs }) {
        notifications++
        if (sentAtNs !== undefined) latencies.push(Date.now() - Number(sentAtNs / 1_000_000n))
        // Once what has come in this turn is acknowledged.
        if (expected > 0 && notifications === expected) setImmediate(finish)
      },
      onLost() {
        lost++
        resolve()
      },
    })
    devices.push(device)
  })

let isFinished = false
function finish(): void {
  if (isFinished) return
  isFinished = true
  const usage = process.resourceUsage()
  latencies.sort((left, right) => left - right)
  print({
    event: 'received',
    notifications,
    lost,
    latencyMsP50: latencies[latencies.length >> 1],
    latencyMsP99: latencies[Math.floor(latencies.length * 0.99)],
    userSeconds: (usage.userCPUTime - startUsage.userCPUTime) / 1e6,
    systemSeconds: (usage.systemCPUTime - startUsage.systemCPUTime) / 1e6,
    rssKiBMax: usage.maxRSS,
  })
  // What was acknowledged last leaves before the connections end.
  for (const device of devices) device.end()
}
process.once('SIGTERM', finish)

const startMs = performance.now()
await dialAll(fleet.size, Number(values.dialing), dial)
const seconds = (performance.now() - startMs) / 1000
print({ event: 'registered', devices: registered, lost, connectsPerSecond: Math.round(registered / seconds) })
startUsage = process.resourceUsage()

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

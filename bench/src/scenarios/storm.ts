import { join } from 'node:path'
import { core, ours } from '../harness/child.ts'
import { type DeliverySide, measureDelivery } from '../harness/delivery-pair.ts'
import { checkOpenFiles } from '../harness/open-files.ts'
import { startBenchService } from '../harness/push-service.ts'
import { median, type Row, type Scenario, type Settings } from '../harness/scenario.ts'

const stormDevices = Number(process.env.BENCH_DEVICES ?? 2000)
const calmDevices = 200
const perSecond = 500
/** A storm of so many takes five seconds at the service's own rate; the latency is that of this time. */
const stormSeconds = Math.max(2, stormDevices / 400)

interface Storm {
  readonly quietMsP99: number
  readonly msP99: number
  readonly backSeconds: number
  readonly grownMiB: number
}

/** What a provider and the devices that are connected notice of many others that all come back at once. */
export const storm: Scenario = {
  id: 'STORM',
  title: 'A storm of reconnects beside provider traffic',
  async run(settings) {
    checkOpenFiles(stormDevices + calmDevices)
    const storms = await measureStorms(settings)
    const of = (figure: keyof Storm) => median(storms.map((one) => one[figure]))
    const setting = `${stormDevices.toLocaleString('en-US')} devices come back, ${perSecond} pushes/s to others`
    const alone = { setting, isMoreBetter: false, peer: '', theirs: undefined }
    return [
      {
        setting,
        measure: 'ms from send to device, p99',
        isMoreBetter: false,
        ours: of('msP99'),
        peer: 'ours, quiet',
        theirs: of('quietMsP99'),
      },
      { ...alone, measure: 's until all are back', ours: of('backSeconds') },
      { ...alone, measure: 'MiB more after the storm', ours: of('grownMiB') },
    ] satisfies Row[]
  },
}

async function measureStorms({ folder, runs, seconds, raw }: Settings): Promise<Storm[]> {
  const service = await startBenchService({
    ...{ folder: join(folder, 'storm'), devices: stormDevices + calmDevices },
    handshakes: 0,
  })
  const load = ours(
    core.load,
    'clients/courier-pushes.ts',
    ...['--devices-file', service.files.devices, '--devices', calmDevices],
    ...['--material', service.writeMaterial('client'), '--port', service.port],
  )
  await load.next('registered')
  const side: DeliverySide = { name: 'Carillon', service: service.child, load }
  const crowd = ours(
    core.load,
    'clients/courier-storm.ts',
    ...['--devices-file', service.files.devices, '--from', calmDevices],
  )
  await crowd.next('connected')
  await measureDelivery(side, { perSecond, seconds })
  const storms: Storm[] = []
  for (let run = 0; run < runs; run++) {
    const quiet = await measureDelivery(side, { perSecond, seconds: Math.max(2, seconds) })
    const beforeKiB = service.child.rssKiB()
    crowd.send({ event: 'storm' })
    const [during, back] = await Promise.all([
      measureDelivery(side, { perSecond, seconds: stormSeconds }),
      crowd.next('connected'),
    ])
    const one: Storm = {
      quietMsP99: quiet.msP99,
      msP99: during.msP99,
      backSeconds: back.seconds as number,
      grownMiB: (service.child.rssKiB() - beforeKiB) / 1024,
    }
    raw({ scenario: 'STORM', ...one, attempts: back.attempts, msP50: during.msP50, quietMsP50: quiet.msP50 })
    storms.push(one)
  }
  for (const child of [crowd, load, service.child]) await child.stop()
  return storms
}

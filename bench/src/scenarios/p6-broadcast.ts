import { join } from 'node:path'
import { type Child, core, ours } from '../harness/child.ts'
import { startMosquitto } from '../harness/mosquitto.ts'
import { checkOpenFiles } from '../harness/open-files.ts'
import { startBenchService } from '../harness/push-service.ts'
import { median, type Row, type Scenario, type Settings } from '../harness/scenario.ts'

const deviceCount = Number(process.env.BENCH_DEVICES ?? 10_000)
/** Messages of one run; the first ones warm up. */
const messages = { warmUp: 3, counted: 9 }

/** One message to everybody who listens: how long until the last device has it, and what it costs the server. */
export const broadcast: Scenario = {
  id: 'P6',
  title: 'Broadcast to 10,000 devices',
  async run(settings) {
    checkOpenFiles(deviceCount)
    const own = await measureOurs(settings)
    const rows: Row[] = []
    for (const qos of [1, 0]) {
      const theirs = await measureMosquitto(settings, qos)
      const setting = `${deviceCount.toLocaleString('en-US')} devices`
      const row = (measure: string, at: keyof Reach): Row => ({
        ...{ setting, measure, isMoreBetter: false, ours: own[at] },
        ...{ peer: `mosquitto, QoS ${qos}`, theirs: theirs?.[at] },
      })
      rows.push(row('ms until the last one has it', 'ms'), row('CPU ms of the server', 'cpuMs'))
    }
    return rows
  },
}

interface Reach {
  readonly ms: number
  readonly cpuMs: number
}

async function measureOurs(settings: Settings): Promise<Reach> {
  const service = await startBenchService({ folder: join(settings.folder, 'p6'), devices: deviceCount })
  const load = ours(
    core.load,
    'clients/courier-broadcasts.ts',
    ...['--devices-file', service.files.devices],
    ...['--material', service.writeMaterial('client'), '--port', service.port],
  )
  return measure('Carillon', service.child, load, settings)
}

async function measureMosquitto(settings: Settings, qos: number): Promise<Reach | undefined> {
  const broker = await startMosquitto(settings.folder)
  if (broker === undefined) return undefined
  const load = ours(
    core.load,
    'clients/mqtt-broadcasts.ts',
    ...['--port', broker.port, '--devices', deviceCount, '--qos', qos],
  )
  return measure(`mosquitto, QoS ${qos}`, broker.child, load, settings)
}

async function measure(name: string, server: Child, load: Child, { raw }: Settings): Promise<Reach> {
  await load.next('registered')
  const reach = async (): Promise<number> => {
    load.send({ event: 'publish' })
    return Number((await load.next('reached')).ms)
  }
  for (let count = 0; count < messages.warmUp; count++) await reach()
  const times: number[] = []
  const cpuBefore = server.cpuSeconds()
  for (let count = 0; count < messages.counted; count++) times.push(await reach())
  const cpuMs = ((server.cpuSeconds() - cpuBefore) * 1000) / messages.counted
  raw({ scenario: 'P6', server: name, deviceCount, times, cpuMs })
  await load.stop()
  await server.stop()
  return { ms: median(times), cpuMs }
}

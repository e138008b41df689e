import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, core, ours } from '../harness/child.ts'
import { startMosquitto } from '../harness/mosquitto.ts'
import { checkOpenFiles } from '../harness/open-files.ts'
import { startBenchService } from '../harness/push-service.ts'
import type { Row, Scenario, Settings } from '../harness/scenario.ts'

const deviceCount = Number(process.env.BENCH_DEVICES ?? 2000)
const stormCount = 5
/** Both sides give back in a few seconds what they give back at all. */
const settleMs = 4000

/** Where Debian, Fedora and Alpine put it. */
const jemallocFiles = [
  '/usr/lib/x86_64-linux-gnu/libjemalloc.so.2',
  '/usr/lib/aarch64-linux-gnu/libjemalloc.so.2',
  '/usr/lib64/libjemalloc.so.2',
  '/usr/lib/libjemalloc.so.2',
]

/** Resident memory of the server for each idle device, and for each after everybody has reconnected five times. */
export const memory: Scenario = {
  id: 'P7',
  title: 'Memory per idle device',
  async run(settings) {
    checkOpenFiles(deviceCount)
    const own = await measureOurs(settings, 'p7', {})
    const jemalloc = jemallocFiles.find((file) => existsSync(file))
    const beside = { LD_PRELOAD: jemalloc ?? '', MALLOC_CONF: 'dirty_decay_ms:0,muzzy_decay_ms:0' }
    const ownBeside = jemalloc === undefined ? undefined : await measureOurs(settings, 'p7-jemalloc', beside)
    const theirs = await measureMosquitto(settings)
    const setting = `${deviceCount.toLocaleString('en-US')} idle devices over TLS`
    const row = (name: string, at: keyof Idle, idle: Idle = own): Row => ({
      setting: name,
      measure: 'KiB resident each',
      isMoreBetter: false,
      ours: idle[at],
      peer: 'mosquitto',
      theirs: theirs?.[at],
    })
    const after = `after ${stormCount} storms of reconnects`
    const rows = [row(setting, 'first'), row(after, 'afterStorms')]
    if (ownBeside === undefined) return rows
    return [
      ...rows,
      row(`${setting}, jemalloc`, 'first', ownBeside),
      row(`${after}, jemalloc`, 'afterStorms', ownBeside),
    ]
  },
}

interface Idle {
  /** KiB for each connection. */
  readonly first: number
  readonly afterStorms: number
}

async function measureOurs(
  settings: Settings,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<Idle> {
  const folder = join(settings.folder, name)
  const service = await startBenchService({ folder, devices: deviceCount, env })
  const emptyKiB = await settledRss(service.child)
  const load = ours(core.load, 'clients/courier-idle.ts', '--devices-file', service.files.devices)
  return measure('Carillon', service.child, load, emptyKiB, settings)
}

async function measureMosquitto(settings: Settings): Promise<Idle | undefined> {
  const broker = await startMosquitto(settings.folder)
  if (broker === undefined) return undefined
  const emptyKiB = await settledRss(broker.child)
  const load = ours(core.load, 'clients/mqtt-idle.ts', '--port', broker.port, '--devices', deviceCount)
  return measure('mosquitto', broker.child, load, emptyKiB, settings)
}

async function measure(
  server: string,
  child: Child,
  load: Child,
  emptyKiB: number,
  { raw }: Settings,
): Promise<Idle> {
  const each = async (): Promise<number> => {
    await load.next('connected')
    return ((await settledRss(child)) - emptyKiB) / deviceCount
  }
  const first = await each()
  let afterStorms = first
  for (let storm = 0; storm < stormCount; storm++) {
    load.send({ event: 'storm' })
    afterStorms = await each()
  }
  raw({ scenario: 'P7', server, deviceCount, emptyKiB, first, afterStorms })
  await load.stop()
  await child.stop()
  return { first, afterStorms }
}

async function settledRss(child: Child): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, settleMs))
  return child.rssKiB()
}

import { setTimeout } from 'node:timers/promises'
import { type Environment, environments } from '@carillon/wire'
import { adminCall } from '../admin-call.ts'
import { usageError } from '../cli-error.ts'
import { command, wholeNumber } from '../command.ts'
import { type Overview, overviewOf, overviewTable, type Snapshot } from '../overview.ts'
import { untilStopped } from '../until-stopped.ts'

interface TopOptions {
  data: string
  every: number
  count?: number
}

export const topCommand = command<TopOptions>(
  'top',
  'Show what the push service does right now, again and again, until SIGTERM.',
  'carillon top --data ./data --every 2',
  async ({ data, every, count = Number.POSITIVE_INFINITY }, output) => {
    if (every < 1) throw usageError('--every 0 is no time.', 'Give whole seconds, from 1.')
    const stop = new AbortController()
    void untilStopped().then(() => stop.abort())
    const sinceMs = Date.now()
    let before = await Promise.all(environments.map((environment) => snapshot(data, environment, sinceMs)))
    for (let told = 0; told < count; told++) {
      await setTimeout(every * 1000, undefined, { signal: stop.signal }).catch(() => undefined)
      // Asked to stop, the command ends at once.
      if (stop.signal.aborted) return
      const now = await Promise.all(environments.map((environment) => snapshot(data, environment, sinceMs)))
      const overviews: Overview[] = now.map((each, at) => overviewOf(before[at], each))
      before = now
      const at = new Date().toISOString()
      output.result({ at, environments: overviews }, `${clear()}${at}\n${overviewTable(overviews)}`)
    }
  },
)
  .requiredOption('--data <dir>', 'data directory of the running system')
  .option('--every <seconds>', 'how often', wholeNumber, 2)
  .option('--count <times>', 'end after so many', wholeNumber)

async function snapshot(data: string, environment: Environment, sinceMs: number): Promise<Snapshot> {
  const from = encodeURIComponent(new Date(sinceMs).toISOString())
  const [metrics, connections] = await Promise.all([
    adminCall<{ total: Metrics }>(data, environment, 'GET', `/v1/metrics?from=${from}`),
    adminCall<Connections>(data, environment, 'GET', '/v1/connections?limit=0'),
  ])
  const { rejected, ...totals } = metrics.total
  return {
    environment,
    atMs: Date.now(),
    providers: connections.providers.count,
    devices: connections.devices.count,
    totals: { ...totals, rejected: Object.values(rejected).reduce((sum, each) => sum + each, 0) },
  }
}

type Metrics = { readonly [name: string]: number } & { readonly rejected: Readonly<Record<string, number>> }
interface Connections {
  readonly providers: { readonly count: number }
  readonly devices: { readonly count: number }
}

/** On a terminal each table takes the place of the one before. */
function clear(): string {
  return process.stdout.isTTY ? '\x1b[2J\x1b[H' : ''
}

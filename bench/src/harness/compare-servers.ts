import { type GatewayPair, h2loadOn, ownClientOn } from './gateway.ts'
import type { StaticServer } from './nghttpd.ts'
import { interleaved, type Row, rowsOf, type Settings } from './scenario.ts'

/** How a pair of servers is loaded. */
export interface Load {
  readonly setting: string
  /** h2load's, or our own client where absent. */
  readonly h2load?: {
    readonly connections: number
    readonly streams: number
    readonly isManyTokens?: boolean
  }
}

/** The same load on our gateway and on the static server beside it, in turn. */
export async function compareServers(
  scenario: string,
  pair: GatewayPair,
  loads: readonly Load[],
  settings: Settings,
): Promise<Row[]> {
  const { runs, seconds } = settings
  const rows: Row[] = []
  for (const { setting, h2load } of loads) {
    if (h2load !== undefined && !pair.hasH2load) continue
    const servers = [pair.gateway, ...(pair.peer === undefined ? [] : [pair.peer])]
    const samples = await interleaved(runs, servers, async (server: StaticServer) => {
      const sample = await (h2load === undefined
        ? ownClientOn(pair, server, seconds)
        : h2loadOn(pair, server, seconds, h2load))
      settings.raw({ scenario, setting, server: server === pair.gateway ? 'Carillon' : 'nghttpd', ...sample })
      return sample
    })
    const theirs = pair.peer && samples.get(pair.peer)
    rows.push(...rowsOf(setting, 'requests', samples.get(pair.gateway)!, 'nghttpd, static', theirs))
  }
  return rows
}

import { join } from 'node:path'
import { compareServers } from '../harness/compare-servers.ts'
import { startGatewayPair } from '../harness/gateway.ts'
import type { Scenario } from '../harness/scenario.ts'

/** The gateway with everything validated and the accepted ones counted, beside a static answer. */
export const gateway: Scenario = {
  id: 'P2',
  title: 'Gateway accepting',
  async run(settings) {
    const pair = await startGatewayPair({
      folder: join(settings.folder, 'p2'),
      isStored: false,
      tokens: 1000,
    })
    const many = { connections: 16, streams: 100, isManyTokens: true }
    const loads = [
      { setting: 'h2load -c1 -m1000, one token', h2load: { connections: 1, streams: 1000 } },
      { setting: 'h2load -c16 -m100, one token', h2load: { connections: 16, streams: 100 } },
      { setting: 'h2load -c16 -m100, 1000 tokens', h2load: many },
      { setting: 'h2load -c64 -m1, 1000 tokens', h2load: { ...many, connections: 64, streams: 1 } },
      { setting: 'our client, 1000 in flight, 1000 tokens' },
    ]
    const rows = await compareServers('P2', pair, loads, settings)
    await pair.stop()
    return rows
  },
}

import { join } from 'node:path'
import { compareServers } from '../harness/compare-servers.ts'
import { startGatewayPair } from '../harness/gateway.ts'
import type { Scenario } from '../harness/scenario.ts'

/** Accepting for devices that are away: 200 only when the notification is on the disk, by the inbox rule. */
export const durableAccept: Scenario = {
  id: 'P3',
  title: 'Durable accept',
  async run(settings) {
    const pair = await startGatewayPair({ folder: join(settings.folder, 'p3'), isStored: true, tokens: 5000 })
    const many = { connections: 1, streams: 1000, isManyTokens: true }
    const loads = [
      { setting: 'our client, 1000 in flight, 5000 devices' },
      { setting: 'h2load -c1 -m1000, 5000 devices', h2load: many },
      { setting: 'h2load -c16 -m100, 5000 devices', h2load: { ...many, connections: 16, streams: 100 } },
    ]
    const rows = await compareServers('P3', pair, loads, settings)
    await pair.stop()
    return rows
  },
}

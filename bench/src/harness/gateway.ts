import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { devicePath, header } from '@carillon/wire'
import { core, ours } from './child.ts'
import { type H2loadOptions, measureWithH2load } from './h2load.ts'
import { type StaticServer, startNghttpd } from './nghttpd.ts'
import { hasProgram } from './programs.ts'
import { startBenchService } from './push-service.ts'
import type { Sample } from './scenario.ts'

/** Our push service and the static server that it is compared with, and what h2load sends to both. */
export interface GatewayPair {
  readonly gateway: StaticServer
  readonly peer: StaticServer | undefined
  /** One path, the same for both. */
  readonly onePath: string
  readonly uriFile: string
  readonly headers: Readonly<Record<string, string>>
  readonly bodyFile: string
  readonly hasH2load: boolean
  /** For our own client: every token in turn, and one alone for the static server. */
  readonly materialFile: string
  readonly materialOfOneFile: string
  stop(): Promise<void>
}

export interface GatewayPairOptions {
  readonly folder: string
  /** Whether pushes have a life, so that each is on the disk before its 200; else they are one attempt. */
  readonly isStored: boolean
  /** Registered devices, all away. */
  readonly tokens: number
}

/** What h2load sends; the numbers in our own client's payloads make them as long. */
const body = JSON.stringify({ aps: { alert: 'Hello number 123456', sound: 'default' } })

export async function startGatewayPair(options: GatewayPairOptions): Promise<GatewayPair> {
  const { folder, isStored, tokens } = options
  const service = await startBenchService({ folder, tokens })
  const { child, port, material, topic, providerToken } = service
  const firstToken = material.deviceToken
  const onePath = devicePath(firstToken)
  const peer = await startNghttpd(folder, onePath, service.files)
  const expiration = isStored ? Math.floor(Date.now() / 1000) + 86_400 : 0
  const bodyFile = join(folder, 'body.json')
  writeFileSync(bodyFile, body)
  return {
    gateway: { child, port },
    peer,
    ...{ onePath, uriFile: service.files.uris, bodyFile },
    materialFile: service.writeMaterial('client', { expiration }),
    materialOfOneFile: service.writeMaterial('client-of-one', { expiration, deviceTokens: [firstToken] }),
    hasH2load: hasProgram('h2load'),
    headers: {
      [header.authorization]: `bearer ${providerToken}`,
      [header.apnsTopic]: topic,
      [header.apnsPushType]: 'alert',
      [header.apnsPriority]: '10',
      [header.apnsExpiration]: String(expiration),
    },
    async stop() {
      await Promise.all([child.stop(), peer?.child.stop()])
    },
  }
}

export interface H2loadShape {
  readonly connections: number
  readonly streams: number
  /** Every token in turn instead of one; the static server has one path only. */
  readonly isManyTokens?: boolean
}

/** The same h2load command for either side. */
export function h2loadOn(
  pair: GatewayPair,
  server: StaticServer,
  seconds: number,
  shape: H2loadShape,
): Promise<Sample> {
  const { connections, streams, isManyTokens = false } = shape
  const isGateway = server === pair.gateway
  const options: H2loadOptions = {
    ...{ connections, streams, bodyFile: pair.bodyFile, headers: pair.headers },
    uri: `https://127.0.0.1:${server.port}${pair.onePath}`,
    ...(isManyTokens && isGateway ? { uriFile: pair.uriFile } : {}),
  }
  return measureWithH2load(server.child, seconds, options)
}

/** Our own client with 1000 pushes in flight: many tokens to the gateway, one to the static server. */
export async function ownClientOn(pair: GatewayPair, server: StaticServer, seconds: number): Promise<Sample> {
  const material = server === pair.gateway ? pair.materialFile : pair.materialOfOneFile
  const url = `https://localhost:${server.port}`
  const client = ours(
    core.load,
    'clients/carillon.ts',
    ...['--url', url, '--material', material, '--seconds', seconds, '--concurrency', 1000],
  )
  await client.next('counting')
  const cpuBefore = server.child.cpuSeconds()
  const counted = (await client.next('sent')) as unknown as { sent: number; ok: number; seconds: number }
  const cpu = server.child.cpuSeconds() - cpuBefore
  await client.ended()
  const { sent, ok } = counted
  if (ok < sent) throw new Error(`${sent - ok} of ${sent} pushes of our own client were not accepted.`)
  return { perSecond: sent / counted.seconds, cpuPer100k: (cpu / sent) * 100_000 }
}

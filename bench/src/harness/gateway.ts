import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { devicePath, header } from '@carillon/wire'
import type { Material } from '../clients/run.ts'
import { core, ours } from './child.ts'
import { type H2loadOptions, measureWithH2load } from './h2load.ts'
import { type StaticServer, startNghttpd } from './nghttpd.ts'
import { hasProgram } from './programs.ts'
import type { Sample } from './scenario.ts'

/** A gateway and the static server that it is compared with, and what h2load sends to both. */
export interface GatewayPair {
  readonly gateway: StaticServer
  readonly peer: StaticServer | undefined
  /** One path, the same for both. */
  readonly onePath: string
  readonly uriFile: string
  readonly headers: Readonly<Record<string, string>>
  readonly bodyFile: string
  readonly hasH2load: boolean
  /** For our own client. */
  readonly materialFile: string
  stop(): Promise<void>
}

export interface GatewayPairOptions {
  readonly folder: string
  readonly delivery: 'count' | 'store'
  readonly tokens: number
}

/** What h2load sends; the numbers in our own client's payloads make them as long. */
const body = JSON.stringify({ aps: { alert: 'Hello number 123456', sound: 'default' } })

export async function startGatewayPair(options: GatewayPairOptions): Promise<GatewayPair> {
  const { delivery, tokens } = options
  const folder = join(options.folder, `gateway-${delivery}`)
  const child = ours(
    core.server,
    'servers/gateway-server.ts',
    ...['--data', folder, '--tokens', tokens, '--delivery', delivery],
  )
  const ready = (await child.next('ready')) as unknown as Ready
  const deviceTokens = readFileSync(ready.files.tokens, 'utf8').trim().split('\n')
  const firstToken = deviceTokens[0]!
  const onePath = devicePath(firstToken)
  const peer = await startNghttpd(folder, onePath, ready.files)
  // What is to be stored has a life; what is only counted is one attempt.
  const expiration = delivery === 'store' ? Math.floor(Date.now() / 1000) + 86_400 : 0
  const bodyFile = join(folder, 'body.json')
  writeFileSync(bodyFile, body)
  const { keyId, teamId, topic } = ready
  const material: Material = {
    ...{ ca: readFileSync(ready.files.ca, 'utf8'), privateKey: ready.signingKey },
    ...{ keyId, teamId, topic, deviceToken: firstToken, deviceTokens, expiration },
  }
  const materialFile = join(folder, 'material.json')
  writeFileSync(materialFile, JSON.stringify(material), { mode: 0o600 })
  const materialOfOne = { ...material, deviceTokens: [firstToken] }
  writeFileSync(oneToken(materialFile), JSON.stringify(materialOfOne), { mode: 0o600 })
  return {
    gateway: { child, port: ready.port },
    peer,
    ...{ onePath, uriFile: ready.files.uris, bodyFile, materialFile },
    hasH2load: hasProgram('h2load'),
    headers: {
      [header.authorization]: `bearer ${ready.providerToken}`,
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
  const material = server === pair.gateway ? pair.materialFile : oneToken(pair.materialFile)
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

const oneToken = (materialFile: string): string => materialFile.replace('.json', '-one-token.json')

interface Ready {
  readonly port: number
  readonly topic: string
  readonly teamId: string
  readonly keyId: string
  readonly signingKey: string
  readonly providerToken: string
  readonly files: Readonly<Record<'ca' | 'cert' | 'key' | 'uris' | 'tokens', string>>
}

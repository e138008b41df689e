import { join } from 'node:path'
import { core, ours } from '../harness/child.ts'
import {
  interleaved,
  type Row,
  rowsOf,
  type Sample,
  type Scenario,
  type Settings,
} from '../harness/scenario.ts'

const clients = [
  { file: 'carillon', name: 'Carillon' },
  { file: 'node-apn', name: '@parse/node-apn' },
  { file: 'apns2', name: 'apns2' },
  { file: 'node-http2', name: 'node:http2 by hand' },
  { file: 'compat-node-apn', name: 'Carillon in place of @parse/node-apn' },
  { file: 'compat-apns2', name: 'Carillon in place of apns2' },
] as const

const depths = [1000, 100, 10] as const

/** Client libraries, a promise awaited for each push, against one fast server that checks nothing. */
export const clientLibrary: Scenario = {
  id: 'P1',
  title: 'Client library',
  async run(settings) {
    const material = join(settings.folder, 'p1-material.json')
    const server = ours(core.server, 'servers/apns-like-server.ts', '--material', material)
    const { url } = await server.next('ready')
    const rows: Row[] = []
    for (const depth of depths) rows.push(...(await compare(settings, depth, String(url), material)))
    await server.stop()
    return rows
  },
}

async function compare(settings: Settings, depth: number, url: string, material: string): Promise<Row[]> {
  // The slow ones need no longer: what counts is how often each one's path runs, and they are measured thrice.
  const samples = await interleaved(settings.runs, clients, async ({ file, name }) => {
    const given = [
      '--url',
      url,
      '--material',
      material,
      '--concurrency',
      depth,
      '--seconds',
      settings.seconds,
    ]
    const sample = await runClient(file, given)
    settings.raw({ scenario: 'P1', inFlight: depth, client: name, ...sample })
    return sample
  })
  const [own, ...peers] = clients
  return peers.flatMap((peer) =>
    rowsOf(`${depth} in flight`, 'pushes', samples.get(own)!, peer.name, samples.get(peer)),
  )
}

/** Runs a client to its end; all that it sends must be accepted. */
export async function runClient(file: string, given: readonly (string | number)[]): Promise<Sample> {
  const client = ours(core.load, `clients/${file}.ts`, ...given)
  const { sent, ok, seconds, cpuSeconds } = (await client.next('sent')) as unknown as Sent
  await client.ended()
  if (ok < sent) throw new Error(`${file}: ${sent - ok} of ${sent} pushes were not accepted.`)
  return { perSecond: sent / seconds, cpuPer100k: (cpuSeconds / sent) * 100_000 }
}

interface Sent {
  readonly sent: number
  readonly ok: number
  readonly seconds: number
  readonly cpuSeconds: number
}

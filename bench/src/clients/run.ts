import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** What the service wrote for its clients. */
export interface Material {
  readonly ca: string
  readonly keyId: string
  readonly teamId: string
  readonly privateKey: string
  readonly topic: string
  readonly deviceToken: string
}

export interface Arguments {
  readonly url: URL
  readonly material: Material
  readonly concurrency: number
}

/** A client under measurement. */
export interface Client {
  /** Sends push `n`; resolves with whether it was accepted. */
  send(n: number): Promise<boolean>
  close(): unknown
}

/**
 * Runs one client: a tenth of the pushes to warm up, then all of them with so many awaited at a time. Prints
 * `{ sent, ok, seconds, cpuSeconds }`.
 *
 *     node bench/src/clients/carillon.ts --url https://127.0.0.1:PORT --material FILE --count N --concurrency C
 */
export const run = async (open: (given: Arguments) => Client | Promise<Client>): Promise<void> => {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      material: { type: 'string' },
      count: { type: 'string', default: '100000' },
      concurrency: { type: 'string', default: '1000' },
    },
  })
  if (values.url === undefined || values.material === undefined) throw new Error('give --url and --material')
  const count = Number(values.count)
  const concurrency = Number(values.concurrency)
  const material: Material = JSON.parse(readFileSync(values.material, 'utf8'))
  const client = await open({ url: new URL(values.url), material, concurrency })
  await sendAll(client, Math.ceil(count / 10), concurrency)

  const cpu = process.cpuUsage()
  const started = performance.now()
  const ok = await sendAll(client, count, concurrency)
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  console.log(JSON.stringify({ sent: count, ok, seconds, cpuSeconds: (user + system) / 1e6 }))
  await client.close()
  process.exit(0)
}

const sendAll = async (client: Client, count: number, concurrency: number): Promise<number> => {
  let next = 0
  let ok = 0
  const worker = async (): Promise<void> => {
    while (next < count) if (await client.send(next++)) ok += 1
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker))
  return ok
}

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { print } from './print.ts'

/** What the service wrote for its clients. */
export interface Material {
  readonly ca: string
  readonly keyId: string
  readonly teamId: string
  readonly privateKey: string
  readonly topic: string
  readonly deviceToken: string
  /** Where pushes go to many devices in turn. */
  readonly deviceTokens?: readonly string[]
  /** Absent for 0, which stores nothing. UNIX time in seconds. */
  readonly expiration?: number
}

export interface Arguments {
  readonly url: URL
  readonly material: Material
}

/** A client under measurement. */
export interface Client {
  /** Sends push `n`; resolves with whether it was accepted. */
  send(n: number): Promise<boolean>
  close(): unknown
}

/**
 * Runs one client: a while to warm up, then as many pushes as it can with so many awaited at a time. Prints one line
 * when it begins to count, for whoever measures the other side, and `{ event: 'sent', sent, ok, seconds, cpuSeconds }`.
 *
 *     node bench/src/clients/carillon.ts --url https://127.0.0.1:PORT --material FILE --seconds S --concurrency C
 */
export const run = async (open: (given: Arguments) => Client | Promise<Client>): Promise<void> => {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      material: { type: 'string' },
      seconds: { type: 'string', default: '3' },
      concurrency: { type: 'string', default: '1000' },
    },
  })
  if (values.url === undefined || values.material === undefined) throw new Error('give --url and --material')
  const seconds = Number(values.seconds)
  const concurrency = Number(values.concurrency)
  const material: Material = JSON.parse(readFileSync(values.material, 'utf8'))
  const client = await open({ url: new URL(values.url), material })
  await sendFor(client, Math.max(0.5, seconds / 3), concurrency)

  print({ event: 'counting' })
  const before = process.resourceUsage()
  const counted = await sendFor(client, seconds, concurrency)
  const after = process.resourceUsage()
  const micros = after.userCPUTime - before.userCPUTime + after.systemCPUTime - before.systemCPUTime
  print({ event: 'sent', ...counted, cpuSeconds: micros / 1e6 })
  await client.close()
  process.exit(0)
}

/** Sends for a while and waits for the last answer, so that every push is counted whole. */
const sendFor = async (
  client: Client,
  seconds: number,
  concurrency: number,
): Promise<{ sent: number; ok: number; seconds: number }> => {
  const started = performance.now()
  const endMs = started + seconds * 1000
  let sent = 0
  let ok = 0
  const worker = async (): Promise<void> => {
    while (performance.now() < endMs) if (await client.send(sent++)) ok += 1
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return { sent, ok, seconds: (performance.now() - started) / 1000 }
}

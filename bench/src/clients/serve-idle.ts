import { createInterface } from 'node:readline'
import { dialAll } from './dial-all.ts'
import { print } from './print.ts'

/**
 * Connections that stay idle: opens all, prints `{ event: 'connected' }`, and for each line on stdin closes all of them
 * at once and opens them anew (a storm), answered by the same event.
 *
 * @param open opens one connection; resolves when its server knows it, with how to end it
 */
export async function serveIdle(count: number, open: (index: number) => Promise<() => void>): Promise<void> {
  process.once('SIGTERM', () => process.exit(0))
  let closings = await openAll(count, open)
  for await (const _line of createInterface({ input: process.stdin })) {
    for (const close of closings) close()
    closings = await openAll(count, open)
  }
}

async function openAll(count: number, open: (index: number) => Promise<() => void>): Promise<(() => void)[]> {
  const startedMs = performance.now()
  const closings = await dialAll(count, open)
  const seconds = (performance.now() - startedMs) / 1000
  print({ event: 'connected', connections: count, seconds })
  return closings
}

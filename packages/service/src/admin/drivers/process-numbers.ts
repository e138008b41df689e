import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openFilesMax } from '../../courier/drivers/open-files.ts'
import type { ProcessNumbers } from '../health.ts'

/** How finely the delay of the event loop is measured. */
const resolutionMs = 20

/** The numbers of this process, and how to stop measuring. */
export function processNumbers(): ProcessNumbers & { stop(): void } {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  const seconds = (nanoseconds: number) =>
    // Before the first measurement there is none.
    Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9 - resolutionMs / 1000) : 0
  return {
    cpuSeconds() {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    },
    residentBytes: () => process.memoryUsage.rss(),
    heapUsedBytes: () => process.memoryUsage().heapUsed,
    openFiles: openFilesOf,
    openFilesMax: () => openFilesMax() ?? 0,
    eventLoopDelay() {
      const told = [0.5, 0.9, 0.99].map(
        (quantile) => [String(quantile), seconds(delay.percentile(quantile * 100))] as const,
      )
      told.push(['1', seconds(delay.max)])
      delay.reset()
      return told
    },
    stop: () => delay.disable(),
  }
}

/** Linux tells; elsewhere it is 0. */
function openFilesOf(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    // There is no such directory elsewhere.
    return 0
  }
}

/**
 * Resolves when the process is asked to end: Ctrl-C, SIGTERM, or SIGHUP from a closed terminal. A second
 * signal while things are being closed ends the process at once.
 */
export function untilStopped(): Promise<NodeJS.Signals> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      for (const other of signals) {
        process.removeListener(other, stop)
        process.once(other, () => process.exit(1))
      }
      resolve(signal)
    }
    for (const signal of signals) process.on(signal, stop)
  })
}

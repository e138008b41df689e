/** One press of Ctrl-C can come twice: from the terminal, and again from npm, which passes it on. */
const samePressMs = 1_000

/**
 * Resolves when the process is asked to end: Ctrl-C, SIGTERM, or SIGHUP from a closed terminal. Asked once more
 * while things are being closed, the process ends at once.
 */
export function untilStopped(): Promise<NodeJS.Signals> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  return new Promise((resolve) => {
    let askedMs = 0
    const stop = (signal: NodeJS.Signals) => {
      if (askedMs === 0) {
        askedMs = Date.now()
        resolve(signal)
      } else if (Date.now() - askedMs > samePressMs) process.exit(1)
    }
    for (const signal of signals) process.on(signal, stop)
  })
}

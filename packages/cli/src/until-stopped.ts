/** One press of Ctrl-C can come twice: from the terminal, and again from npm, which passes it on. */
const samePressMs = 1_000
/** How often a command that npx has started looks for its parent. */
const parentLookMs = 250

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
    whenNpxEnds(() => {
      if (askedMs === 0) stop('SIGTERM')
    })
  })
}

/**
 * npx starts commands in a shell, and the shells of several systems die of a signal without passing it on: the
 * command would be an orphan that nobody knows how to end. The shell lives as long as the command otherwise.
 */
function whenNpxEnds(then: () => void): void {
  if (process.env.npm_command !== 'exec') return
  const parent = process.ppid
  const looking = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(looking)
    then()
  }, parentLookMs)
  looking.unref()
}

/** Runs something in so many milliseconds, unless what it returns is called. What is left when the process ends is not waited for. */
export function later(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref()
  return () => clearTimeout(timer)
}

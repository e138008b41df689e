import { readFileSync } from 'node:fs'

/**
 * How many files and sockets this process may have open, by the system's limit; undefined where the system does not
 * tell. Every connection needs one.
 */
export function openFilesMax(): number | undefined {
  try {
    // Linux: "Max open files  <soft>  <hard>  files".
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    if (soft !== undefined) return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
  } catch {
    // Another system: the report of the process knows it there.
  }
  return reportedMax()
}

function reportedMax(): number | undefined {
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft?: number | 'unlimited' } }
  }
  const soft = userLimits?.open_files?.soft
  if (soft === undefined) return undefined
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}

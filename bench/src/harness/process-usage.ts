import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** Linux tells process times in hundredths of a second, whatever its clock. */
const ticksPerSecond = 100

/**
 * User and system time of a process that runs, with all its threads. The same source for our processes and foreign ones,
 * so that neither side gains by it.
 */
export function cpuSecondsOf(pid: number): number {
  const file = `/proc/${pid}/stat`
  if (existsSync(file)) {
    // proc(5): the name, in parentheses, may hold spaces; utime and stime are the 12th and 13th field behind it.
    const fields = readFileSync(file, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }
  const time = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  return time.split(':').reduce((seconds, part) => seconds * 60 + Number(part), 0)
}

/** Resident memory of a process that runs. */
export function rssKiBOf(pid: number): number {
  const file = `/proc/${pid}/status`
  if (existsSync(file)) return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(file, 'latin1'))![1])
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).trim())
}

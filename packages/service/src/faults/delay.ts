import type { ActiveRule } from './active-rule.ts'
import type { Fault } from './fault-rule.ts'

/** How long this one is late: fixed, or drawn from the range. */
export function delayOf(fault: Extract<Fault, { kind: 'latency' }>, active: ActiveRule): number {
  const { ms, msMax = ms } = fault
  return msMax === ms ? ms : ms + Math.floor(active.random() * (msMax - ms + 1))
}

import { setImmediate as nextTurn } from 'node:timers/promises'

let last: Promise<void> = Promise.resolve()

/**
 * Resolves in a turn of the event loop in which nobody else's call resolves. What works through the journal asks
 * before each slice: however many do so at a time, everything else waits for one slice at most.
 */
export function ownTurn(): Promise<void> {
  last = last.then(() => nextTurn())
  return last
}

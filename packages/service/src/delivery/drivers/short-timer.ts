import type { ShortTimer } from '../ack-grace.ts'

/** Long enough for an acknowledgement, and rare enough to wake an idle process for little. */
const roundMs = 10

/**
 * The real timer of the wait before a write. Where the process was held up, acknowledgements wait in their sockets
 * when the timer is due: they are read first.
 */
export const shortTimer: ShortTimer = (run) => {
  setTimeout(() => setImmediate(run), roundMs)
}

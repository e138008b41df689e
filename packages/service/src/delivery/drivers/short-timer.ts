import type { ShortTimer } from '../ack-grace.ts'

/** Long enough for an acknowledgement over a local network, short beside a commit on a slow disk. */
const roundMs = 3

/**
 * The real timer of the wait before a write. Where the process was held up, acknowledgements wait in their sockets
 * when the timer is due: they are read first.
 */
export const shortTimer: ShortTimer = (run) => {
  setTimeout(() => setImmediate(run), roundMs)
}

import type { ShortTimer } from '../ack-grace.ts'

/** Long enough for an acknowledgement over a local network, short beside a commit on a slow disk. */
const roundMs = 3

/** The real timer of the wait before a write. */
export const shortTimer: ShortTimer = (run) => {
  setTimeout(run, roundMs)
}

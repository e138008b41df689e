import { createInterface } from 'node:readline'
import { print } from './print.ts'

/** A publisher and everybody who listens, in this process, so that one clock tells how long a message took. */
export interface Audience {
  readonly devices: number
  publish(payload: Buffer): Promise<unknown>
}

/**
 * Opens an audience, prints `{ event: 'registered' }`, and for each line on stdin publishes one message, answered by
 * `{ event: 'reached', ms }` when the last device has it.
 *
 * @param open is given what to call with each message that a device receives
 */
export async function serveBroadcasts(
  open: (received: (payload: Uint8Array) => void) => Promise<Audience>,
): Promise<void> {
  let missing = 0
  let serial = 0
  let whenReached: () => void = () => {}
  const audience = await open((payload) => {
    if (Buffer.from(payload).includes(`"n":${serial}}`) && --missing === 0) whenReached()
  })
  process.once('SIGTERM', () => process.exit(0))
  print({ event: 'registered', devices: audience.devices })
  for await (const _line of createInterface({ input: process.stdin })) {
    serial++
    missing = audience.devices
    const reached = new Promise<void>((resolve) => {
      whenReached = resolve
    })
    const startedMs = performance.now()
    await audience.publish(Buffer.from(updateOf(serial)))
    await reached
    print({ event: 'reached', ms: performance.now() - startedMs })
  }
}

/** A Live Activity update of usual size, with a number at its end to know it by. */
function updateOf(serial: number): string {
  const aps = {
    timestamp: Math.floor(Date.now() / 1000),
    event: 'update',
    'content-state': { home: 2, away: 1, clock: '67:30', summary: 'A corner for the home team' },
  }
  return `${JSON.stringify({ aps }).slice(0, -1)},"n":${serial}}`
}

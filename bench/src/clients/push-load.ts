import { createInterface } from 'node:readline'
import { print } from './print.ts'

/** A path from a sender to many devices, with both ends in this process, so that one clock tells how long it took. */
export interface Leg {
  readonly devices: number
  /** Sends to one device; resolves with whether the service took it over. */
  push(device: number, payload: Uint8Array): Promise<boolean>
  close(): unknown
}

/** One measurement, as it comes in on a line: as many as possible with so many on their way, or so many a second. */
export type PushOrder =
  | { readonly inFlight: number; readonly seconds: number }
  | { readonly perSecond: number; readonly seconds: number }

/** What a measurement found; milliseconds from `push` to the device. */
export interface PushRun {
  readonly pushes: number
  readonly accepted: number
  readonly received: number
  readonly seconds: number
  readonly msP50: number
  readonly msP99: number
}

/** Milliseconds that the last ones may take. */
const drainMsMax = 10_000
const serialDigits = 9

/**
 * Opens a leg, prints `{ event: 'registered' }`, and then makes each measurement that it is ordered on stdin, each
 * answered by `{ event: 'ran' } & PushRun`.
 *
 * @param open is given what to call with each payload that a device receives
 */
export async function servePushOrders(
  open: (received: (payload: Uint8Array) => void) => Promise<Leg>,
): Promise<void> {
  let run: Run | undefined
  const leg = await open((payload) => run?.received(payload))
  process.once('SIGTERM', () => process.exit(0))
  print({ event: 'registered', devices: leg.devices })
  for await (const line of createInterface({ input: process.stdin })) {
    run = new Run(leg)
    print({ event: 'ran', ...(await run.make(JSON.parse(line))) })
  }
  await leg.close()
  process.exit(0)
}

class Run {
  readonly #leg: Leg
  readonly #sentAtMs: number[] = []
  readonly #latencies: number[] = []
  #accepted = 0
  #answered = 0
  #isEnding = false
  #inFlight = 0
  #whenDone: () => void = () => {}

  constructor(leg: Leg) {
    this.#leg = leg
  }

  async make(order: PushOrder): Promise<PushRun> {
    const startedMs = performance.now()
    const done = new Promise<void>((resolve) => {
      this.#whenDone = resolve
    })
    const pacing = 'inFlight' in order ? this.#keep(order.inFlight) : this.#pace(order.perSecond, startedMs)
    await pause(order.seconds * 1000)
    this.#isEnding = true
    clearInterval(pacing)
    this.#settled()
    await Promise.race([done, pause(drainMsMax)])
    const latencies = Float64Array.from(this.#latencies).sort()
    return {
      pushes: this.#sentAtMs.length,
      accepted: this.#accepted,
      received: latencies.length,
      seconds: (performance.now() - startedMs) / 1000,
      msP50: latencies[latencies.length >> 1] ?? Number.NaN,
      msP99: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
    }
  }

  /** A device has it. */
  received(payload: Uint8Array): void {
    const sentAtMs = this.#sentAtMs[serialOf(payload)]
    if (sentAtMs === undefined) return
    this.#latencies.push(performance.now() - sentAtMs)
    this.#settled()
  }

  #keep(inFlight: number): undefined {
    this.#inFlight = inFlight
    this.#settled()
  }

  /** On its way is what is not both received and accepted. */
  #settled(): void {
    const sent = this.#sentAtMs.length
    if (this.#isEnding) {
      if (this.#answered === sent && this.#latencies.length === sent) this.#whenDone()
      return
    }
    let free = this.#inFlight - (sent - Math.min(this.#answered, this.#latencies.length))
    for (; free > 0; free--) this.#push()
  }

  #pace(perSecond: number, startedMs: number): NodeJS.Timeout {
    return setInterval(() => {
      const due = Math.floor(((performance.now() - startedMs) / 1000) * perSecond)
      while (this.#sentAtMs.length < due) this.#push()
    }, 1)
  }

  #push(): void {
    const serial = this.#sentAtMs.push(performance.now()) - 1
    this.#leg.push(serial % this.#leg.devices, payloadOf(serial)).then((isAccepted) => {
      if (isAccepted) this.#accepted++
      this.#answered++
      this.#settled()
    })
  }
}

const head = Buffer.from(
  '{"aps":{"alert":{"title":"Hello","body":"A message of usual size"},"sound":"default"},"n":"',
)
const tail = Buffer.from('"}')

/** A notification as apps send them, with a number at its end to know it by. */
function payloadOf(serial: number): Uint8Array {
  const payload = Buffer.allocUnsafe(head.length + serialDigits + tail.length)
  payload.set(head)
  payload.write(String(serial).padStart(serialDigits, '0'), head.length, 'latin1')
  payload.set(tail, head.length + serialDigits)
  return payload
}

function serialOf(payload: Uint8Array): number {
  let serial = 0
  const end = payload.length - tail.length
  for (let at = end - serialDigits; at < end; at++) serial = serial * 10 + payload[at]! - 48
  return serial
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

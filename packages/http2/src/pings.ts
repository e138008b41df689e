import type { PingCallback } from './types.ts'

interface Ping {
  readonly number: number
  readonly sentAt: number
  readonly callback: PingCallback
}

/** PINGs of ours that wait for their answer. */
export class Pings {
  #sent: Ping[] = []
  #count = 0

  get count(): number {
    return this.#sent.length
  }

  /** Notes a PING and gives its 8 bytes. */
  add(callback: PingCallback, now: number): Buffer {
    this.#count += 1
    this.#sent.push({ number: this.#count, sentAt: now, callback })
    const data = Buffer.alloc(8)
    data.writeUInt32BE(this.#count, 4)
    return data
  }

  /** An answer; one that fits none of ours is ignored. */
  answered(payload: Buffer, start: number, now: number): void {
    const number = payload.readUInt32BE(start + 4)
    const at = this.#sent.findIndex((ping) => ping.number === number)
    if (at < 0 || payload.readUInt32BE(start) !== 0) return
    const [ping] = this.#sent.splice(at, 1)
    ping!.callback(Math.max(0, now - ping!.sentAt))
  }

  /** When the oldest PING without an answer left, undefined where all are answered. */
  get waitingSince(): number | undefined {
    return this.#sent[0]?.sentAt
  }

  /** The connection is over: no answer comes any more. */
  end(): void {
    const sent = this.#sent
    this.#sent = []
    for (const ping of sent) ping.callback(undefined)
  }
}

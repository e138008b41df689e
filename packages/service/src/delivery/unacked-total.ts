import { limits } from '../limits.ts'

/** Payload bytes in memory for all connected devices: sent and not acknowledged, or waiting behind a flush. */
export class UnackedTotal {
  bytes = 0
  readonly #bytesMax: number

  constructor(bytesMax: number = limits.unackedBytesMax) {
    this.#bytesMax = bytesMax
  }

  get isFull(): boolean {
    return this.bytes >= this.#bytesMax
  }
}

import type { TLSSocket } from 'node:tls'
import { limits } from '../../limits.ts'
import type { FeedbackReading } from '../feedback-reading.ts'

/**
 * Sends one client what it is to be told, at the speed at which it reads, and closes. What it has not got stays
 * listed: only a client that closes in its turn, after everything including our end has left, has taken it all.
 * One that is cut off, or leaves before that, is told the same again.
 */
export class FeedbackConnection {
  readonly #socket: TLSSocket
  readonly #reading: FeedbackReading
  readonly #reset: () => void
  readonly #now: () => number
  readonly #onTrouble: (sentence: string, cause: unknown) => void
  #hasTaken = false
  #progressAtMs: number
  #wake: () => void = () => {}
  /** Resolves when nothing of this connection is under way any more. */
  readonly done: Promise<void>

  constructor(
    socket: TLSSocket,
    reading: FeedbackReading,
    reset: () => void,
    now: () => number,
    onTrouble: (sentence: string, cause: unknown) => void,
  ) {
    this.#socket = socket
    this.#reading = reading
    this.#reset = reset
    this.#now = now
    this.#progressAtMs = now()
    this.#onTrouble = onTrouble
    const closed = new Promise<boolean>((resolve) => socket.once('close', resolve))
    socket.on('error', () => {})
    socket.on('drain', () => this.#wake())
    socket.on('end', () => {
      this.#hasTaken = socket.writableFinished
    })
    // A feedback client has nothing to say; its end is seen only where its bytes are read.
    socket.on('data', () => {})
    socket.on('close', () => this.#wake())
    this.done = this.#send().then(async () => {
      const wasCut = await closed
      if (this.#hasTaken && !wasCut) await this.#clear()
    })
  }

  tick(nowMs: number): void {
    // A client that reads nothing for long, or never closes, would be a dead connection for ever.
    if (nowMs - this.#progressAtMs > limits.feedbackStalledMsMax) this.#reset()
  }

  /** The service stops; what was not taken stays listed. */
  close(): void {
    this.#reset()
  }

  async #send(): Promise<void> {
    const socket = this.#socket
    try {
      // Pages are read as the socket takes them, so that a list of any length needs the memory of one.
      for (let page = await this.#reading.next(); page !== undefined; page = await this.#reading.next()) {
        if (socket.destroyed) return
        this.#progressAtMs = this.#now()
        if (!socket.write(page)) await new Promise<void>((resolve) => (this.#wake = resolve))
      }
      socket.end()
    } catch (cause) {
      this.#onTrouble('A feedback client could not be told which tokens are gone; they stay listed.', cause)
      this.#reset()
    }
  }

  async #clear(): Promise<void> {
    try {
      await this.#reading.clear()
    } catch (cause) {
      this.#onTrouble('What a feedback client has read could not be cleared; it is told once more.', cause)
    }
  }
}

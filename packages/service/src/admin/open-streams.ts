import { limits } from '../limits.ts'
import { AdminError } from './admin-error.ts'

/** The event streams that are open: bounded in number, and ended when the service stops. */
export class OpenStreams {
  readonly #endings = new Set<() => void>()
  #isClosed = false

  /**
   * @param end called when the stream has to end
   * @returns what to call when it has ended
   * @throws AdminError where too many are open
   */
  add(end: () => void): () => void {
    if (this.#isClosed || this.#endings.size >= limits.adminStreamsMax) {
      throw new AdminError('BUSY', `${limits.adminStreamsMax} streams are open already; end one first.`)
    }
    this.#endings.add(end)
    return () => void this.#endings.delete(end)
  }

  close(): void {
    this.#isClosed = true
    for (const end of this.#endings) end()
  }
}

/**
 * Keeps what is changed at once and written after it: changes made while a write is busy share the next one, which
 * takes along all that has changed until it begins.
 */
export class SharedWrite {
  readonly #write: () => Promise<void>
  #last: Promise<void> = Promise.resolve()
  /** A write that has not begun. */
  #next: Promise<void> | undefined

  /** @param write writes everything as it is when it is called */
  constructor(write: () => Promise<void>) {
    this.#write = write
  }

  /** Something has changed. Resolves when that is kept. */
  changed(): Promise<void> {
    if (this.#next) return this.#next
    const written = this.#last.then(() => {
      this.#next = undefined
      return this.#write()
    })
    this.#next = written
    // A failed write is told to those who caused it; the next one starts anew, with their changes.
    this.#last = written.catch(() => undefined)
    return written
  }

  /** Resolves when nothing is being written any more; whether it went well was told to whoever made the change. */
  settled(): Promise<void> {
    return this.#last
  }
}

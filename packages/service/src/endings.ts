/** How to end what was started so far, the newest first. */
export class Endings {
  readonly #endings: (() => void | Promise<void>)[] = []
  readonly #onTrouble: (sentence: string, cause: unknown) => void
  #closing: Promise<void> | undefined

  constructor(onTrouble: (sentence: string, cause: unknown) => void) {
    this.#onTrouble = onTrouble
  }

  add(end: () => void | Promise<void>): void {
    this.#endings.push(end)
  }

  /** A second call waits for the first: it must not close the database under requests that are still answered. */
  all(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    for (let end = this.#endings.pop(); end !== undefined; end = this.#endings.pop()) {
      try {
        await end()
      } catch (cause) {
        // The rest is to be closed all the same: the database last, with everything that was accepted.
        this.#onTrouble('A part of the push service did not close cleanly.', cause)
      }
    }
  }
}

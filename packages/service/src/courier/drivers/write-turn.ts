/** What has something to write at the end of the turn. */
export interface Writer {
  flush(): void
}

/**
 * Gathers writes until the end of the turn of the event loop: one `write` per socket and turn, whatever came
 * together. More than half of the cost of a delivery is TLS and the system call, so this is where it is saved.
 */
export class WriteTurn {
  #writers: Writer[] = []
  readonly #run = () => {
    const writers = this.#writers
    this.#writers = []
    for (const writer of writers) writer.flush()
  }

  add(writer: Writer): void {
    this.#writers.push(writer)
    if (this.#writers.length === 1) setImmediate(this.#run)
  }
}

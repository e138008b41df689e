/** What has arrived and is not dealt with yet. */
export class UnderWay {
  readonly #works = new Set<Promise<void>>()

  /** Those of now. */
  get all(): readonly Promise<void>[] {
    return [...this.#works]
  }

  /** @returns the same */
  add(work: Promise<void>): Promise<void> {
    this.#works.add(work)
    const done = () => this.#works.delete(work)
    work.then(done, (error) => {
      done()
      throw error // thrown by whoever listens to the device: it is theirs to see
    })
    return work
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#works.size > 0) await Promise.allSettled(this.#works)
  }
}

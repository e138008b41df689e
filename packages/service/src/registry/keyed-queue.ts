/** Runs tasks of the same key one after another, and tasks of different keys side by side. */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>()

  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    // A failure of the task before is told to whoever asked for it; the next task runs all the same.
    const run = before === undefined ? task() : before.then(task, task)
    this.#tails.set(key, run)
    const forget = (): void => {
      if (this.#tails.get(key) === run) this.#tails.delete(key)
    }
    run.then(forget, forget)
    return run
  }
}

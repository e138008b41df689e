import { TestingError } from './testing-error.ts'

/** Calls `run` after so many milliseconds; returns how to take it back. */
export type After = (milliseconds: number, run: () => void) => () => void

/** What has happened, in order, and those who wait for what has not happened yet. */
export class Happenings<Event> {
  readonly #all: Event[] = []
  readonly #waiting = new Set<() => void>()
  readonly #after: After

  constructor(after: After) {
    this.#after = after
  }

  get all(): readonly Event[] {
    return this.#all
  }

  add(event: Event): void {
    this.#all.push(event)
    for (const look of [...this.#waiting]) look()
  }

  /**
   * The first event for which `test` holds, now or later. `test` is told the place of the event in `all`.
   *
   * @param what for the message: "the phone did not …"
   * @throws TestingError `WAITED_TOO_LONG` after `withinMs`
   */
  find<Found extends Event>(
    test: (event: Event, at: number) => event is Found,
    what: string,
    withinMs: number,
  ): Promise<Found> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.#all.find(test)
        if (found === undefined) return
        takeBack()
        this.#waiting.delete(look)
        resolve(found)
      }
      const takeBack = this.#after(withinMs, () => {
        this.#waiting.delete(look)
        const message = `The phone did not ${what} within ${withinMs} ms.`
        reject(
          new TestingError(
            'WAITED_TOO_LONG',
            message,
            'Look at what was sent, and at what came back for it.',
          ),
        )
      })
      this.#waiting.add(look)
      look()
    })
  }
}

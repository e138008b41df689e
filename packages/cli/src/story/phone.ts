import type { DeviceEvent } from '@carillon/device'

/** Longest wait for anything that the story waits for; then the step has failed. */
const waitMsMax = 20_000

type EventName = DeviceEvent['event']
type EventOf<N extends EventName> = Extract<DeviceEvent, { event: N }>

/** Remembers what happened on the phone, and waits for what has not happened yet. */
export class PhoneLog {
  readonly #events: DeviceEvent[] = []
  readonly #waiting = new Set<() => void>()

  readonly record = (event: DeviceEvent): void => {
    this.#events.push(event)
    for (const look of [...this.#waiting]) look()
  }

  /** How many events there were: a place to wait from. */
  get position(): number {
    return this.#events.length
  }

  all<N extends EventName>(name: N, from = 0): EventOf<N>[] {
    return this.#events.slice(from).filter((event): event is EventOf<N> => event.event === name)
  }

  /** The first event of that name since `from` for which `test` holds. */
  waitFor<N extends EventName>(
    name: N,
    what: string,
    from = 0,
    test: (event: EventOf<N>) => boolean = () => true,
  ) {
    return new Promise<EventOf<N>>((resolve, reject) => {
      const look = () => {
        const found = this.all(name, from).find(test)
        if (!found) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(found)
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(look)
        reject(new Error(`the phone did not ${what} within ${waitMsMax / 1000} s`))
      }, waitMsMax)
      this.#waiting.add(look)
      look()
    })
  }
}

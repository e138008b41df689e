import type { FakePhone } from './delivery-fixture.ts'

/** A device that outlives its connections: it remembers what it has shown and recognises what comes again. */
export class RememberingDevice {
  /** Names of notifications in order, each once. */
  readonly shown: string[] = []
  #phone: FakePhone | undefined
  /** How many of those that it has not acknowledged it has shown. */
  #taken = 0

  /** Its connection. */
  get phone(): FakePhone | undefined {
    return this.#phone
  }

  /** It has a connection; where it had one, the new session replaces the old one without a word of farewell. */
  connected(phone: FakePhone): void {
    this.#take(Number.POSITIVE_INFINITY)
    this.#phone = phone
    this.#taken = 0
  }

  /** Acknowledges so many of what has arrived, the oldest first. */
  acknowledge(count: number): void {
    const phone = this.#phone
    if (phone === undefined) return
    this.#take(Number.POSITIVE_INFINITY)
    for (const { id } of phone.got.splice(0, count)) {
      this.#taken--
      phone.inbox.acknowledged(id, 0)
    }
  }

  /** The connection is lost, with the last so many notifications still on their way. */
  lose(onTheWay: number): void {
    const phone = this.#phone
    if (phone === undefined) return
    this.#take(phone.got.length - onTheWay)
    phone.inbox.close()
    this.#phone = undefined
  }

  /** The service was killed, with all that was on its way. */
  abandoned(): void {
    this.#phone = undefined
  }

  /** Shows what has arrived up to this place. */
  #take(until: number): void {
    const got = this.#phone?.got ?? []
    for (; this.#taken < Math.min(until, got.length); this.#taken++) {
      // Tests make large ones by padding.
      const name = got[this.#taken]!.name.trimEnd()
      if (!this.shown.includes(name)) this.shown.push(name)
    }
  }
}

import type { StoreTicket } from './message-store.ts'

/**
 * Which devices have messages on their way to the disk. A device that connects in that moment must see them,
 * so its read waits for those that were under way before it, not for those that come behind. Which came first is
 * told by their tickets: the order of acceptance says nothing, for a message may be written late.
 */
export class OutstandingWrites {
  readonly #counts = new Map<number, number>()
  #lastTicket: StoreTicket = 0
  readonly #waits = new Map<number, Wait>()

  added(device: number, ticket: StoreTicket): void {
    this.#lastTicket = ticket
    this.#counts.set(device, (this.#counts.get(device) ?? 0) + 1)
  }

  /** Written, failed or cancelled. */
  settled(device: number, ticket: StoreTicket): void {
    const count = this.#counts.get(device)
    if (count !== undefined && count > 1) this.#counts.set(device, count - 1)
    else this.#counts.delete(device)
    if (this.#waits.size === 0) return
    const wait = this.#waits.get(device)
    if (wait === undefined || ticket > wait.throughTicket || --wait.remaining > 0) return
    this.#waits.delete(device)
    for (const resume of wait.resume) resume()
  }

  /** Resolves when everything that is under way for the device now has settled. */
  async whenSettled(device: number): Promise<void> {
    const count = this.#counts.get(device)
    if (count === undefined) return
    await new Promise<void>((resolve) => {
      const wait = this.#waits.get(device)
      // A second reader is rare (a session that is being replaced); both then wait for the later point.
      if (wait === undefined)
        this.#waits.set(device, { throughTicket: this.#lastTicket, remaining: count, resume: [resolve] })
      else {
        wait.throughTicket = this.#lastTicket
        wait.remaining = count
        wait.resume.push(resolve)
      }
    })
  }
}

interface Wait {
  throughTicket: StoreTicket
  remaining: number
  readonly resume: (() => void)[]
}

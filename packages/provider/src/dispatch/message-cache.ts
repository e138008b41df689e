import { limits } from '../limits.ts'
import type { Message } from '../outbox/message.ts'
import type { Outbox } from '../outbox/outbox.ts'

/** Messages that are being sent, so that a message to many recipients is read once, and a new one never. */
export class MessageCache {
  readonly #outbox: Outbox
  readonly #messages = new Map<string, Promise<Message | undefined>>()

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  put(message: Message): void {
    this.#store(message.id, Promise.resolve(message))
  }

  get(id: string): Promise<Message | undefined> {
    const known = this.#messages.get(id)
    if (known !== undefined) return known
    const reading = this.#outbox.message(id)
    this.#store(id, reading)
    // A read that failed must not be remembered; the one who asked hears of it.
    reading.catch(() => this.#messages.delete(id))
    return reading
  }

  #store(id: string, message: Promise<Message | undefined>): void {
    if (this.#messages.size >= limits.messagesCachedMax) {
      const [oldest] = this.#messages.keys()
      this.#messages.delete(oldest!)
    }
    this.#messages.set(id, message)
  }
}

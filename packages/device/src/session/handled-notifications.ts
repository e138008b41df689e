import { limits } from '../limits.ts'

/**
 * The notifications that were acknowledged and whose acknowledgement may not have reached the courier. On its next
 * connection the device names them, so that they are not sent again. An answer of the courier shows that what was sent
 * before the question has arrived. Outlives the sessions of a link.
 */
export class HandledNotifications {
  #ids: Uint8Array[] = []
  #questions = 0
  #answers = 0
  /** The question that covers the oldest of them, and how many it covers. */
  #covering: { readonly question: number; count: number } | undefined

  /** `tracingId`s, oldest first. */
  get ids(): readonly Uint8Array[] {
    return this.#ids
  }

  /** @param tracingId copied */
  acknowledged(tracingId: Uint8Array): void {
    if (this.#ids.length >= limits.handledNamedMax) {
      this.#ids.shift()
      if (this.#covering !== undefined && this.#covering.count > 0) this.#covering.count--
    }
    this.#ids.push(Uint8Array.from(tracingId))
  }

  /** A question was sent; answers come in the order of questions. */
  asked(): void {
    this.#questions++
    this.#covering ??= { question: this.#questions, count: this.#ids.length }
  }

  /** The courier has answered one. */
  answered(): void {
    this.#answers++
    const covering = this.#covering
    if (covering === undefined || this.#answers < covering.question) return
    this.#ids.splice(0, covering.count)
    this.#covering = undefined
  }

  /** A new connection: answers to older questions will not come. */
  reconnected(): void {
    this.#questions = 0
    this.#answers = 0
    this.#covering = undefined
  }
}

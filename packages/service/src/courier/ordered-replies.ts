/**
 * Replies that must go out in the order of their requests while their answers come in any order: Apple's
 * daemon pairs app token replies first in, first out.
 */
export class OrderedReplies<Reply> {
  readonly #places: (Reply | undefined)[] = []
  #firstPlace = 0
  readonly #send: (reply: Reply) => void

  constructor(send: (reply: Reply) => void) {
    this.#send = send
  }

  /** Requests that wait for their reply. */
  get waiting(): number {
    return this.#places.length
  }

  /** Takes the next place in line. @returns the place, for `settle` */
  reserve(): number {
    this.#places.push(undefined)
    return this.#firstPlace + this.#places.length - 1
  }

  settle(place: number, reply: Reply): void {
    this.#places[place - this.#firstPlace] = reply
    while (this.#places.length > 0 && this.#places[0] !== undefined) {
      this.#firstPlace++
      this.#send(this.#places.shift()!)
    }
  }
}

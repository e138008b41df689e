import type { InboxMessage, StoredPage } from '../store/message-store.ts'

/** One reading of what is stored for a device, from one place in the order of acceptance to another. */
export class StoredPass {
  afterSeq: number
  readonly throughSeq: number
  /** The device has just named its topics and is told when the pass is over. */
  readonly isAfterTopics: boolean
  hasMore = true
  #page: readonly InboxMessage[] = []
  #at = 0
  readonly #sentBefore: ReadonlySet<number> | undefined

  /** @param sentBefore places of messages that wait for their acknowledgement and must not be sent twice */
  constructor(
    afterSeq: number,
    throughSeq: number,
    isAfterTopics: boolean,
    sentBefore: ReadonlySet<number> | undefined,
  ) {
    this.afterSeq = afterSeq
    this.throughSeq = throughSeq
    this.isAfterTopics = isAfterTopics
    this.#sentBefore = sentBefore
  }

  /** Messages of the page behind the current one. */
  get remaining(): number {
    return this.#page.length - this.#at
  }

  take(page: StoredPage): void {
    this.#page = page.messages
    this.#at = 0
    this.hasMore = page.hasMore
    this.afterSeq = page.throughSeq
  }

  peek(): InboxMessage | undefined {
    return this.#page[this.#at]
  }

  /** The window is full: the rest of the page is read again later, so that no slow device keeps it in memory. */
  putBack(): void {
    const first = this.peek()
    if (first === undefined) return
    this.afterSeq = first.seq - 1
    this.hasMore = true
    this.#page = []
    this.#at = 0
  }

  /** The store has removed it: it is not to be sent any more. */
  forget(seq: number): void {
    const left = this.#page.slice(this.#at)
    if (!left.some((message) => message.seq === seq)) return
    this.#page = left.filter((message) => message.seq !== seq)
    this.#at = 0
  }

  next(): void {
    this.#at++
  }

  wasSent(message: InboxMessage): boolean {
    return this.#sentBefore?.has(message.seq) === true
  }
}

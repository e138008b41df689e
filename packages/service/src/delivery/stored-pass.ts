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

  next(): void {
    this.#at++
  }

  wasSent(message: InboxMessage): boolean {
    return this.#sentBefore?.has(message.seq) === true
  }
}

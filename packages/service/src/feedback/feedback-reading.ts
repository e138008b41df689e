import { appendFeedbackTuple, ByteWriter, deviceTokenBytes } from '@carillon/wire'
import { limits } from '../limits.ts'
import type { FeedbackList, GoneToken } from './feedback-list.ts'

/** What one client is told: the list as it was when it came, page by page. */
export class FeedbackReading {
  readonly #list: FeedbackList
  readonly #topics: readonly string[]
  readonly #writer = new ByteWriter(limits.feedbackPageRowsMax * tupleBytes)
  #throughPlace = -1
  #topic = 0
  #afterPlace = 0

  constructor(list: FeedbackList, topics: readonly string[]) {
    this.#list = list
    this.#topics = topics
  }

  /** The next tuples, undefined when that was all. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#throughPlace < 0) this.#throughPlace = await this.#list.lastPlace()
    while (this.#topic < this.#topics.length) {
      const page = await this.#list.read(this.#topics[this.#topic]!, this.#afterPlace, this.#throughPlace)
      if (page.length < limits.feedbackPageRowsMax) {
        this.#topic += 1
        this.#afterPlace = 0
      } else this.#afterPlace = page.at(-1)!.place
      if (page.length > 0) return this.#encode(page)
    }
    return undefined
  }

  /** The client has it all: the next one is told of what came since. */
  clear(): Promise<void> {
    return this.#list.clear(this.#topics, this.#throughPlace)
  }

  #encode(page: readonly GoneToken[]): Uint8Array {
    this.#writer.clear()
    for (const { token, inactiveSinceMs } of page) {
      appendFeedbackTuple(this.#writer, { atSeconds: Math.floor(inactiveSinceMs / 1000), token })
    }
    return this.#writer.finish()
  }
}

/** Time and length come before the token. */
const tupleBytes = 6 + deviceTokenBytes

import type { PendingPush, ResultLane } from './pending-push.ts'
import type { Push, PushResult, SentPush } from './push.ts'

/** What `sendMany` needs of its client. */
export interface ManySender<P extends Push> {
  /** Sends a push for a lane, or hands the lane a result at once. Throws ArgumentError. */
  sendFor(lane: ManyLane<P>, index: number, push: P): void
  takeBack(push: PendingPush): void
}

type Source<P> = Iterable<P> | AsyncIterable<P>

/**
 * Pulls pushes from a source and hands on their results as they come. At most `pendingMax` pushes are held, be they
 * queued, in flight, or answered and not yet taken by the reader: a slow reader slows the source down.
 */
export class ManyLane<P extends Push> implements ResultLane {
  readonly #sender: ManySender<P>
  readonly #pendingMax: number
  readonly #iterator: Iterator<P> | AsyncIterator<P>
  readonly #isAsync: boolean
  #results: SentPush<P>[] = []
  /** Results of the batch that the reader is taking now. */
  #untaken = 0
  readonly #unsettled = new Set<PendingPush>()
  #index = 0
  #isExhausted = false
  #isPulling = false
  #isStopped = false
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(sender: ManySender<P>, source: Source<P>, pendingMax: number) {
    this.#sender = sender
    this.#pendingMax = pendingMax
    this.#isAsync = Symbol.asyncIterator in source
    this.#iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  }

  /** The pool keeps a push of this lane until it is settled. */
  took(pending: PendingPush): void {
    this.#unsettled.add(pending)
  }

  settled(pending: PendingPush, result: PushResult): void {
    this.#unsettled.delete(pending)
    this.done(pending.index, pending.source as P, result)
  }

  /** A result without a push that was taken. */
  done(index: number, push: P, result: PushResult): void {
    if (this.#isStopped) return
    this.#results.push({ index, push, result })
    this.#notify()
  }

  async *results(): AsyncGenerator<SentPush<P>, void, undefined> {
    try {
      for (;;) {
        this.#pull()
        const batch = this.#results
        this.#results = []
        for (let i = 0; i < batch.length; i++) {
          this.#untaken = batch.length - i - 1
          yield batch[i]!
          this.#pull()
        }
        if (this.#results.length > 0) continue
        // What was sent before the source failed still gets its results.
        if (this.#isExhausted && this.#unsettled.size === 0) {
          if (this.#failure !== undefined) throw this.#failure.error
          return
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      this.#stop()
    }
  }

  #hasRoom(): boolean {
    return this.#unsettled.size + this.#results.length + this.#untaken < this.#pendingMax
  }

  #pull(): void {
    if (this.#isAsync) return this.#pullNext()
    try {
      const iterator = this.#iterator as Iterator<P>
      while (!this.#isExhausted && this.#hasRoom()) this.#take(iterator.next())
    } catch (error) {
      this.#onSourceError(error)
    }
  }

  /** One `next` at a time, as async generators work; the next is asked for as soon as one is here. */
  #pullNext(): void {
    if (this.#isPulling || this.#isExhausted || !this.#hasRoom()) return
    this.#isPulling = true
    ;(this.#iterator as AsyncIterator<P>).next().then(this.#onNext, this.#onSourceError)
  }

  readonly #onNext = (next: IteratorResult<P>): void => {
    this.#isPulling = false
    if (this.#isExhausted) return
    try {
      this.#take(next)
    } catch (error) {
      return this.#onSourceError(error)
    }
    if (this.#isExhausted) this.#notify()
    else this.#pullNext()
  }

  readonly #onSourceError = (error: unknown): void => {
    this.#isPulling = false
    this.#isExhausted = true
    this.#failure = { error }
    this.#notify()
  }

  #take(next: IteratorResult<P>): void {
    if (next.done) this.#isExhausted = true
    else this.#sender.sendFor(this, this.#index++, next.value)
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  /** The reader is done, at the end or before: what was not sent yet is taken back, the source is told. */
  #stop(): void {
    const isEarly = !this.#isExhausted || this.#failure !== undefined
    this.#isExhausted = true
    this.#isStopped = true
    for (const pending of [...this.#unsettled]) {
      if (pending.connection === undefined) this.#sender.takeBack(pending)
    }
    if (!isEarly) return
    // Not awaited: a source that waits for its next value would hold the reader up. Its failure interests nobody now.
    Promise.resolve(this.#iterator.return?.()).catch(() => {})
  }
}

import type { PendingPush, ResultLane } from './pending-push.ts'
import type { Notification } from './push.ts'
import type { PushResult, SentPush } from './result.ts'

/** What `sendMany` pulls from. */
export type Source<T> = Iterable<T> | AsyncIterable<T>

/** What a lane needs of its client. */
export interface ManySender<T, N extends Notification> {
  /** Sends what came from the source, or hands the lane a result at once. Throws ArgumentError. */
  sendFor(lane: ManyLane<T, N>, index: number, item: T): void
  takeBack(push: PendingPush): void
}

/** How many are under way, and who may stop it. */
export interface ManyOptions {
  readonly pendingMax: number
  readonly signal: AbortSignal | undefined
}

/**
 * Pulls from a source and hands on the results as they come. At most `pendingMax` pushes are held, be they queued,
 * in flight, or answered and not yet taken by the reader: a slow reader slows the source down.
 */
export class ManyLane<T, N extends Notification> implements ResultLane {
  readonly #sender: ManySender<T, N>
  readonly #pendingMax: number
  readonly #signal: AbortSignal | undefined
  readonly #iterator: Iterator<T> | AsyncIterator<T>
  readonly #isAsync: boolean
  #results: SentPush<N>[] = []
  /** Results of the batch that the reader is taking now. */
  #untaken = 0
  readonly #unsettled = new Set<PendingPush>()
  #index = 0
  #isExhausted = false
  #isPulling = false
  #isStopped = false
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(sender: ManySender<T, N>, source: Source<T>, { pendingMax, signal }: ManyOptions) {
    this.#sender = sender
    this.#pendingMax = pendingMax
    this.#signal = signal
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
    this.done(pending.index, pending.deviceToken, pending.source as N, result)
  }

  /** A result without a push that was taken. */
  done(index: number, deviceToken: string, push: N, result: PushResult): void {
    if (this.#isStopped) return
    this.#results.push({ index, deviceToken, push, result })
    this.#notify()
  }

  async *results(): AsyncGenerator<SentPush<N>, void, undefined> {
    const signal = this.#signal
    try {
      if (signal?.aborted) this.#abort()
      else signal?.addEventListener('abort', this.#abort, { once: true })
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
      signal?.removeEventListener('abort', this.#abort)
      this.#stop()
    }
  }

  #hasRoom(): boolean {
    return this.#unsettled.size + this.#results.length + this.#untaken < this.#pendingMax
  }

  #pull(): void {
    if (this.#isAsync) return this.#pullNext()
    try {
      const iterator = this.#iterator as Iterator<T>
      while (!this.#isExhausted && this.#hasRoom()) {
        const next = iterator.next()
        // The source itself may have ended the run; it could not be left while it ran.
        if (this.#isExhausted) return this.#leaveSource()
        this.#take(next)
      }
    } catch (error) {
      this.#onSourceError(error)
    }
  }

  /** One `next` at a time, as async generators work; the next is asked for as soon as one is here. */
  #pullNext(): void {
    if (this.#isPulling || this.#isExhausted || !this.#hasRoom()) return
    this.#isPulling = true
    ;(this.#iterator as AsyncIterator<T>).next().then(this.#onNext, this.#onSourceError)
  }

  readonly #onNext = (next: IteratorResult<T>): void => {
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
    if (this.#isExhausted) return
    this.#isExhausted = true
    this.#failure = { error }
    this.#notify()
  }

  #take(next: IteratorResult<T>): void {
    if (next.done) this.#isExhausted = true
    else this.#sender.sendFor(this, this.#index++, next.value)
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  /** Nothing more is pulled; what was not sent ends as Aborted, what was sent gets its result, then it is over. */
  readonly #abort = (): void => {
    if (!this.#isExhausted) this.#leaveSource()
    this.#isExhausted = true
    this.#takeBackUnsent()
    this.#notify()
  }

  /** The reader is done, at the end or before: what was not sent yet is taken back, the source is told. */
  #stop(): void {
    if (!this.#isExhausted || this.#failure !== undefined) this.#leaveSource()
    this.#isExhausted = true
    this.#isStopped = true
    this.#takeBackUnsent()
  }

  #takeBackUnsent(): void {
    for (const pending of [...this.#unsettled]) {
      if (pending.connection === undefined) this.#sender.takeBack(pending)
    }
  }

  /** Not awaited: a source that waits for its next value would hold the reader up. Its failure interests nobody now. */
  #leaveSource(): void {
    const leave = async () => void (await this.#iterator.return?.())
    leave().catch(() => {})
  }
}

import type { HeaderList } from '@carillon/http2'
import type { PooledConnection } from './pooled-connection.ts'
import type { Notification } from './push.ts'
import type { PushResult } from './result.ts'
import type { AmbiguityPolicy } from './retry-options.ts'

/** Who waits for results without a promise each. */
export interface ResultLane {
  settled(pending: PendingPush, result: PushResult): void
}

/** Who can take a push back. */
export interface PushOwner {
  abort(pending: PendingPush): void
}

/** What makes a request of channel management or a broadcast of a push. */
export interface ChannelCall {
  readonly method: string
  /** Headers beside those that every request has. */
  readonly headers: HeaderList
  /** Keeps what it needs of a success; `body` is valid only during the call. */
  onSuccess(headers: HeaderList, body: Uint8Array): void
}

/** One push from `send` to its result: the only record that a push costs. It is on one list at a time. */
export class PendingPush {
  readonly path: string
  readonly apnsId: string
  readonly topic: string
  readonly pushType: string
  readonly priority: string
  readonly expiration: string
  readonly collapseId: string
  /** Text where its bytes are not needed before they are sent. */
  readonly body: Uint8Array | string
  readonly signal: AbortSignal | undefined
  /** '' where the push type decides. */
  whenAmbiguous: AmbiguityPolicy | '' = ''
  /** When the app registered, in milliseconds since 1970; 0 if unknown. */
  registeredAt = 0
  /** Set for requests that are no device push. */
  call: ChannelCall | undefined = undefined

  /** By the pool's steady clock, in milliseconds; re-sends do not change it. */
  queuedAt = 0
  openedAt = 0
  connection: PooledConnection | undefined = undefined
  streamId = 0
  /** Version of the provider token that it was sent with last. */
  tokenVersion = 0
  /** Requests that were made for it. */
  requests = 0
  /** Those of them that the service certainly did not process. */
  resends = 0
  /** The answer to one of them was lost: it may have been accepted. */
  isAmbiguous = false
  /** It pauses before its next attempt. */
  isPausing = false
  /** It was sent again because the service asked for a new token or connection: that happens once. */
  hasMoved = false

  list: PushList | undefined = undefined
  previous: PendingPush | undefined = undefined
  next: PendingPush | undefined = undefined

  resolve: ((result: PushResult) => void) | undefined = undefined
  lane: ResultLane | undefined = undefined
  source: Notification | undefined = undefined
  index = 0
  deviceToken = ''
  owner: PushOwner | undefined = undefined

  constructor(
    path: string,
    apnsId: string,
    topic: string,
    pushType: string,
    priority: string,
    expiration: string,
    collapseId: string,
    body: Uint8Array | string,
    signal: AbortSignal | undefined,
  ) {
    this.path = path
    this.apnsId = apnsId
    this.topic = topic
    this.pushType = pushType
    this.priority = priority
    this.expiration = expiration
    this.collapseId = collapseId
    this.body = body
    this.signal = signal
  }

  /** Requests that the service may have processed. */
  get answeredAttempts(): number {
    return this.requests - this.resends
  }

  /** Hands the result to whoever waits for it. */
  settle(result: PushResult): void {
    if (this.lane !== undefined) this.lane.settled(this, result)
    else this.resolve?.(result)
  }

  /** The record is itself the listener of its signal, so that no closure is needed. */
  handleEvent(): void {
    this.owner?.abort(this)
  }
}

/** A list through the records themselves: appending and taking out anywhere cost the same, nothing is allocated. */
export class PushList {
  first: PendingPush | undefined = undefined
  #last: PendingPush | undefined = undefined
  size = 0

  append(push: PendingPush): void {
    push.list = this
    push.previous = this.#last
    push.next = undefined
    if (this.#last === undefined) this.first = push
    else this.#last.next = push
    this.#last = push
    this.size += 1
  }

  remove(push: PendingPush): void {
    if (push.previous === undefined) this.first = push.next
    else push.previous.next = push.next
    if (push.next === undefined) this.#last = push.previous
    else push.next.previous = push.previous
    push.list = undefined
    push.previous = undefined
    push.next = undefined
    this.size -= 1
  }
}

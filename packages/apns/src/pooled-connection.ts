import type { ClientConnection, ClientHandler, EndReason, ErrorCode, HeaderList } from '@carillon/http2'
import { type Reason, readErrorBody, reasonOf } from '@carillon/wire'
import { refusalPauseMsFirst, refusalPauseMsMax } from './limits.ts'
import { type PendingPush, PushList } from './pending-push.ts'
import type { Transport } from './runtime.ts'

/** What the pool learns from its connections. */
export interface ConnectionEvents {
  onReady(): void
  onRoom(): void
  onAnswer(
    connection: PooledConnection,
    push: PendingPush,
    status: number,
    headers: HeaderList,
    body: Uint8Array,
  ): void
  onStreamReset(push: PendingPush, code: ErrorCode): void
  onRefused(connection: PooledConnection, push: PendingPush): void
  onGoaway(connection: PooledConnection): void
  onEnded(connection: PooledConnection, reason: EndReason): void
}

/**
 * - `connecting`: no SETTINGS of the service yet, so nothing was sent
 * - `open`: takes pushes
 * - `retiring`: finishes what it has
 * - `ended`
 */
export type ConnectionState = 'connecting' | 'open' | 'retiring' | 'ended'

/** One connection of a pool: the engine's connection, its transport, and what the pool must know of it. */
export class PooledConnection implements ClientHandler<PendingPush> {
  readonly #events: ConnectionEvents
  http2!: ClientConnection<PendingPush>
  transport!: Transport
  state: ConnectionState = 'connecting'
  /** In the order in which their streams were opened, so the first is the one that waits longest. */
  readonly inFlight = new PushList()
  /** The engine had no room for the last request; it will call. */
  isFull = true
  answers = 0
  /** It was ready for pushes at some time. */
  wasOpen = false
  /** The highest stream limit of the service seen here. */
  limitSeenMax = 0
  idleSince: number
  /** Version of the first provider token used here; 0 before, and with a certificate. */
  firstTokenVersion = 0
  /** Why the service said goodbye, where it said so. */
  goawayReason: Reason | undefined = undefined
  #refusals = 0
  #refusedAt = Number.NEGATIVE_INFINITY
  #pausedUntil = 0
  #answersSeen = 0
  #silentSince = 0

  constructor(events: ConnectionEvents, now: number) {
    this.#events = events
    this.#silentSince = now
    this.idleSince = now
  }

  /** Whether it is worth asking for a stream. */
  hasRoom(now: number): boolean {
    return !this.isFull && this.state === 'open' && now >= this.#pausedUntil
  }

  /** Called with each tick: notes the limit, and asks for a sign of life when answers are due and none comes. */
  watch(now: number, silentMsMax: number): void {
    this.limitSeenMax = Math.max(this.limitSeenMax, this.http2.openStreams + this.http2.availableStreams)
    if (this.answers !== this.#answersSeen || this.inFlight.size === 0) {
      this.#answersSeen = this.answers
      this.#silentSince = now
    } else if (now - this.#silentSince >= silentMsMax) {
      this.#silentSince = now
      // A missing answer ends the connection: that is the engine's limit `pingAckMsMax`.
      this.http2.ping(() => {})
    }
  }

  /** No new pushes; what is open here finishes, then the connection closes. */
  retire(): void {
    if (this.state === 'ended' || this.state === 'retiring') return
    this.state = 'retiring'
    this.http2.drain()
  }

  /**
   * A service that refuses again and again is given pauses that double, until it answers a push. The streams that
   * were open already when it began to refuse are one and the same refusal.
   */
  refusedAt(now: number, push: PendingPush): void {
    if (push.openedAt <= this.#refusedAt) return
    this.#refusedAt = now
    this.#refusals += 1
    if (this.#refusals < 2) return
    const pause = refusalPauseMsFirst * 2 ** Math.min(this.#refusals - 2, 20)
    this.#pausedUntil = now + Math.min(pause, refusalPauseMsMax)
  }

  onResponse(push: PendingPush, status: number, headers: HeaderList, body: Uint8Array): void {
    this.answers += 1
    this.#refusals = 0
    this.#pausedUntil = 0
    this.inFlight.remove(push)
    this.#events.onAnswer(this, push, status, headers, body)
  }

  onReset(push: PendingPush, code: ErrorCode): void {
    this.inFlight.remove(push)
    this.#events.onStreamReset(push, code)
  }

  onRefused(push: PendingPush): void {
    this.inFlight.remove(push)
    this.#events.onRefused(this, push)
  }

  onCapacity(): void {
    this.isFull = false
    if (this.state === 'connecting') this.state = 'open'
    if (!this.wasOpen) {
      this.wasOpen = true
      this.#events.onReady()
    }
    this.#events.onRoom()
  }

  onGoaway(_code: ErrorCode, debugData: Uint8Array, _lastStreamId: number): void {
    if (this.state !== 'ended') this.state = 'retiring'
    // Apple: "Handling notification responses from APNs": the debug data is JSON with a reason of the table.
    const said = readErrorBody(debugData)
    if (said !== undefined) this.goawayReason = reasonOf(said.reason, 0)
    this.#events.onGoaway(this)
  }

  /** What was unanswered is in `inFlight`, which the pool settles. */
  onEnd(reason: EndReason, _unanswered: PendingPush[]): void {
    this.state = 'ended'
    this.#events.onEnded(this, reason)
  }
}

import { type EndReason, type ErrorCode, errorCodeName, type HeaderList } from '@carillon/http2'
import type { Reason } from '@carillon/wire'
import { ConnectionSet, type ConnectionSetOptions } from './connection-set.ts'
import { idleTickMs, type Limits, tickMs } from './limits.ts'
import { acceptedBy, reasonOfAnswer, rejectedBy, unansweredBy } from './outcome.ts'
import { type PendingPush, PushList, type PushOwner } from './pending-push.ts'
import type { ConnectionEvents, PooledConnection } from './pooled-connection.ts'
import type { PushClientStats, PushResult, TransportReason } from './push.ts'
import { requestHeaders } from './request-headers.ts'
import type { Runtime, Ticker } from './runtime.ts'
import { SteadyClock } from './steady-clock.ts'
import type { TokenSigner } from './token-signer.ts'

export interface PoolOptions extends ConnectionSetOptions {
  readonly authority: string
  readonly signer: TokenSigner | undefined
  readonly runtime: Runtime
}

/**
 * Gives pushes to connections, and every push exactly one result. Without I/O of its own: time comes with `tick`,
 * bytes come and go in the engine.
 *
 * A push is on one list at any time: `again` (goes out once more, before all others), `waiting`, or the `inFlight`
 * of one connection. It leaves them for good in `#settle` and nowhere else.
 */
export class PushPool implements ConnectionEvents, PushOwner {
  readonly #options: PoolOptions
  readonly #limits: Limits
  readonly #runtime: Runtime
  readonly #clock: SteadyClock
  readonly #connections: ConnectionSet
  readonly #ticker: Ticker
  readonly #again = new PushList()
  readonly #waiting = new PushList()
  #pending = 0
  #isAwake = false
  #isPumpDue = false
  /** `open` takes pushes, `draining` finishes what it has, `closed` only waits for its connections to end. */
  #state: 'open' | 'draining' | 'closed' = 'open'
  #drainUntil = Number.POSITIVE_INFINITY
  #closed = Promise.withResolvers<void>()

  #sent = 0
  #accepted = 0
  #rejected = 0
  #unanswered = 0
  #resent = 0

  constructor(options: PoolOptions) {
    this.#options = options
    this.#limits = options.limits
    this.#runtime = options.runtime
    this.#clock = new SteadyClock(() => options.runtime.now())
    this.#connections = new ConnectionSet(options)
    this.#ticker = options.runtime.ticker(() => this.tick(this.#clock.now()))
  }

  /** Takes a push. Its `settle` is called exactly once, at once where it cannot be taken. */
  submit(push: PendingPush): void {
    const now = this.#clock.now()
    this.#pending += 1
    push.queuedAt = now
    push.owner = this
    if (this.#state !== 'open') {
      return this.#giveUp(push, 'ClientClosed', false, 'This client is closed; make a new one.')
    }
    if (push.signal !== undefined) {
      if (push.signal.aborted) return this.#giveUp(push, 'Aborted', false, 'Aborted before it was sent.')
      push.signal.addEventListener('abort', push, { once: true })
    }
    if (!this.#isAwake) this.#wake()
    if (this.#waiting.size === 0 && this.#again.size === 0) {
      const connection = this.#connections.withRoom(now)
      if (connection !== undefined && this.#send(connection, push, now)) return
    }
    if (this.#waiting.size >= this.#limits.queuedMax) {
      const hint = `${this.#waiting.size} pushes are waiting already. Await results, or use sendMany.`
      return this.#giveUp(push, 'QueueFull', false, hint)
    }
    this.#waiting.append(push)
    // Later ones need no more: connections that are full call when they have room, the others are under way.
    if (this.#waiting.size === 1) this.#connections.ensureOne(this, now)
  }

  /** The caller takes a push back. */
  abort(push: PendingPush): void {
    if (push.list === undefined) return
    const { connection } = push
    const wasSent = connection !== undefined
    this.#giveUp(push, 'Aborted', wasSent, wasSent ? 'Aborted before its answer came.' : 'Aborted, not sent.')
    connection?.http2.cancel(push.streamId)
  }

  /** Takes no more pushes, lets those it has finish for at most `msMax`, then closes; resolves when all is closed. */
  close(msMax: number): Promise<void> {
    this.#drainUntil = Math.min(this.#drainUntil, this.#clock.now() + msMax)
    if (this.#state === 'open') {
      this.#state = 'draining'
      if (this.#pending === 0) this.#shutDown()
    }
    return this.#closed.promise
  }

  stats(): PushClientStats {
    let inFlight = 0
    let open = 0
    for (const connection of this.#connections.all) {
      inFlight += connection.inFlight.size
      if (connection.state === 'open') open += 1
    }
    return {
      sent: this.#sent,
      accepted: this.#accepted,
      rejected: this.#rejected,
      unanswered: this.#unanswered,
      resent: this.#resent,
      inFlight,
      queued: this.#waiting.size + this.#again.size,
      connections: open,
      connectionsOpened: this.#connections.opened,
      connectsFailed: this.#connections.failed,
    }
  }

  // What connections tell

  onRoom(): void {
    if (this.#again.size + this.#waiting.size > 0) this.#pump()
  }

  onAnswer(
    connection: PooledConnection,
    push: PendingPush,
    status: number,
    headers: HeaderList,
    body: Uint8Array,
  ): void {
    if (connection.answers === 1) this.#connections.proved()
    if (connection.inFlight.size === 0) connection.idleSince = this.#clock.now()
    if (status === 200) {
      this.#accepted += 1
      this.#settle(push, acceptedBy(push, headers))
      return
    }
    const { reason, timestampMs } = reasonOfAnswer(status, body)
    if (this.#mendsAndResends(connection, push, reason)) return
    this.#reject(push, reason, status, timestampMs)
  }

  onStreamReset(push: PendingPush, code: ErrorCode): void {
    const hint = `The service reset the stream (${errorCodeName(code)}) instead of answering.`
    this.#giveUp(push, 'StreamReset', true, hint)
  }

  onRefused(connection: PooledConnection, push: PendingPush): void {
    const farewell = connection.goawayReason
    if (farewell?.fixer === 'account') {
      // Observed: a certificate of the wrong environment is answered with GOAWAY and the reason, not with a 403.
      return this.#reject(push, farewell, farewell.status)
    }
    if (connection.state === 'open') connection.refusedAt(this.#clock.now(), push)
    if (push.resends >= this.#limits.resendsMax || this.#state === 'closed') {
      return this.#giveUp(
        push,
        'Refused',
        false,
        `The service refused it unprocessed ${push.resends + 1} times.`,
      )
    }
    this.#sendAgain(push)
  }

  onGoaway(connection: PooledConnection): void {
    const reason = connection.goawayReason
    if (reason?.fixer === 'account' && connection.answers === 0) {
      // What waits would meet the same answer, each on a connection of its own.
      this.#forEachQueued((push) => this.#reject(push, reason, reason.status))
    }
    // Make before break: what is left goes to another connection while this one finishes.
    if (this.#pending > 0) this.#pumpSoon()
  }

  onEnded(connection: PooledConnection, reason: EndReason): void {
    const why = this.#state === 'closed' ? 'ClientClosed' : 'ConnectionLost'
    const hint = `The connection ended before the answer: ${reason.message}`
    for (let push = connection.inFlight.first; push !== undefined; push = connection.inFlight.first) {
      this.#giveUp(push, why, true, hint)
    }
    const failure = this.#connections.ended(connection, reason, this.#clock.now())
    if (failure?.isDefinitive) {
      this.#forEachQueued((push) => this.#giveUp(push, 'ConnectFailed', false, failure.message))
    }
    if (this.#state === 'closed') this.#finishIfEnded()
    else if (this.#pending > 0) this.#pumpSoon()
  }

  // Time

  /** Deadlines, back-off, growth; arms the next tick. */
  tick(now: number): void {
    if (this.#state === 'closed') {
      // They were told to close and did not.
      for (const connection of [...this.#connections.all]) connection.transport.destroy()
      return
    }
    this.#expireInFlight(now)
    this.#expireQueued(now)
    if (now >= this.#drainUntil) return this.#shutDown()
    this.#connections.tend(this, now, this.#waiting.size > 0)
    this.#pump()
    if (this.#pending > 0) this.#ticker.arm(tickMs, true)
    else this.#rest()
  }

  #expireInFlight(now: number): void {
    const oldest = now - this.#limits.answerMsMax
    const hint = `No answer within ${this.#limits.answerMsMax} ms.`
    for (const { inFlight, http2 } of [...this.#connections.all]) {
      for (let push = inFlight.first; push !== undefined && push.openedAt <= oldest; push = inFlight.first) {
        // Off the list first: cancelling the last stream of a retiring connection ends it at once.
        this.#giveUp(push, 'DeadlineExceeded', true, hint)
        http2.cancel(push.streamId)
      }
    }
  }

  #expireQueued(now: number): void {
    const oldest = now - this.#limits.queuedMsMax
    const failure = this.#connections.failure
    const why: TransportReason = failure === undefined ? 'DeadlineExceeded' : 'ConnectFailed'
    const hint = failure?.message ?? `No free stream within ${this.#limits.queuedMsMax} ms.`
    // `again` is not in the order of `queuedAt`, but it is never longer than what was in flight.
    for (let push = this.#again.first; push !== undefined; ) {
      const next: PendingPush | undefined = push.next
      if (push.queuedAt <= oldest) this.#giveUp(push, why, false, hint)
      push = next
    }
    const { first } = this.#waiting
    for (let push = first; push !== undefined && push.queuedAt <= oldest; push = this.#waiting.first) {
      this.#giveUp(push, why, false, hint)
    }
  }

  #wake(): void {
    this.#isAwake = true
    for (const { transport } of this.#connections.all) transport.ref()
    this.#ticker.arm(tickMs, true)
  }

  /** Nothing pending: the process may exit, and ticks are rare. */
  #rest(): void {
    this.#isAwake = false
    for (const { transport } of this.#connections.all) transport.unref()
    if (this.#connections.all.length > 0) this.#ticker.arm(idleTickMs, false)
  }

  // Sending

  #pumpSoon(): void {
    if (this.#isPumpDue) return
    this.#isPumpDue = true
    this.#runtime.soon(() => {
      this.#isPumpDue = false
      this.#pump()
    })
  }

  /** Sends what can be sent. */
  #pump(): void {
    if (this.#state === 'closed') return
    const now = this.#clock.now()
    for (;;) {
      const push = this.#again.first ?? this.#waiting.first
      if (push === undefined) return
      const connection = this.#connections.withRoom(now)
      if (connection === undefined) return this.#connections.ensureOne(this, now)
      this.#send(connection, push, now)
    }
  }

  #send(connection: PooledConnection, push: PendingPush, now: number): boolean {
    const token = this.#options.signer?.token(this.#clock.wallAt(now))
    const headers = requestHeaders(push, this.#options.authority, token?.header)
    const streamId = connection.http2.request(headers, push.body, push)
    if (streamId < 0) {
      connection.isFull = true
      return false
    }
    push.list?.remove(push)
    push.connection = connection
    push.streamId = streamId
    push.openedAt = now
    if (token !== undefined) {
      push.tokenVersion = token.version
      connection.firstTokenVersion ||= token.version
    }
    connection.inFlight.append(push)
    this.#sent += 1
    return true
  }

  /** The service did not process this push: it goes out again, before all others. */
  #sendAgain(push: PendingPush): void {
    push.connection = undefined
    push.resends += 1
    this.#resent += 1
    this.#again.append(push)
    this.#pumpSoon()
  }

  /** A rejection that only asks for a new provider token or another connection is mended once, and sent again. */
  #mendsAndResends(connection: PooledConnection, push: PendingPush, reason: Reason): boolean {
    if (reason.retry === 'renewToken') {
      const now = this.#runtime.now()
      const { signer } = this.#options
      if (signer === undefined) return false
      signer.renewExpired(push.tokenVersion, now)
      // Observed: after an expired token a connection may go on rejecting, whatever token comes next.
      this.#connections.retireOlderThan(signer.token(now).version)
      // A connection that knows no other token than the newest: nothing is left to try.
      if (connection.state === 'open') return false
    } else if (reason.retry === 'newConnection') connection.retire()
    else return false
    if (push.hasMoved || this.#state === 'closed') return false
    push.hasMoved = true
    this.#sendAgain(push)
    return true
  }

  // Results

  #giveUp(push: PendingPush, reason: TransportReason, isAmbiguous: boolean, hint: string): void {
    this.#unanswered += 1
    this.#settle(push, unansweredBy(push.apnsId, reason, isAmbiguous, hint))
  }

  #reject(push: PendingPush, reason: Reason, status: number, timestampMs?: number): void {
    this.#rejected += 1
    this.#settle(push, rejectedBy(push, reason, status, timestampMs))
  }

  #settle(push: PendingPush, result: PushResult): void {
    push.list?.remove(push)
    push.connection = undefined
    push.signal?.removeEventListener('abort', push)
    this.#pending -= 1
    push.settle(result)
    // Not from within a call of the engine, which may be on its way through a batch of answers.
    if (this.#pending === 0 && this.#state === 'draining') this.#runtime.soon(() => this.#shutDown())
  }

  #forEachQueued(action: (push: PendingPush) => void): void {
    for (const list of [this.#again, this.#waiting]) {
      for (let push = list.first; push !== undefined; push = list.first) action(push)
    }
  }

  // The end

  #shutDown(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    const hint = 'The client was closed.'
    this.#forEachQueued((push) => this.#giveUp(push, 'ClientClosed', false, hint))
    for (const { inFlight, http2 } of [...this.#connections.all]) {
      for (let push = inFlight.first; push !== undefined; push = inFlight.first) {
        this.#giveUp(push, 'ClientClosed', true, hint)
        http2.cancel(push.streamId)
      }
      http2.close()
    }
    this.#finishIfEnded()
    if (this.#connections.all.length > 0) this.#ticker.arm(1000, true)
  }

  #finishIfEnded(): void {
    if (this.#connections.all.length > 0) return
    this.#ticker.stop()
    this.#closed.resolve()
  }
}

import { type EndReason, type ErrorCode, errorCodeName, type HeaderList } from '@carillon/http2'
import type { Environment, Reason } from '@carillon/wire'
import { ConnectionSet, type ConnectionSetOptions } from './connection-set.ts'
import { Counters, type PushClientStats } from './counters.ts'
import { idleTickMs, type Limits, tickMs } from './limits.ts'
import { type Answer, acceptedBy, answerOf, rejectedBy, unansweredBy } from './outcome.ts'
import type { PendingPush, PushOwner } from './pending-push.ts'
import type { ConnectionEvents, PooledConnection } from './pooled-connection.ts'
import { PushQueue } from './push-queue.ts'
import { requestHeaders } from './request-headers.ts'
import type { PushResult, TransportReason } from './result.ts'
import { retryAfterOf } from './retry-after.ts'
import type { ResolvedRetry, RetryClass } from './retry-options.ts'
import { RetryPlan, retryClassOf } from './retry-plan.ts'
import type { Runtime, Ticker } from './runtime.ts'
import { SteadyClock } from './steady-clock.ts'
import type { Telemetry } from './telemetry.ts'
import type { TokenSigner } from './token-signer.ts'

export interface PoolOptions extends ConnectionSetOptions {
  readonly environment: Environment
  readonly retry: ResolvedRetry
  readonly authority: string
  readonly signer: TokenSigner | undefined
  readonly runtime: Runtime
}

/**
 * Gives pushes to connections, and every push exactly one result. Without I/O of its own: time comes with `tick`,
 * bytes come and go in the engine.
 *
 * A push is on one list at any time: `again` (goes out once more, before all others), `waiting`, the `inFlight` of
 * one connection, or one of those that pause before a further attempt. It leaves them for good in `#settle` and nowhere else.
 */
export class PushPool implements ConnectionEvents, PushOwner {
  readonly #options: PoolOptions
  readonly #limits: Limits
  readonly #runtime: Runtime
  readonly #clock: SteadyClock
  readonly #connections: ConnectionSet
  readonly #ticker: Ticker
  readonly #queue = new PushQueue()
  readonly #plan: RetryPlan
  readonly #telemetry: Telemetry
  readonly #counters = new Counters()
  #pending = 0
  #isAwake = false
  #isPumpDue = false
  /** `open` takes pushes, `draining` finishes what it has, `closed` only waits for its connections to end. */
  #state: 'open' | 'draining' | 'closed' = 'open'
  #drainUntil = Number.POSITIVE_INFINITY
  #closed = Promise.withResolvers<void>()

  constructor(options: PoolOptions) {
    this.#options = options
    this.#limits = options.limits
    this.#runtime = options.runtime
    this.#clock = new SteadyClock(() => options.runtime.now())
    this.#connections = new ConnectionSet(options)
    this.#telemetry = options.telemetry
    this.#plan = new RetryPlan(options.retry, options.limits, options.random)
    this.#ticker = options.runtime.ticker(() => this.tick(this.#clock.now()))
  }

  get isClosing(): boolean {
    return this.#state !== 'open'
  }

  /** Takes a push. Its `settle` is called exactly once, at once where it cannot be taken. */
  submit(push: PendingPush): void {
    const now = this.#clock.now()
    this.#pending += 1
    push.queuedAt = now
    push.owner = this
    if (this.#state !== 'open') {
      return this.#giveUp(push, 'ClientClosed', 'This client is closed; make a new one.')
    }
    if (push.signal !== undefined) {
      if (push.signal.aborted) return this.#giveUp(push, 'Aborted', 'Aborted before it was sent.')
      push.signal.addEventListener('abort', push, { once: true })
    }
    if (!this.#isAwake) this.#wake()
    if (this.#queue.ready === 0) {
      const connection = this.#connections.withRoom(now)
      if (connection !== undefined && this.#send(connection, push, now)) return
    }
    if (this.#isQueueFull()) {
      const hint = `${this.#limits.queuedMax} pushes are waiting already. Await results, or use sendMany.`
      return this.#giveUp(push, 'QueueFull', hint)
    }
    this.#queue.add(push)
    // Later ones need no more: connections that are full call when they have room, the others are under way.
    if (this.#queue.waiting === 1) this.#connections.ensureOne(this, now)
  }

  /** The caller takes a push back. */
  abort(push: PendingPush): void {
    if (push.list === undefined) return
    const { connection } = push
    if (connection !== undefined) push.isAmbiguous = true
    this.#giveUp(push, 'Aborted', push.isAmbiguous ? 'Aborted before its answer came.' : 'Aborted, not sent.')
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
    const { ready: queued, pausing } = this.#queue
    return { ...this.#counters.stats(), queued, pausing, ...this.#connections.stats() }
  }

  // What connections tell

  onReady(): void {
    this.#telemetry.connection('ready')
  }

  onRoom(): void {
    if (this.#queue.ready > 0) this.#pump()
  }

  onAnswer(
    connection: PooledConnection,
    push: PendingPush,
    status: number,
    headers: HeaderList,
    body: Uint8Array,
  ): void {
    const now = this.#clock.now()
    if (connection.answers === 1) this.#connections.proved()
    if (connection.inFlight.size === 0) connection.idleSince = now
    this.#counters.answeredIn(now - push.openedAt)
    if (status === 200 || (status < 300 && push.call !== undefined)) {
      push.call?.onSuccess(headers, body)
      this.#settle(push, acceptedBy(push, headers), now)
      return
    }
    const { reason, timestampMs } = answerOf(status, body)
    if (this.#mendsAndResends(connection, push, reason)) return
    const retryAfterMs = retryAfterOf(headers, this.#clock.wallAt(now))
    const kind = retryClassOf(reason)
    if (kind !== undefined && this.#retries(push, kind, reason.text, retryAfterMs, now)) return
    this.#reject(push, { reason, status, timestampMs, retryAfterMs })
  }

  onStreamReset(push: PendingPush, code: ErrorCode): void {
    const hint = `The service reset the stream (${errorCodeName(code)}) instead of answering.`
    this.#lostAnswer(push, 'StreamReset', hint)
  }

  onRefused(connection: PooledConnection, push: PendingPush): void {
    const farewell = connection.goawayReason
    if (farewell?.fixer === 'account') {
      // Observed: a certificate of the wrong environment is answered with GOAWAY and the reason, not with a 403.
      return this.#reject(push, { reason: farewell, status: farewell.status })
    }
    if (connection.state === 'open') connection.refusedAt(this.#clock.now(), push)
    if (push.resends >= this.#limits.resendsMax || this.#state === 'closed') {
      return this.#giveUp(
        push,
        'Refused',
        `The service refused it unprocessed ${push.resends + 1} times. Send it again later.`,
      )
    }
    this.#sendAgain(push)
  }

  onGoaway(connection: PooledConnection): void {
    const reason = connection.goawayReason
    this.#telemetry.connection('goaway', reason?.text)
    if (reason?.fixer === 'account' && connection.answers === 0) {
      // What waits would meet the same answer, each on a connection of its own.
      this.#queue.each((push) => this.#reject(push, { reason, status: reason.status }))
    }
    // Make before break: what is left goes to another connection while this one finishes.
    if (this.#pending > 0) this.#pumpSoon()
  }

  onEnded(connection: PooledConnection, reason: EndReason): void {
    const why = this.#state === 'closed' ? 'ClientClosed' : 'ConnectionLost'
    const hint = `The connection ended before the answer: ${reason.message}`
    for (let push = connection.inFlight.first; push !== undefined; push = connection.inFlight.first) {
      if (why === 'ConnectionLost') this.#lostAnswer(push, why, hint)
      else this.#giveUpOpen(push, why, hint)
    }
    const failure = this.#connections.ended(connection, reason, this.#clock.now())
    // While another one works, what waits goes there.
    if (failure?.isDefinitive && !this.#connections.hasOpen) {
      this.#queue.each((push) => this.#giveUp(push, 'ConnectFailed', failure.message))
    }
    if (this.#state === 'closed') this.#finishIfEnded()
    else if (this.#pending > 0) this.#pumpSoon()
  }

  // Time

  /** Deadlines, back-off, growth; arms the next tick. */
  tick(now: number): void {
    if (this.#state === 'closed') {
      // They were told to close and did not.
      return this.#connections.destroy()
    }
    this.#queue.endPauses(now)
    this.#expireInFlight(now)
    this.#expireQueued(now)
    if (now >= this.#drainUntil) return this.#shutDown()
    this.#connections.tend(this, now, this.#queue.waiting > 0)
    this.#pump()
    if (this.#pending > 0) this.#ticker.arm(tickMs, true)
    else this.#rest()
  }

  #expireInFlight(now: number): void {
    const { answerMsMax } = this.#limits
    const hint = `No answer within ${answerMsMax} ms.`
    this.#connections.cancelOpenedUntil(now - answerMsMax, (push) =>
      this.#lostAnswer(push, 'DeadlineExceeded', hint),
    )
  }

  #expireQueued(now: number): void {
    const oldest = now - this.#limits.queuedMsMax
    const failure = this.#connections.failure
    const why: TransportReason = failure === undefined ? 'DeadlineExceeded' : 'ConnectFailed'
    const hint =
      failure?.message ??
      `No free stream within ${this.#limits.queuedMsMax} ms. Send more slowly, or raise limits.connectionsMax.`
    this.#queue.eachQueuedUntil(oldest, (push) => this.#giveUp(push, why, hint))
  }

  #wake(): void {
    this.#isAwake = true
    this.#connections.keepAlive(true)
    this.#ticker.arm(tickMs, true)
  }

  /** Nothing pending: the process may exit, and ticks are rare. */
  #rest(): void {
    this.#isAwake = false
    this.#connections.keepAlive(false)
    if (!this.#connections.isEmpty) this.#ticker.arm(idleTickMs, false)
  }

  #isQueueFull(): boolean {
    return this.#queue.waiting + this.#queue.pausing >= this.#limits.queuedMax
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
      const push = this.#queue.first
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
    push.requests += 1
    if (token !== undefined) {
      push.tokenVersion = token.version
      connection.firstTokenVersion ||= token.version
    }
    connection.inFlight.append(push)
    this.#counters.sent += 1
    return true
  }

  /** The service did not process this push: it goes out again, before all others. */
  #sendAgain(push: PendingPush): void {
    push.connection = undefined
    push.resends += 1
    this.#counters.resent += 1
    this.#queue.addAgain(push)
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

  /** Puts a failed push aside for a further attempt, where there is one. */
  #retries(
    push: PendingPush,
    kind: RetryClass,
    reason: string,
    retryAfterMs: number | undefined,
    now: number,
  ): boolean {
    if (this.#state !== 'open' || this.#isQueueFull()) return false
    const delayMs = this.#plan.delayMs(push, kind, retryAfterMs, now, this.#clock.wallAt(now))
    if (delayMs < 0) return false
    push.list?.remove(push)
    push.connection = undefined
    this.#counters.retried += 1
    this.#queue.pause(push, now + delayMs)
    this.#telemetry.retry(push, reason, delayMs)
    return true
  }

  // Results

  /** It was sent, and nobody knows what became of it: by its policy it goes out again, or ends as ambiguous. */
  #lostAnswer(push: PendingPush, reason: TransportReason, hint: string): void {
    push.isAmbiguous = true
    const resends = this.#plan.resendsAmbiguous(push)
    if (resends && this.#retries(push, 'transport', reason, undefined, this.#clock.now())) return
    this.#giveUp(push, reason, hint)
  }

  /** It was sent, and there is no time left to ask again. */
  #giveUpOpen(push: PendingPush, reason: TransportReason, hint: string): void {
    push.isAmbiguous = true
    this.#giveUp(push, reason, hint)
  }

  #giveUp(push: PendingPush, reason: TransportReason, hint: string): void {
    const result = unansweredBy(push, reason, hint, this.#plan.adviceMs('transport', undefined))
    this.#settle(push, result, this.#clock.now())
  }

  #reject(push: PendingPush, answer: Answer): void {
    const kind = retryClassOf(answer.reason)
    const adviceMs = kind === undefined ? undefined : this.#plan.adviceMs(kind, answer.retryAfterMs)
    this.#settle(push, rejectedBy(push, answer, adviceMs, this.#options.environment), this.#clock.now())
  }

  #settle(push: PendingPush, result: PushResult, now: number): void {
    this.#queue.remove(push)
    push.connection = undefined
    push.signal?.removeEventListener('abort', push)
    this.#pending -= 1
    this.#counters.settled(result)
    if (this.#telemetry.tellsPushes) this.#telemetry.done(push, result, now)
    push.settle(result)
    // Not from within a call of the engine, which may be on its way through a batch of answers.
    if (this.#pending === 0 && this.#state === 'draining') this.#runtime.soon(() => this.#shutDown())
  }

  // The end

  #shutDown(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    const hint = 'The client was closed before it was sent: give close() a longer drainMsMax.'
    this.#queue.each((push) => this.#giveUp(push, 'ClientClosed', hint))
    this.#connections.cancelOpenedUntil(Number.POSITIVE_INFINITY, (push) =>
      this.#giveUpOpen(push, 'ClientClosed', 'The client was closed before the answer.'),
    )
    this.#connections.close()
    this.#finishIfEnded()
    if (!this.#connections.isEmpty) this.#ticker.arm(1000, true)
  }

  #finishIfEnded(): void {
    if (!this.#connections.isEmpty) return
    this.#ticker.stop()
    this.#closed.resolve()
  }
}

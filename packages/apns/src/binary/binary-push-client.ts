import { type BinaryErrorPacket, binaryStatuses, binaryStatusName } from '@carillon/wire'
import { ConnectPace } from '../connect-pace.ts'
import { nodeRuntime } from '../drivers/node-runtime.ts'
import { tickMs } from '../limits.ts'
import type { Runtime, Ticker } from '../runtime.ts'
import { SteadyClock } from '../steady-clock.ts'
import { BinaryConnection } from './binary-connection.ts'
import {
  type BinaryPushClientOptions,
  type ResolvedBinaryOptions,
  resolveBinaryOptions,
} from './binary-options.ts'
import {
  type BinaryPush,
  type BinaryPushResult,
  binaryAccepted,
  type PendingBinaryPush,
} from './binary-push.ts'
import { rejectedBy, unanswered } from './binary-results.ts'
import { type OpenLegacyTransport, openLegacyTransport } from './drivers/legacy-transport.ts'
import { legacyConnectFailure } from './legacy-error.ts'
import { type LegacyTarget, legacyTargetOf } from './legacy-target.ts'
import { prepareBinaryPush } from './prepare-binary-push.ts'

/**
 * Sends notifications over the original protocol of Apple's service, which Apple switched off on 31 March 2021. For
 * our service, and others that still speak it; a new program uses `PushClient`.
 *
 * ```ts
 * const sent = tokens.map((deviceToken) => client.send({ deviceToken, payload: { aps: { alert: 'Hello' } } }))
 * await client.flush()
 * ```
 *
 * The service answers the first bad notification of a connection and nothing else. So a notification has its result
 * when the service can say nothing about it any more: when it named a later one, or after a question that only a
 * connection's end can answer (see `limits.quietMs`). Send many before you wait for the first: waiting for each
 * takes a connection for each. What followed a bad notification is sent again on a new connection, in order.
 */
export class BinaryPushClient implements AsyncDisposable {
  readonly #target: LegacyTarget
  readonly #options: ResolvedBinaryOptions
  readonly #runtime: Runtime
  readonly #open: OpenLegacyTransport
  readonly #clock: SteadyClock
  readonly #pace: ConnectPace
  readonly #ticker: Ticker
  /** Not on the connection of now, in the order of `send`. */
  #queue: PendingBinaryPush[] = []
  #connection: BinaryConnection | undefined
  /** Numbers go on from connection to connection, so that none is taken for one of an earlier one. */
  #nextIdentifier = 1
  #numberOfSends = 0
  #lastWriteAt = 0
  #flushedAt = 0
  #isScheduled = false
  #connectFailure: string | undefined
  #waiting: { readonly through: number; readonly resolve: () => void }[] = []
  #closed: Promise<void> | undefined
  #closingAt = Number.POSITIVE_INFINITY

  /** `runtime` and `open`: the world to live in, for simulations. @throws ArgumentError with the name of the option */
  constructor(
    options: BinaryPushClientOptions,
    runtime: Runtime = nodeRuntime,
    open: OpenLegacyTransport = openLegacyTransport,
  ) {
    this.#target = legacyTargetOf(options, 'binary')
    this.#options = resolveBinaryOptions(options)
    this.#runtime = runtime
    this.#open = open
    this.#clock = new SteadyClock(() => runtime.now())
    this.#pace = new ConnectPace(this.#options.limits, (bytes) => runtime.random(bytes))
    this.#ticker = runtime.ticker(() => this.#tick())
  }

  /** Sends one notification; the promise resolves with what became of it. Rejects with ArgumentError only. */
  send(push: BinaryPush): Promise<BinaryPushResult> {
    let prepared: ReturnType<typeof prepareBinaryPush>
    try {
      prepared = prepareBinaryPush(push, this.#options.command, this.#runtime.now())
    } catch (error) {
      return Promise.reject(error)
    }
    if ('ok' in prepared) return Promise.resolve(prepared)
    if (this.#closed !== undefined) return Promise.resolve(unanswered('ClientClosed', false))
    if (this.#queue.length >= this.#options.limits.queuedMax) {
      return Promise.resolve(unanswered('QueueFull', false))
    }
    const { token, payload, expiration, priority } = prepared
    return new Promise((resolve) => {
      const own = { queuedAt: this.#clock.now(), number: ++this.#numberOfSends, mayBeAccepted: false }
      this.#queue.push({ token, payload, expiration, priority, ...own, resolve })
      this.#schedule()
    })
  }

  /** Asks the service about all that was sent; resolves when each notification so far has its result. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ through: this.#numberOfSends, resolve })
      this.#schedule()
    })
  }

  /** Flushes and closes the connection. What has no result within `closeMsMax` ends as `ClientClosed`. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#closingAt = this.#clock.now()
    await this.flush()
    this.#connection?.cut()
    this.#ticker.stop()
  }

  /** All that is sent in one turn leaves together. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#runtime.soon(() => {
      this.#isScheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    const now = this.#clock.now()
    if (this.#queue.length > 0 && this.#connection === undefined && this.#pace.mayConnect(now))
      this.#connect()
    const connection = this.#connection
    if (connection?.isWritable === true) {
      const room = this.#options.limits.historyMax - connection.history.size
      if (this.#queue.length > 0 && room > 0) {
        this.#queue.splice(0, connection.write(this.#queue, room))
        this.#lastWriteAt = now
      } else if (this.#mustFlush(connection, now)) {
        connection.flush()
        this.#flushedAt = now
      }
    }
    this.#wake()
    this.#arm()
  }

  /** Whether to ask about what was sent; nothing is sent on that connection afterwards. */
  #mustFlush({ history }: BinaryConnection, now: number): boolean {
    const { historyMax, quietMs } = this.#options.limits
    if (history.size === 0) return false
    return history.size >= historyMax || this.#waiting.length > 0 || now - this.#lastWriteAt >= quietMs
  }

  #connect(): void {
    this.#pace.connecting()
    const options = { command: this.#options.command, firstIdentifier: this.#nextIdentifier }
    this.#connection = new BinaryConnection(this.#target, this.#open, options, {
      onWritable: () => this.#pump(),
      onOver: (packet, error) => this.#over(packet, error),
    })
  }

  #over(packet: BinaryErrorPacket | undefined, error: Error | undefined): void {
    const connection = this.#connection!
    this.#connection = undefined
    this.#nextIdentifier = connection.history.nextIdentifier
    if (!connection.wasOpen) this.#connectFailed(error)
    else if (packet === undefined || !this.#answered(connection, packet)) this.#lost(connection)
    this.#schedule()
  }

  /** Deals with what was sent as the packet says; false where it does not say which notification it means. */
  #answered(connection: BinaryConnection, packet: BinaryErrorPacket): boolean {
    const { history } = connection
    const { status, identifier } = packet
    const isShutdown = status === binaryStatuses.shutdown.code
    let accepted: number
    if (connection.confirms(packet)) accepted = history.size
    else if (isShutdown && identifier === 0) accepted = 0
    else {
      const place = history.placeOf(identifier)
      if (place < 0) return false
      accepted = isShutdown ? place + 1 : place
    }
    this.#pace.succeeded()
    this.#connectFailure = undefined
    const sent = history.takeAll()
    for (const push of sent.slice(0, accepted)) push.resolve(binaryAccepted)
    const isRejection = !isShutdown && accepted < sent.length
    if (isRejection) sent[accepted]!.resolve(rejectedBy(status, binaryStatusName(status)))
    // Apple, "Binary Provider API": what followed was discarded and is to be sent again.
    this.#queue = [...sent.slice(isRejection ? accepted + 1 : accepted), ...this.#queue]
    return true
  }

  /** The connection broke, or nobody knows what its answer means: any of these may have been accepted. */
  #lost({ history }: BinaryConnection): void {
    this.#pace.failed(this.#clock.now())
    const sent = history.takeAll()
    for (const push of sent) push.mayBeAccepted = true
    if (this.#options.resends) this.#queue = [...sent, ...this.#queue]
    else for (const push of sent) push.resolve(unanswered('ConnectionLost', true))
  }

  #connectFailed(error: Error | undefined): void {
    this.#pace.failed(this.#clock.now())
    const { message, isDefinitive } = legacyConnectFailure(this.#target, error)
    this.#connectFailure = message
    if (isDefinitive) this.#giveUp('ConnectFailed', message)
  }

  #tick(): void {
    const now = this.#clock.now()
    const { queuedMsMax, confirmMsMax, closeMsMax } = this.#options.limits
    let late = 0
    while (late < this.#queue.length && now - this.#queue[late]!.queuedAt > queuedMsMax) late += 1
    for (const push of this.#queue.splice(0, late)) {
      const reason = this.#connectFailure === undefined ? 'DeadlineExceeded' : 'ConnectFailed'
      push.resolve(unanswered(reason, push.mayBeAccepted, this.#connectFailure))
    }
    if (this.#isStuck(now - confirmMsMax)) this.#connection?.cut()
    if (now - this.#closingAt > closeMsMax) {
      this.#giveUp('ClientClosed')
      for (const push of this.#connection?.history.takeAll() ?? [])
        push.resolve(unanswered('ClientClosed', true))
    }
    this.#pump()
  }

  /** Whether the connection waits since before `since` for an answer, or for the service to take what was written. */
  #isStuck(since: number): boolean {
    const connection = this.#connection
    if (connection?.isFlushing === true) return this.#flushedAt < since
    return connection?.isWriting === true && this.#lastWriteAt < since
  }

  #giveUp(reason: 'ConnectFailed' | 'ClientClosed', message?: string): void {
    for (const push of this.#queue.splice(0)) push.resolve(unanswered(reason, push.mayBeAccepted, message))
  }

  /** Those who wait for results that are all there now. */
  #wake(): void {
    if (this.#waiting.length === 0) return
    const oldest =
      this.#connection?.history.oldest?.number ?? this.#queue[0]?.number ?? Number.POSITIVE_INFINITY
    const still = this.#waiting.filter(({ through }) => through >= oldest)
    const done = this.#waiting.filter(({ through }) => through < oldest)
    this.#waiting = still
    for (const { resolve } of done) resolve()
  }

  #arm(): void {
    const connection = this.#connection
    const sent = connection?.history.size ?? 0
    const isWaiting = this.#queue.length > 0 || this.#waiting.length > 0 || connection?.isFlushing === true
    const willAsk = sent > 0 && Number.isFinite(this.#options.limits.quietMs)
    connection?.keepAlive(isWaiting || willAsk)
    if (isWaiting || willAsk) this.#ticker.arm(tickMs, true)
    else this.#ticker.stop()
  }
}

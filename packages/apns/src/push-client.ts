import { inspect } from 'node:util'
import { ClientConnection } from '@carillon/http2'
import { ApnsIdSource } from './apns-id-source.ts'
import { type Broadcast, prepareBroadcast } from './broadcast.ts'
import { type ChannelResult, channelResult } from './channel-result.ts'
import { Channels } from './channels.ts'
import { checkSignal } from './check-signal.ts'
import type { PushClientStats } from './counters.ts'
import { nodeRuntime } from './drivers/node-runtime.ts'
import { ArgumentError, kindOf } from './errors.ts'
import { authorityOf, type PushClientOptions, type ResolvedOptions, resolveOptions } from './options.ts'
import { PendingPush } from './pending-push.ts'
import type { PooledConnection } from './pooled-connection.ts'
import { Preparer } from './prepare.ts'
import type { Notification, Push } from './push.ts'
import { PushPool } from './push-pool.ts'
import { requestIndexing } from './request-headers.ts'
import type { PushResult, SentPush } from './result.ts'
import type { Runtime, Target } from './runtime.ts'
import type { Source } from './send-many.ts'
import { type NotificationFor, sendPushes, sendToTokens } from './send-to-many.ts'
import { Telemetry } from './telemetry.ts'
import { type PushRequest, requestOf } from './to-request.ts'

// The executor runs before `new Promise` returns, so one function serves all promises and none is made per push.
let resolveNewest: (result: PushResult) => void
const catchResolve = (resolve: (result: PushResult) => void): void => {
  resolveNewest = resolve
}

/**
 * Hands a client a request that none of its methods makes: for the adapters of this package, whose originals send
 * whatever they are given.
 */
export let submitTo: (client: PushClient, pending: PendingPush) => Promise<PushResult>

/**
 * Sends pushes to Apple's service, or to another that speaks its protocol, over as few connections as it takes.
 * Every push gets exactly one result, as data: nothing is thrown but ArgumentError, for mistakes in the program.
 *
 * ```ts
 * const client = new PushClient({ auth: { type: 'token', keyId, teamId, privateKey }, environment: 'sandbox' })
 * const result = await client.send({ deviceToken, topic: 'com.example.app', payload: { aps: { alert: 'Hello' } } })
 * ```
 *
 * It connects with the first push and keeps the connection; while nothing is pending it does not keep the process
 * alive. Make one client per app or team and share it.
 */
export class PushClient implements AsyncDisposable {
  /** Creates, reads, lists and deletes broadcast channels. */
  readonly channels: Channels
  readonly #options: ResolvedOptions
  readonly #runtime: Runtime
  readonly #pool: PushPool
  readonly #ids: ApnsIdSource
  readonly #preparer: Preparer
  /** Of channel management, where it is at another address; made with its first use. */
  #channelsPool: PushPool | undefined

  static {
    submitTo = (client, pending) => submit(client.#pool, pending)
  }

  /** `runtime`: the world to live in, for simulations; the real one is the default. */
  constructor(options: PushClientOptions, runtime: Runtime = nodeRuntime) {
    this.#options = resolveOptions(options)
    this.#runtime = runtime
    this.#ids = new ApnsIdSource((bytes) => runtime.random(bytes))
    this.#preparer = new Preparer(this.#ids, this.#options.signer !== undefined)
    this.#pool = poolTo(this.#options.target, this.#options, runtime)
    this.channels = new Channels({
      nextId: () => this.#ids.next(),
      ask: (pending) => submit(this.#poolForChannels(), pending),
    })
  }

  /**
   * Sends one push; the promise resolves with what became of it. It waits in the queue while all streams are in
   * use, is sent again where the service certainly did not process it, and never where that is unknown.
   * Rejects with ArgumentError only.
   */
  send(push: Push): Promise<PushResult> {
    let pending: PendingPush | PushResult
    try {
      pending = this.#preparer.prepare(push)
    } catch (error) {
      return Promise.reject(error)
    }
    return pending instanceof PendingPush ? submit(this.#pool, pending) : Promise.resolve(pending)
  }

  /**
   * Sends any number of pushes and yields each result when it is there, in the order of completion. Memory stays
   * constant: the source is pulled only as fast as results are taken, `limits.sendManyMax` pushes are under way at
   * most. Leaving the loop early takes back what was not sent; so does `signal`, and then the loop ends with the
   * results of what was. If the source throws, or holds a push that `send` would reject, the results of all before
   * it come first, then that error.
   */
  sendMany<P extends Push>(
    pushes: Source<P>,
    options?: SendManyOptions,
  ): AsyncGenerator<SentPush<P>, void, undefined>
  /** Sends one notification to each of any number of device tokens, or what a function makes for each. */
  sendMany<N extends Notification>(
    notification: NotificationFor<N>,
    deviceTokens: Source<string>,
    options?: SendManyOptions,
  ): AsyncGenerator<SentPush<N>, void, undefined>
  sendMany(
    what: Source<Push> | NotificationFor<Notification>,
    second?: Source<string> | SendManyOptions,
    third?: SendManyOptions,
  ): AsyncGenerator<SentPush<Notification>, void, undefined> {
    const pendingMax = this.#options.limits.sendManyMax
    if (isSource<Push>(what)) {
      const { signal } = (second ?? {}) as SendManyOptions
      checkSignal(signal)
      return sendPushes(this.#preparer, this.#pool, what, { pendingMax, signal })
    }
    if (!isSource<string>(second)) {
      const field = second === undefined ? 'pushes' : 'deviceTokens'
      const found = kindOf(second === undefined ? what : second)
      throw new ArgumentError(
        field,
        `give an iterable or async iterable, of pushes alone or of tokens after a notification, not ${found}`,
      )
    }
    const { signal } = third ?? {}
    checkSignal(signal)
    return sendToTokens(this.#preparer, this.#pool, what, second, { pendingMax, signal })
  }

  /** Publishes a Live Activity update or end to a channel. Throws ArgumentError as `send` rejects with it. */
  async broadcast(broadcast: Broadcast): Promise<ChannelResult<object>> {
    const pending = prepareBroadcast(broadcast, this.#preparer, this.#ids.next())
    return channelResult(pending instanceof PendingPush ? await submit(this.#pool, pending) : pending)
  }

  /**
   * The request of a push, without sending it. `authorization: true` adds the provider token, which is a secret.
   * Throws ArgumentError for a push that would be refused before sending.
   */
  toRequest(push: Push, { authorization = false }: { authorization?: boolean } = {}): PushRequest {
    const { signer, target } = this.#options
    const token = authorization ? signer?.token(this.#runtime.now()).header : undefined
    return requestOf(this.#preparer.prepare(push), authorityOf(target), token)
  }

  /** What was done so far and what is going on; without channel management where that is at another address. */
  stats(): PushClientStats {
    return this.#pool.stats()
  }

  /**
   * Takes no more pushes, lets those it has finish, then closes the connections. What is unfinished after
   * `drainMsMax` (default `limits.closeMsMax`), or at once with `drain: false`, ends as ClientClosed. May be called
   * again, with less patience.
   */
  async close({ drain = true, drainMsMax }: CloseOptions = {}): Promise<void> {
    const msMax = drain ? (drainMsMax ?? this.#options.limits.closeMsMax) : 0
    await Promise.all([this.#pool.close(msMax), this.#channelsPool?.close(msMax)])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** For logs: nothing secret. */
  [inspect.custom](): string {
    const { environment, target } = this.#options
    return `PushClient ${environment} ${target.host}:${target.port} ${inspect(this.stats())}`
  }

  #poolForChannels(): PushPool {
    const { target, channelsTarget } = this.#options
    // A closed pool says so: it is the one to ask.
    if (channelsTarget === target || this.#pool.isClosing) return this.#pool
    this.#channelsPool ??= poolTo(channelsTarget, this.#options, this.#runtime)
    return this.#channelsPool
  }
}

/** How `close` ends. */
export interface CloseOptions {
  readonly drain?: boolean
  readonly drainMsMax?: number
}

/** For `sendMany`. */
export interface SendManyOptions {
  readonly signal?: AbortSignal
}

const isSource = <T>(value: unknown): value is Source<T> =>
  typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)

/** Hands a push to a pool. One promise for each, and no closure. */
const submit = (pool: PushPool, pending: PendingPush): Promise<PushResult> => {
  const promise = new Promise<PushResult>(catchResolve)
  pending.resolve = resolveNewest
  pool.submit(pending)
  return promise
}

const poolTo = (target: Target, options: ResolvedOptions, runtime: Runtime): PushPool => {
  const { environment, signer, limits, retry } = options
  const { host, port } = target
  return new PushPool({
    ...{ environment, host, port, signer, limits, retry, runtime },
    authority: authorityOf(target),
    telemetry: new Telemetry({ environment, host, port }),
    random: (bytes) => runtime.random(bytes),
    open(connection: PooledConnection) {
      connection.http2 = new ClientConnection<PendingPush>(
        {
          keepAliveMs: limits.pingIdleMs,
          indexing: requestIndexing,
          limits: { pingAckMsMax: limits.pingMsMax, prefaceMsMax: limits.connectMsMax },
        },
        connection,
      )
      connection.transport = runtime.connect(target, connection.http2)
    },
  })
}

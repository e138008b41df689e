import { inspect } from 'node:util'
import { ClientConnection } from '@carillon/http2'
import { ApnsIdSource } from './apns-id-source.ts'
import { nodeRuntime } from './drivers/node-runtime.ts'
import { ArgumentError, kindOf } from './errors.ts'
import { type PushClientOptions, type ResolvedOptions, resolveOptions } from './options.ts'
import { PendingPush } from './pending-push.ts'
import type { PooledConnection } from './pooled-connection.ts'
import { Preparer } from './prepare.ts'
import type { Push, PushClientStats, PushResult, SentPush } from './push.ts'
import { PushPool } from './push-pool.ts'
import { requestIndexing } from './request-headers.ts'
import type { Runtime } from './runtime.ts'
import { ManyLane } from './send-many.ts'

// The executor runs before `new Promise` returns, so one function serves all promises and none is made per push.
let resolveNewest: (result: PushResult) => void
const catchResolve = (resolve: (result: PushResult) => void): void => {
  resolveNewest = resolve
}

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
  readonly #options: ResolvedOptions
  readonly #pool: PushPool
  readonly #preparer: Preparer

  /** `runtime`: the world to live in, for simulations; the real one is the default. */
  constructor(options: PushClientOptions, runtime: Runtime = nodeRuntime) {
    const resolved = resolveOptions(options)
    const { target, authority, signer, limits } = resolved
    this.#options = resolved
    this.#preparer = new Preparer(new ApnsIdSource((bytes) => runtime.random(bytes)), signer !== undefined)
    this.#pool = new PushPool({
      host: target.host,
      port: target.port,
      authority,
      signer,
      limits,
      runtime,
      random: (bytes) => runtime.random(bytes),
      open: (connection) => open(connection, resolved, runtime),
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
    if (!(pending instanceof PendingPush)) return Promise.resolve(pending)
    const promise = new Promise<PushResult>(catchResolve)
    pending.resolve = resolveNewest
    this.#pool.submit(pending)
    return promise
  }

  /**
   * Sends any number of pushes and yields each result when it is there, in the order of completion. Memory stays
   * constant: the source is pulled only as fast as results are taken, `limits.sendManyMax` pushes are under way at
   * most. Leaving the loop early takes back what was not sent. If the source throws, or holds a push that `send`
   * would reject, the results of all before it come first, then that error.
   */
  sendMany<P extends Push>(
    pushes: Iterable<P> | AsyncIterable<P>,
  ): AsyncGenerator<SentPush<P>, void, undefined> {
    if (typeof pushes !== 'object' || !(Symbol.iterator in pushes || Symbol.asyncIterator in pushes)) {
      throw new ArgumentError('pushes', `give an iterable or async iterable of pushes, not ${kindOf(pushes)}`)
    }
    const preparer = this.#preparer
    const pool = this.#pool
    const lane = new ManyLane<P>(
      {
        sendFor(lane, index, push) {
          const pending = preparer.prepare(push)
          if (!(pending instanceof PendingPush)) return lane.done(index, push, pending)
          pending.lane = lane
          pending.index = index
          pending.source = push
          lane.took(pending)
          pool.submit(pending)
        },
        takeBack: (pending) => pool.abort(pending),
      },
      pushes,
      this.#options.limits.sendManyMax,
    )
    return lane.results()
  }

  /** What was done so far and what is going on. */
  stats(): PushClientStats {
    return this.#pool.stats()
  }

  /**
   * Takes no more pushes, lets those it has finish, then closes the connections. What is unfinished after
   * `drainMsMax` (default `limits.closeMsMax`) ends as ClientClosed. May be called again, with less patience.
   */
  close({ drainMsMax = this.#options.limits.closeMsMax }: { drainMsMax?: number } = {}): Promise<void> {
    return this.#pool.close(drainMsMax)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** For logs: nothing secret. */
  [inspect.custom](): string {
    const { environment, target } = this.#options
    return `PushClient ${environment} ${target.host}:${target.port} ${inspect(this.stats())}`
  }
}

const open = (connection: PooledConnection, { target, limits }: ResolvedOptions, runtime: Runtime): void => {
  connection.http2 = new ClientConnection<PendingPush>(
    {
      keepAliveMs: limits.pingIdleMs,
      indexing: requestIndexing,
      limits: { pingAckMsMax: limits.pingMsMax, prefaceMsMax: limits.connectMsMax },
    },
    connection,
  )
  connection.transport = runtime.connect(target, connection.http2)
}

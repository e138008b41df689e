import type { EndReason } from '@carillon/http2'
import { type ConnectFailure, connectFailureOf } from './connect-failure.ts'
import { ConnectPace } from './connect-pace.ts'
import type { Limits } from './limits.ts'
import type { PendingPush } from './pending-push.ts'
import { type ConnectionEvents, PooledConnection } from './pooled-connection.ts'
import type { Telemetry } from './telemetry.ts'

export interface ConnectionSetOptions {
  readonly host: string
  readonly port: number
  readonly limits: Limits
  readonly telemetry: Telemetry
  random(bytes: number): Uint8Array
  /** Starts a connection whose handler is `connection`; sets its `http2` and `transport`. */
  open(connection: PooledConnection): void
}

/** The connections of a pool: opens them when they are needed and allowed, and closes those that are not. */
export class ConnectionSet {
  readonly #options: ConnectionSetOptions
  readonly #limits: Limits
  readonly #pace: ConnectPace
  /** Every connection that has not ended. */
  readonly #all: PooledConnection[] = []
  /** Why the last connect failed; undefined once one succeeded. */
  failure: ConnectFailure | undefined
  #opened = 0
  #closed = 0
  #failed = 0

  constructor(options: ConnectionSetOptions) {
    this.#options = options
    this.#limits = options.limits
    this.#pace = new ConnectPace(options.limits, options.random)
  }

  get isEmpty(): boolean {
    return this.#all.length === 0
  }

  get hasOpen(): boolean {
    return this.#all.some(({ state }) => state === 'open')
  }

  /** The first connection with room, so that load gathers on few and the others become idle. */
  withRoom(now: number): PooledConnection | undefined {
    for (const connection of this.#all) if (connection.hasRoom(now)) return connection
    return undefined
  }

  /** Opens a connection unless there is one to wait for, or it is too early. */
  ensureOne(events: ConnectionEvents, now: number): void {
    const isHopeful = this.#all.some(({ state }) => state === 'open' || state === 'connecting')
    if (!isHopeful && this.#pace.mayConnect(now)) this.#open(events, now)
  }

  /** What the passing of time asks for: silent connections, spare ones, one more. */
  tend(events: ConnectionEvents, now: number, isQueueing: boolean): void {
    let usable = 0
    for (const connection of [...this.#all]) {
      connection.watch(now, this.#limits.silentMsMax)
      if (connection.state !== 'open') continue
      usable += 1
      const isSpare = usable > 1 && connection.inFlight.size === 0
      if (isSpare && now - connection.idleSince >= this.#limits.spareIdleMsMax) connection.retire()
    }
    if (isQueueing && usable > 0 && usable < this.#limits.connectionsMax && this.#wouldHelp(now)) {
      if (this.#pace.mayConnect(now)) this.#open(events, now)
    }
  }

  /** Connections that ever saw a provider token older than `version` finish and close. */
  retireOlderThan(version: number): void {
    for (const connection of [...this.#all]) {
      const { firstTokenVersion } = connection
      if (firstTokenVersion !== 0 && firstTokenVersion < version) connection.retire()
    }
  }

  /** A connection gave its first answer. */
  proved(): void {
    this.#pace.succeeded()
    this.failure = undefined
  }

  /** Forgets an ended connection; returns why, if it never became ready. */
  ended(connection: PooledConnection, reason: EndReason, now: number): ConnectFailure | undefined {
    this.#all.splice(this.#all.indexOf(connection), 1)
    const isOurs = reason.kind === 'closed' || reason.kind === 'drained'
    if (connection.answers === 0 && !isOurs) this.#pace.failed(now)
    if (connection.wasOpen) {
      this.#closed += 1
      this.#options.telemetry.connection('closed', reason.message)
      return undefined
    }
    this.#failed += 1
    this.failure = this.#failureOf(connection, reason)
    this.#options.telemetry.connection('failed', this.failure.message)
    return this.failure
  }

  /** The part of the client's counts that is kept here. */
  stats() {
    let inFlight = 0
    let open = 0
    for (const connection of this.#all) {
      inFlight += connection.inFlight.size
      if (connection.state === 'open') open += 1
    }
    return {
      inFlight,
      connections: open,
      connectionsOpened: this.#opened,
      connectionsClosed: this.#closed,
      connectsFailed: this.#failed,
    }
  }

  /** Cancels streams that were opened at `oldest` or before, each after a call that takes its push off the list. */
  cancelOpenedUntil(oldest: number, action: (push: PendingPush) => void): void {
    for (const { inFlight, http2 } of [...this.#all]) {
      for (let push = inFlight.first; push !== undefined && push.openedAt <= oldest; push = inFlight.first) {
        // Off the list first: cancelling the last stream of a retiring connection ends it at once.
        const { streamId } = push
        action(push)
        http2.cancel(streamId)
      }
    }
  }

  /** Whether the connections keep the process alive. */
  keepAlive(isNeeded: boolean): void {
    for (const { transport } of this.#all) {
      if (isNeeded) transport.ref()
      else transport.unref()
    }
  }

  /** Tells all to close; each is `ended` later. */
  close(): void {
    for (const { http2 } of [...this.#all]) http2.close()
  }

  /** Cuts all. */
  destroy(): void {
    for (const { transport } of [...this.#all]) transport.destroy()
  }

  /** One more connection helps where all are at their limit and it is the service's answers that take long. */
  #wouldHelp(now: number): boolean {
    return this.#all.every((connection) => {
      if (connection.state === 'retiring') return true
      const first = connection.inFlight.first
      const isSlow = first !== undefined && now - first.openedAt >= this.#limits.growthMsMin
      // Apple: "Handling notification responses from APNs": errors make the service lower the limit, and a client
      // has to obey. A further connection would evade that.
      const isAtHighestLimit = connection.inFlight.size >= connection.limitSeenMax
      return connection.state === 'open' && connection.answers > 0 && isAtHighestLimit && isSlow
    })
  }

  #open(events: ConnectionEvents, now: number): void {
    this.#pace.connecting()
    const connection = new PooledConnection(events, now)
    this.#all.push(connection)
    this.#opened += 1
    this.#options.telemetry.connection('opening')
    this.#options.open(connection)
  }

  #failureOf(connection: PooledConnection, reason: EndReason): ConnectFailure {
    const said = connection.goawayReason
    const failure =
      said === undefined
        ? connectFailureOf(reason, this.#options.host, this.#options.port)
        : { message: `${said.meaning} ${said.fix}`, isDefinitive: false }
    const isEnough = this.#pace.failures >= this.#limits.connectFailuresMax
    return isEnough ? { ...failure, isDefinitive: true } : failure
  }
}

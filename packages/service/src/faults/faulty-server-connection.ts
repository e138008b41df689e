import type { TLSSocket } from 'node:tls'
import {
  ErrorCode,
  type HeaderList,
  ServerConnection,
  type ServerHandler,
  type ServerOptions,
} from '@carillon/http2'
import { errorBody, knownReasonOf } from '@carillon/wire'
import type { ActiveRule, FaultFacts } from './active-rule.ts'
import { answerOf } from './answer-of.ts'
import { delayOf } from './delay.ts'
import { later } from './drivers/later.ts'
import { troubleSocket } from './drivers/socket-trouble.ts'
import { connectionFacts } from './drivers/watch-listener.ts'
import type { Fault } from './fault-rule.ts'
import type { Faults } from './faults.ts'
import { RequestFacts } from './request-facts.ts'

/** What a connection needs to have trouble. */
export interface FaultyTransport {
  readonly faults: Faults
  readonly socket: TLSSocket
  /** A new UUID, for answers to requests that brought none. */
  readonly newApnsId: () => string
  /** Topic of a connection with a push certificate of one topic, else ''. */
  readonly defaultTopic: string
}

/** What is to happen to the answer of a request that is under way. */
interface Ahead {
  delayMs: number
  /** Instead of an answer, once the notification is accepted. */
  after: ActiveRule | undefined
}

/**
 * The engine's server end, through which faults reach a connection and its answers. While no rule is set it costs
 * a comparison or two for each request.
 */
export class FaultyServerConnection extends ServerConnection {
  /** Milliseconds by which the service's clock is wrong for the request that was asked about last. */
  clockSkewMs = 0
  readonly #transport: FaultyTransport | undefined
  readonly #streamsMax: number
  #facts: RequestFacts | undefined
  /** By stream; undefined while there are none. */
  #ahead: Map<number, Ahead> | undefined
  /** The highest stream that was processed while there were rules. */
  #processed = 0

  constructor(options: ServerOptions, handler: ServerHandler, transport: FaultyTransport | undefined) {
    const opening = openingOf(transport)
    super({ ...options, settings: { ...options.settings, ...opening.settings } }, handler)
    this.#transport = transport
    this.#streamsMax = opening.settings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY
    this.answersPings = opening.answersPings
  }

  /** Asks the rules about a request. True where it is done with: it must not be processed. */
  meetsFault(streamId: number, list: HeaderList): boolean {
    const transport = this.#transport
    this.clockSkewMs = 0
    const rules = transport?.faults.plan?.ofRequests('http2')
    if (transport === undefined || rules === undefined) return false
    const facts = this.#factsOf(list, transport)
    const nowMs = transport.faults.now()
    const ahead: Ahead = { delayMs: 0, after: undefined }
    for (const active of rules) {
      if (!active.meets(facts, nowMs)) continue
      if (this.#suffer(streamId, list, active, ahead, transport)) return true
    }
    this.#processed = Math.max(this.#processed, streamId)
    if (ahead.delayMs > 0 || ahead.after !== undefined) {
      this.#ahead ??= new Map()
      this.#ahead.set(streamId, ahead)
    }
    return false
  }

  override respond(streamId: number, headers: HeaderList, body?: Uint8Array): boolean {
    const ahead = this.#ahead?.get(streamId)
    if (ahead === undefined) return super.respond(streamId, headers, body)
    this.#forget(streamId)
    const { after, delayMs } = ahead
    const end = headers[1]!.startsWith('2') ? after : undefined
    if (delayMs === 0 && end === undefined) return super.respond(streamId, headers, body)
    const act = () => {
      if (end === undefined) super.respond(streamId, headers, body)
      else this.#endInstead(streamId, end)
    }
    if (delayMs > 0) later(delayMs, act)
    else act()
    return true
  }

  override setMaxConcurrentStreams(count: number): void {
    super.setMaxConcurrentStreams(Math.min(count, this.#streamsMax))
  }

  protected override onStreamReset(...args: Parameters<ServerConnection['onStreamReset']>): void {
    this.#forget(args[0].id)
    super.onStreamReset(...args)
  }

  /** One fault that a request has met. True where the request is done with. */
  #suffer(
    streamId: number,
    list: HeaderList,
    active: ActiveRule,
    ahead: Ahead,
    transport: FaultyTransport,
  ): boolean {
    const { fault } = active.rule
    switch (fault.kind) {
      case 'latency':
        ahead.delayMs += delayOf(fault, active)
        return false
      case 'clockSkew':
        this.clockSkewMs += fault.seconds * 1000
        return false
      case 'slowReader':
      case 'slowWriter':
        troubleSocket(transport.socket, transport.faults, active)
        return false
      case 'pingUnanswered':
        this.answersPings = false
        return false
      case 'answer':
        this.#answer(streamId, list, fault, ahead.delayMs, transport)
        return true
      case 'goaway':
        return this.#goAway(streamId, fault)
      case 'close':
      case 'halfOpen':
      case 'resetStream':
        if (fault.when === 'afterAccepting') {
          ahead.after = active
          return false
        }
        this.#endInstead(streamId, active)
        return true
      default:
        return false
    }
  }

  #answer(
    streamId: number,
    list: HeaderList,
    fault: Extract<Fault, { kind: 'answer' }>,
    delayMs: number,
    { newApnsId }: FaultyTransport,
  ): void {
    const { headers, body } = answerOf(fault, list, newApnsId)
    if (delayMs > 0) later(delayMs, () => super.respond(streamId, headers, body))
    else super.respond(streamId, headers, body)
  }

  /** The request that meets it is the first that is not processed. */
  #goAway(streamId: number, fault: Extract<Fault, { kind: 'goaway' }>): boolean {
    const last = Math.max(0, streamId - 2, this.#processed)
    const reason = fault.reason === undefined ? undefined : knownReasonOf(fault.reason)
    const debugData = reason === undefined ? undefined : errorBody(reason)
    this.stopAfter(last, ErrorCode[fault.code], fault.finishes, debugData)
    return streamId > last
  }

  #endInstead(streamId: number, met: ActiveRule): void {
    const { fault } = met.rule
    const transport = this.#transport
    if (fault.kind === 'resetStream') this.reset(streamId, ErrorCode[fault.code])
    else if (transport !== undefined) troubleSocket(transport.socket, transport.faults, met)
  }

  #forget(streamId: number): void {
    if (this.#ahead?.delete(streamId) === true && this.#ahead.size === 0) this.#ahead = undefined
  }

  #factsOf(list: HeaderList, { faults, socket, defaultTopic }: FaultyTransport): FaultFacts {
    this.#facts ??= new RequestFacts(connectionFacts(socket, faults.numberOf('http2', socket)), defaultTopic)
    return this.#facts.of(list)
  }
}

/** What the rules say about a connection that opens. */
function openingOf(transport: FaultyTransport | undefined) {
  const settings: { maxConcurrentStreams?: number; [name: string]: number } = {}
  let answersPings = true
  for (const active of transport?.faults.plan?.ofConnections('http2') ?? []) {
    const { fault } = active.rule
    if (transport === undefined || (fault.kind !== 'settings' && fault.kind !== 'pingUnanswered')) continue
    const { faults, socket } = transport
    if (!active.meets(connectionFacts(socket, faults.numberOf('http2', socket)), faults.now())) continue
    if (fault.kind === 'pingUnanswered') answersPings = false
    else {
      const { kind: _kind, ...told } = fault
      Object.assign(settings, told)
    }
  }
  return { settings, answersPings }
}

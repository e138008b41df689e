import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AcceptOutcome, Delivery, Notification } from '../../src/delivery/delivery.ts'
import { ApnsIds } from '../../src/gateway/apns-ids.ts'
import type { Gateway } from '../../src/gateway/gateway.ts'
import { ProviderTokens } from '../../src/gateway/provider-tokens.ts'
import { type GatewayOptions, type RunningGateway, startGateway } from '../../src/gateway/start-gateway.ts'
import type { TokenRecord } from '../../src/registry/registry.ts'
import { type Issued, TestAuthority } from '../certificates.ts'
import { bundleId, keyId, MemoryAuthority, newKey, signToken, type TokenParts } from '../memory-authority.ts'
import { Provider } from './provider.ts'

export const token = 'ab'.repeat(32)
export const payload = '{"aps":{"alert":"Hello"}}'

/** Takes everything in, answers as it is told, or not until it is asked to. */
export class RecordingDelivery implements Delivery {
  readonly accepted: Notification[] = []
  outcome: AcceptOutcome | 'later' = 'accepted'
  #waiting: (() => void)[] = []
  #onAccept: (() => void)[] = []

  accept<C>(
    notification: Notification,
    context: C,
    done: (context: C, outcome: AcceptOutcome) => void,
  ): void {
    this.accepted.push(notification)
    for (const told of this.#onAccept.splice(0)) told()
    if (this.outcome === 'later') this.#waiting.push(() => done(context, 'accepted'))
    else done(context, this.outcome)
  }

  /** Resolves with the next notification. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => this.#onAccept.push(resolve))
  }

  answerWaiting(): void {
    for (const answer of this.#waiting.splice(0)) answer()
  }
}

/** A gateway on a port of its own, with everything it needs in memory. */
export class GatewayWorld {
  readonly authority = new MemoryAuthority()
  readonly delivery = new RecordingDelivery()
  readonly tokens = new Map<string, TokenRecord>()
  /** Tokens that are not in memory: they are found a turn of the event loop later. */
  readonly slowTokens = new Map<string, TokenRecord>()
  readonly keys = newKey()
  nowMs = 1_700_000_000_000
  lookupFails = false
  readonly troubles: unknown[] = []
  readonly onTrouble = (_sentence: string, cause: unknown): void => {
    this.troubles.push(cause)
  }
  readonly registry: Gateway['registry'] = {
    cachedToken: (wanted) => this.tokens.get(wanted),
    findToken: (wanted, found) => {
      const record = this.tokens.get(wanted) ?? this.slowTokens.get(wanted)
      setImmediate(() => found(this.lookupFails ? new Error('disk') : undefined, record))
    },
  }
  readonly #providers: Provider[] = []
  #ca!: TestAuthority
  #gateway!: RunningGateway

  static async start(options: Partial<GatewayOptions> = {}): Promise<GatewayWorld> {
    const world = new GatewayWorld()
    await world.#start(options)
    return world
  }

  get ca(): TestAuthority {
    return this.#ca
  }

  /** What the running gateway's connections share, for a connection that a test drives itself. */
  shared(): Gateway {
    const { authority, delivery, nowMs } = this
    return {
      environment: 'sandbox',
      authority,
      registry: this.registry,
      delivery,
      providerTokens: new ProviderTokens(authority, 'sandbox'),
      apnsIds: new ApnsIds((bytes) => randomBytes(bytes)),
      now: () => nowMs,
      onTrouble: this.onTrouble,
      streamsBeforeToken: 100,
      changes: 0,
      isClosing: false,
    }
  }

  get gateway(): RunningGateway {
    return this.#gateway
  }

  addToken(token: string, changes: Partial<TokenRecord> = {}, tokens = this.tokens): void {
    const tokenBytes = Buffer.from(token, 'hex')
    tokens.set(token, {
      token,
      tokenBytes,
      device: 1,
      bundleId,
      topic: bundleId,
      inactiveSinceMs: 0,
      ...changes,
    })
  }

  /** The value of `authorization` for a token made so many seconds ago. */
  bearer(ageSeconds = 0, parts: TokenParts = {}): string {
    return `bearer ${signToken(this.keys.privateKey, Math.floor(this.nowMs / 1000) - ageSeconds, parts)}`
  }

  /** A request that is accepted; a test replaces or adds headers. */
  headers(): Record<string, string> {
    return {
      ':method': 'POST',
      ':path': `/3/device/${token}`,
      authorization: this.bearer(),
      'apns-topic': bundleId,
      'apns-push-type': 'alert',
    }
  }

  async provider(certificate?: Issued): Promise<Provider> {
    const provider = this.dial(certificate)
    await once(provider.session, 'remoteSettings')
    return provider
  }

  /** A connection that does not wait for anything. */
  dial(certificate?: Issued, tlsSession?: Buffer): Provider {
    const provider = new Provider({
      port: this.#gateway.port,
      caPem: this.#ca.caPem,
      ...(certificate === undefined ? {} : { certificate }),
      ...(tlsSession === undefined ? {} : { tlsSession }),
    })
    this.#providers.push(provider)
    return provider
  }

  async stop(): Promise<void> {
    this.delivery.answerWaiting()
    await Promise.all(this.#providers.map((provider) => provider.close()))
    await this.#gateway.close()
  }

  async #start(options: Partial<GatewayOptions>): Promise<void> {
    // TLS checks dates by the real clock, so the certificates hold then; the gateway's own clock is the test's.
    this.#ca = await TestAuthority.make(Date.now())
    this.nowMs = Date.now()
    this.authority.pushCaPem.push(this.#ca.caPem)
    this.authority.setApp(bundleId)
    this.authority.setKey(keyId, this.keys.publicKey)
    this.addToken(token)
    this.#gateway = await startGateway({
      environment: 'sandbox',
      authority: this.authority,
      registry: this.registry,
      delivery: this.delivery,
      tls: await this.#ca.server(),
      host: '127.0.0.1',
      port: 0,
      now: () => this.nowMs,
      onTrouble: this.onTrouble,
      random: (bytes) => randomBytes(bytes),
      ...options,
    })
  }
}

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AcceptOutcome, Delivery, Notification } from '../../src/delivery/delivery.ts'
import { type FidelityOptions, fidelityDefaults, fidelityOf } from '../../src/fidelity.ts'
import type { Gateway } from '../../src/gateway/gateway.ts'
import { type GatewayParts, openGateway } from '../../src/gateway/open-gateway.ts'
import { type GatewayOptions, type RunningGateway, startGateway } from '../../src/gateway/start-gateway.ts'
import { dayMs, type TokenRecord } from '../../src/registry/registry.ts'
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
    // As delivery does with what it keeps.
    this.accepted.push({ ...notification, payload: Buffer.from(notification.payload) })
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

type WorldOptions = Partial<Omit<GatewayOptions, 'fidelity'>> & { readonly fidelity?: FidelityOptions }

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

  static async start(options: WorldOptions = {}): Promise<GatewayWorld> {
    const world = new GatewayWorld()
    await world.#start(options)
    return world
  }

  get ca(): TestAuthority {
    return this.#ca
  }

  /** What connections share that a test drives itself. */
  shared(parts: Partial<GatewayParts> = {}): Gateway {
    return openGateway({ ...this.parts(), ...parts }).gateway
  }

  parts(): GatewayParts {
    return {
      environment: 'sandbox',
      authority: this.authority,
      registry: this.registry,
      delivery: this.delivery,
      fidelity: fidelityDefaults,
      now: () => this.nowMs,
      onTrouble: this.onTrouble,
      random: (bytes) => randomBytes(bytes),
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
      askedDay: Math.floor(this.nowMs / dayMs),
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

  async #start({ fidelity, ...options }: WorldOptions): Promise<void> {
    // TLS checks dates by the real clock, so the certificates hold then; the gateway's own clock is the test's.
    this.#ca = await TestAuthority.make(Date.now())
    this.nowMs = Date.now()
    this.authority.pushCaPem.push(this.#ca.caPem)
    this.authority.setApp(bundleId)
    this.authority.setKey(keyId, this.keys.publicKey)
    this.addToken(token)
    this.#gateway = await startGateway({
      ...this.parts(),
      tls: await this.#ca.server(),
      host: '127.0.0.1',
      port: 0,
      ...options,
      fidelity: fidelityOf(fidelity),
    })
  }
}

import { createSecureContext } from 'node:tls'
import { limits } from '../limits.ts'
import { ActivePlan } from './active-plan.ts'
import { ActiveRule } from './active-rule.ts'
import { FaultError, faultErrorOf } from './fault-error.ts'
import { type FaultPlace, isBeforeHandshake } from './fault-kinds.ts'
import {
  type FaultPlanInput,
  type FaultRule,
  type FaultRuleInput,
  faultPlan,
  faultRule,
} from './fault-rule.ts'

/** A rule and what came of it so far. */
export interface FaultStatus extends FaultRule {
  readonly counters: {
    /** Requests or connections that had all that the rule asks for. */
    readonly seen: number
    /** Those of them that met the fault. */
    readonly hits: number
    /** Milliseconds since the epoch. */
    readonly lastHitMs?: number
  }
}

/** The faults of one running environment, to be changed at any time. All of it lives in memory. */
export interface FaultControl {
  /** What every rule draws by, together with its id. */
  readonly seed: number
  list(): FaultStatus[]
  /** @throws FaultError `FAULT_UNKNOWN` */
  get(id: string): FaultStatus
  /** Replaces all rules. Counters start anew. @throws FaultError `FAULT_INVALID` */
  set(plan: FaultPlanInput): FaultStatus[]
  /** Adds a rule behind the others. @throws FaultError `FAULT_INVALID`, `FAULT_EXISTS`, `FAULT_LIMIT` */
  add(rule: FaultRuleInput): FaultStatus
  /** @throws FaultError `FAULT_UNKNOWN` */
  remove(id: string): void
  clear(): void
}

export interface FaultsOptions {
  readonly now: () => number
  /** In force from the start. */
  readonly plan?: FaultPlanInput
  /** A certificate that is over and its key, PEM: what `expiredCertificate` shows where it brings none. */
  readonly expiredTls?: { readonly certPem: string; readonly keyPem: string }
}

/** Trouble on purpose: the rules in force, which gateway, binary gateway and courier ask where they can hurt. */
export class Faults implements FaultControl {
  /** Undefined while no rule is set: then a fault costs the hot path one comparison. */
  plan: ActivePlan | undefined
  readonly now: () => number
  readonly expiredTls: FaultsOptions['expiredTls']
  /** Connections that each listener has had: all of them, and those that came through their handshake. */
  readonly accepted: Record<FaultPlace, number> = { http2: 0, binary: 0, courier: 0 }
  readonly secured: Record<FaultPlace, number> = { http2: 0, binary: 0, courier: 0 }
  /** The numbers of connections whose requests are asked about. */
  readonly #numbers = { http2: new WeakMap<object, number>(), binary: new WeakMap<object, number>() }
  readonly #releases = new Set<() => void>()
  #seed = 1

  /** @throws FaultError for a plan that is none */
  constructor(options: FaultsOptions) {
    this.now = options.now
    this.expiredTls = options.expiredTls
    if (options.plan !== undefined) this.set(options.plan)
  }

  get seed(): number {
    return this.#seed
  }

  list(): FaultStatus[] {
    return (this.plan?.rules ?? []).map(statusOf)
  }

  get(id: string): FaultStatus {
    return statusOf(this.#find(id))
  }

  set(input: FaultPlanInput): FaultStatus[] {
    const read = faultPlan.safeParse(input)
    if (!read.success) throw faultErrorOf(read.error)
    for (const rule of read.data.rules) this.#check(rule)
    this.#seed = read.data.seed
    this.#enforce(read.data.rules.map((rule) => this.#activate(rule)))
    return this.list()
  }

  add(input: FaultRuleInput): FaultStatus {
    const read = faultRule.safeParse(input)
    if (!read.success) throw faultErrorOf(read.error)
    const rules = this.plan?.rules ?? []
    if (rules.some(({ rule }) => rule.id === read.data.id)) {
      throw new FaultError(
        'FAULT_EXISTS',
        `There is a fault rule "${read.data.id}" already.`,
        'Delete it first, or give another id.',
      )
    }
    if (rules.length >= limits.faultRulesMax) {
      throw new FaultError(
        'FAULT_LIMIT',
        `There are ${rules.length} fault rules, and there cannot be more.`,
        'Delete what is not used any more.',
      )
    }
    this.#check(read.data)
    const active = this.#activate(read.data)
    this.#enforce([...rules, active])
    return statusOf(active)
  }

  remove(id: string): void {
    const gone = this.#find(id)
    this.#enforce((this.plan?.rules ?? []).filter((active) => active !== gone))
  }

  clear(): void {
    this.#enforce([])
  }

  /** A connection of a listener came through its handshake: counts it. */
  number(place: FaultPlace, connection: object): void {
    this.secured[place] += 1
    if (place !== 'courier') this.#numbers[place].set(connection, this.secured[place])
  }

  /** Which connection of its listener this is, from 1; 0 where it is none of them. */
  numberOf(place: 'http2' | 'binary', connection: object): number {
    return this.#numbers[place].get(connection) ?? 0
  }

  /** What a connection in trouble holds on to is let go when the service ends. */
  onClose(release: () => void): () => void {
    this.#releases.add(release)
    return () => this.#releases.delete(release)
  }

  /** No more faults: connections that stand still are cut, so that the listeners can close. */
  close(): void {
    this.clear()
    for (const release of this.#releases) release()
    this.#releases.clear()
  }

  #find(id: string): ActiveRule {
    const found = this.plan?.rules.find(({ rule }) => rule.id === id)
    if (found !== undefined) return found
    throw new FaultError('FAULT_UNKNOWN', `There is no fault rule "${id}".`, 'GET /v1/faults lists them.')
  }

  #activate(rule: FaultRule): ActiveRule {
    const counted = isBeforeHandshake(rule) ? this.accepted : this.secured
    return new ActiveRule(rule, this.#seed, counted[rule.where])
  }

  #check({ id, fault }: FaultRule): void {
    if (fault.kind !== 'expiredCertificate') return
    const { certPem: cert, keyPem: key } = fault
    if (cert === undefined && this.expiredTls === undefined)
      throw new FaultError(
        'FAULT_INVALID',
        `The rule "${id}" has no certificate to show.`,
        'Give certPem and keyPem of an expired certificate.',
      )
    try {
      if (cert !== undefined) createSecureContext({ cert, key })
    } catch {
      // What OpenSSL says of it helps nobody, and could quote the key.
      throw new FaultError(
        'FAULT_INVALID',
        `The certificate of the rule "${id}" cannot be used.`,
        'Give certPem and keyPem in PEM, and the key that belongs to the certificate.',
      )
    }
  }

  #enforce(rules: readonly ActiveRule[]): void {
    this.plan = rules.length === 0 ? undefined : new ActivePlan(rules)
  }
}

function statusOf({ rule, seen, hits, lastHitMs }: ActiveRule): FaultStatus {
  const counters = lastHitMs === undefined ? { seen, hits } : { seen, hits, lastHitMs }
  return { ...withoutKey(rule), counters }
}

/** A private key goes in and never comes out. */
function withoutKey(rule: FaultRule): FaultRule {
  if (rule.fault.kind !== 'expiredCertificate' || rule.fault.keyPem === undefined) return rule
  const { keyPem: _secret, ...fault } = rule.fault
  return { ...rule, fault }
}
